// Every kind of error that compile() and declared_parameters() report. Each has a test that produces exactly it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deterministic_math/language/compile.h"

namespace tally::math {

enum class CompileReason : std::uint8_t {
  // The text.
  kSourceTooLong,      // more bytes than kMaxSourceBytes
  kBadCharacter,       // a byte that begins no token
  kBadNumber,          // a literal that is malformed or does not fit 128 bits
  kSyntax,             // another token was expected here
  kTooDeep,            // expressions, calls or braces nested too deeply
  kTooMuchInlining,    // inlining makes more expressions or items than the limits allow
  kChainedComparison,  // a < b < c

  // Names.
  kUnknownName,            // no such name is declared before this place
  kUsedBeforeDeclaration,  // the name is declared further down
  kDuplicateName,          // the name is taken
  kReservedName,           // keywords, types and built-ins cannot be declared
  kRecursion,              // a function or template refers to itself
  kWrongKind,              // the name is something that cannot be used like this
  kWrongArgumentCount,     // a call with too many or too few arguments
  kWrongRank,              // a load with too many or too few indices
  kUnknownTemplate,        // `use` of a template that neither the program nor the library has

  // Items and where they may stand.
  kMisplacedItem,        // an item that may not stand here (a loop in a loop, a dim in a template)
  kMissingProgram,       // the first item is not `program NAME`
  kMissingRecordsDim,    // there is no `dim K`
  kDuplicateClause,      // a second `program`, `one record per member`, `next` or `payable` of one state
  kMissingParameter,     // a parameter without a value
  kUnknownParameter,     // a value for a parameter that the program does not declare
  kParameterOutOfRange,  // a value outside the parameter's range
  kBadDim,               // a dim's bounds are empty or outside 0..2^28
  kBadExtent,            // an extent that is neither a dim nor a constant within limits
  kBadShape,             // too many indices, a row without exactly one dim, a row or state over K
  kBadFieldType,         // a record field is i64
  kEmptyRange,           // lo > hi
  kRangeOutsideType,     // a declared range that the element type does not hold
  kRangeNotKnown,        // range(t) of a table that is not proved yet
  kTableTooLarge,        // 2^40 elements or more
  kEmptyLoop,            // a loop without tables, advice and checks
  kTooMany,              // more items, inputs, dims, results, accumulators, statements or arguments than allowed
  kBadNext,              // `next` of what is no state, or to a table of another kind, type, shape or range
  kBadPayable,           // `payable` of what is no state over M

  // Constants.
  kNotConstant,       // a constant expression reads what no compiler can know
  kConstantOverflow,  // a constant beyond 128 bits
  kBadDivisor,        // a divisor that may be below 1
  kBadShift,          // a shift count that may be outside 0..126
  kShiftOfVariable,   // `<<` outside constant expressions
  kNegativeRoot,      // isqrt of what may be negative
  kBadPrfCounter,     // prf's third argument may be outside 0..2^63-1
  kBadWidth,          // wrap's width is outside 1..127, or fx's outside 0..126
  kBadSeed,           // `seed` other than seed[0] and seed[1], or outside prf's first two arguments

  // Bodies.
  kNotAnAccumulator,    // an assignment to a name that `from` does not declare
  kMisplacedStatement,  // require or expect before the end of the fold, a second fold, statements after return
  kMissingReturn,       // a table's body that does not return
  kReturnCount,         // as many values are returned as there are tables
  kUnexpectedReturn,    // the body of an advice or a check returns nothing
  kSectionTooLong,      // more than 256 instructions
  kTooManyLiveValues,   // more than 64 values at once

  // The range proof.
  kNotLogical,             // a logical operand that may be other than 0 or 1
  kOverflow,               // a value that may not fit 128 bits
  kUnboundedAccumulator,   // an accumulator that grows by no fixed amount a step
  kUnboundedResult,        // a table reading itself that grows by no fixed amount an entry
  kResultTooWide,          // a result that its element type may not hold
  kResultOutsideDeclared,  // a result that never lies in its declared range

  // The finished program.
  kProgramTooLarge,  // more than 16 KiB of bytecode
  kRefused,          // the validator refuses the program for another reason, which the message names
};

inline constexpr std::size_t kCompileReasons = static_cast<std::size_t>(CompileReason::kRefused) + 1;

/// The reason's name as users see it, for example "unknown name".
[[nodiscard]] std::string_view name_of(CompileReason reason);

// Limits on what comes from outside.
inline constexpr std::size_t kMaxSourceBytes = 256 * 1024;
inline constexpr std::size_t kMaxStatements = 2048;      // of a body, and of a fold
inline constexpr std::size_t kMaxArguments = 64;         // of a function, template or call
inline constexpr std::size_t kMaxNesting = 64;           // of braces, parentheses and unary operators
inline constexpr std::size_t kMaxExpressionDepth = 400;  // of an expression tree; long sums lean to the left
inline constexpr std::size_t kMaxLoweringDepth = 600;    // of expressions with their inlined functions
inline constexpr std::size_t kMaxLoweredExpressions = std::size_t{1} << 18;  // of a whole program
inline constexpr std::size_t kMaxExpandedItems = 4096;                       // of a whole program, templates included

}  // namespace tally::math
