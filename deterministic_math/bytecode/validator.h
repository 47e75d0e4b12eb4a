// The validator: whether bytecode is a valid program, and whether a task may use it. Every role asks before it runs or
// commits to a program; nothing else is trusted, the compiler included.
//
// A valid program is well formed (it is what its own bytes decode to), has its objects, items and loops in order and in
// shape, loads nothing that comes later, returns each column once, has a canonical pool, and carries exactly the ranges
// that the range proof gives. Such a program is total: nothing in it can overflow, divide by zero or run without end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::math {

enum class ValidationReason : std::uint8_t {
  kNotWellFormed,     // its bytes do not decode, or to another program
  kDimRoles,          // dim 0 is not K, or K or M appears twice
  kObjectOrder,       // objects are not member, nonce, fields, rows, states, tables
  kObjectForm,        // an object whose type, rank, extents or origin its kind does not have
  kTooManyInputs,     // more fields, rows or states than allowed
  kUsesRecords,       // a row's length or a state's shape uses K
  kTooManyElements,   // a table or item of 2^40 elements or more
  kRangeOutsideType,  // an object's range is not within its element type
  kItemForm,          // an item whose results or body its kind does not have
  kResultOrder,       // tables are not the items' results, each once and in order
  kResultShape,       // a result whose shape is not the item's
  kLoopOrder,         // a loop without items, or whose items are not consecutive
  kLoopShape,         // an item in a loop whose first extent is not the loop's
  kNoAccumulators,    // a fold without accumulators
  kLaterLoad,         // a load of a table that comes later
  kSkipAfterWrite,    // skipz after an accumulator register was written
  kReturns,           // a column is not returned exactly once
  kPoolOrder,         // constants not in order of first use, repeated, unused, or small enough for imm
  kNextForm,          // `next` whose state or table is of another kind, type, shape, or out of order
  kNextRange,         // the table's proved range is not within the state's
  kPayableForm,       // not states of one entry for each member, in order
  kRangeProof,        // the range proof fails
  kRangesDiffer,      // the carried ranges are not what the proof gives
  kTaskDims,          // a task's dims are not within the declared bounds
  kTaskLeafBytes,     // not a power of two from 64 to 4096
  kTaskWork,          // more work in a batch than the task allows
  kTaskOpeningBytes,  // a section whose loads open more than kMaxOpeningBytes
  kTaskGas,           // a section that may cost more than kMaxSectionGas
};
inline constexpr std::size_t kValidationReasonCount = 28;

[[nodiscard]] std::string_view to_string(ValidationReason reason);

/// What is absent does not apply. `index` counts dims, objects, loops, constants, instructions of `section`, columns,
/// or entries of `next` and `payable`, as the reason says.
struct ValidationFault {
  ValidationReason reason = ValidationReason::kNotWellFormed;
  std::optional<std::size_t> item{};
  std::optional<std::size_t> index{};
  std::optional<CodeSection> section{};
  std::optional<DecodeError> decode{};
  std::optional<RangeFault> range{};
  std::uint64_t found = 0;  // for the limits of a task: work, bytes or gas
};

/// One sentence for people.
[[nodiscard]] std::string describe(const ValidationFault& fault);

[[nodiscard]] std::expected<void, ValidationFault> validate(const Program& program);

/// Decodes and validates.
[[nodiscard]] std::expected<Program, ValidationFault> load_program(Bytes bytes);

/// Whether a task of this shape may use a valid program.
[[nodiscard]] std::expected<void, ValidationFault> validate_for_task(const Program& program, const TaskShape& shape,
                                                                     std::uint64_t max_work);

}  // namespace tally::math
