#include "deterministic_math/language/reasons.h"

#include <utility>

namespace tally::math {

std::string_view name_of(CompileReason reason) {
  switch (reason) {
    case CompileReason::kSourceTooLong:
      return "source too long";
    case CompileReason::kBadCharacter:
      return "bad character";
    case CompileReason::kBadNumber:
      return "bad number";
    case CompileReason::kSyntax:
      return "syntax";
    case CompileReason::kTooDeep:
      return "too deep";
    case CompileReason::kTooMuchInlining:
      return "too much inlining";
    case CompileReason::kChainedComparison:
      return "chained comparison";
    case CompileReason::kUnknownName:
      return "unknown name";
    case CompileReason::kUsedBeforeDeclaration:
      return "used before declaration";
    case CompileReason::kDuplicateName:
      return "duplicate name";
    case CompileReason::kReservedName:
      return "reserved name";
    case CompileReason::kRecursion:
      return "recursion";
    case CompileReason::kWrongKind:
      return "wrong kind";
    case CompileReason::kWrongArgumentCount:
      return "wrong argument count";
    case CompileReason::kWrongRank:
      return "wrong rank";
    case CompileReason::kUnknownTemplate:
      return "unknown template";
    case CompileReason::kMisplacedItem:
      return "misplaced item";
    case CompileReason::kMissingProgram:
      return "missing program";
    case CompileReason::kMissingRecordsDim:
      return "missing records dim";
    case CompileReason::kDuplicateClause:
      return "duplicate clause";
    case CompileReason::kMissingParameter:
      return "missing parameter";
    case CompileReason::kUnknownParameter:
      return "unknown parameter";
    case CompileReason::kParameterOutOfRange:
      return "parameter out of range";
    case CompileReason::kBadDim:
      return "bad dim";
    case CompileReason::kBadExtent:
      return "bad extent";
    case CompileReason::kBadShape:
      return "bad shape";
    case CompileReason::kBadFieldType:
      return "bad field type";
    case CompileReason::kEmptyRange:
      return "empty range";
    case CompileReason::kRangeOutsideType:
      return "range outside type";
    case CompileReason::kRangeNotKnown:
      return "range not known";
    case CompileReason::kTableTooLarge:
      return "table too large";
    case CompileReason::kEmptyLoop:
      return "empty loop";
    case CompileReason::kTooMany:
      return "too many";
    case CompileReason::kBadNext:
      return "bad next";
    case CompileReason::kBadPayable:
      return "bad payable";
    case CompileReason::kNotConstant:
      return "not constant";
    case CompileReason::kConstantOverflow:
      return "constant overflow";
    case CompileReason::kBadDivisor:
      return "bad divisor";
    case CompileReason::kBadShift:
      return "bad shift";
    case CompileReason::kShiftOfVariable:
      return "shift of variable";
    case CompileReason::kNegativeRoot:
      return "negative root";
    case CompileReason::kBadPrfCounter:
      return "bad prf counter";
    case CompileReason::kBadWidth:
      return "bad width";
    case CompileReason::kBadSeed:
      return "bad seed";
    case CompileReason::kNotAnAccumulator:
      return "not an accumulator";
    case CompileReason::kMisplacedStatement:
      return "misplaced statement";
    case CompileReason::kMissingReturn:
      return "missing return";
    case CompileReason::kReturnCount:
      return "return count";
    case CompileReason::kUnexpectedReturn:
      return "unexpected return";
    case CompileReason::kSectionTooLong:
      return "section too long";
    case CompileReason::kTooManyLiveValues:
      return "too many live values";
    case CompileReason::kNotLogical:
      return "not logical";
    case CompileReason::kOverflow:
      return "overflow";
    case CompileReason::kUnboundedAccumulator:
      return "unbounded accumulator";
    case CompileReason::kUnboundedResult:
      return "unbounded result";
    case CompileReason::kResultTooWide:
      return "result too wide";
    case CompileReason::kResultOutsideDeclared:
      return "result outside declared";
    case CompileReason::kProgramTooLarge:
      return "program too large";
    case CompileReason::kRefused:
      return "refused";
  }
  std::unreachable();
}

}  // namespace tally::math
