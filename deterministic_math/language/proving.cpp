#include "deterministic_math/language/proving.h"

#include <utility>

#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::math {
namespace {

CompileReason reason_of(RangeReason reason) {
  switch (reason) {
    case RangeReason::kOverflow:
      return CompileReason::kOverflow;
    case RangeReason::kUnboundedAccumulator:
      return CompileReason::kUnboundedAccumulator;
    case RangeReason::kUnboundedResult:
      return CompileReason::kUnboundedResult;
    case RangeReason::kDivisorNotPositive:
      return CompileReason::kBadDivisor;
    case RangeReason::kShiftCount:
      return CompileReason::kBadShift;
    case RangeReason::kNegativeRoot:
      return CompileReason::kNegativeRoot;
    case RangeReason::kNotLogical:
      return CompileReason::kNotLogical;
    case RangeReason::kPrfCounter:
      return CompileReason::kBadPrfCounter;
    case RangeReason::kSeedUse:
      return CompileReason::kBadSeed;
    case RangeReason::kResultExceedsType:
      return CompileReason::kResultTooWide;
    case RangeReason::kResultOutsideDeclared:
      return CompileReason::kResultOutsideDeclared;
  }
  std::unreachable();
}

/// What usually mends a fault.
std::string_view remedy(RangeReason reason) {
  switch (reason) {
    case RangeReason::kOverflow:
      return "; declare narrower ranges for what it reads, or clamp";
    case RangeReason::kUnboundedAccumulator:
      return "; add to it, or clamp its new value";
    case RangeReason::kUnboundedResult:
      return "; declare its range, or clamp what is returned";
    case RangeReason::kDivisorNotPositive:
      return "; write max(divisor, 1)";
    case RangeReason::kShiftCount:
      return "; clamp it to 0..126";
    case RangeReason::kNegativeRoot:
      return "; write isqrt(max(x, 0))";
    case RangeReason::kNotLogical:
      return "; compare it, as in x > 0";
    case RangeReason::kPrfCounter:
      return "; clamp it";
    case RangeReason::kSeedUse:
      return {};
    case RangeReason::kResultExceedsType:
      return "; choose a wider type, declare a range, or clamp";
    case RangeReason::kResultOutsideDeclared:
      return "; every entry would fail";
  }
  std::unreachable();
}

/// A column's place: the returned expression.
SourceSpan column_place(const LoweredBody& lowered, std::size_t column, const ItemSyntax& syntax) {
  for (std::size_t i = 0; i < lowered.finish.code.size(); ++i) {
    const Instruction& instruction = lowered.finish.code[i];
    if (instruction.op == Op::kRet && static_cast<std::size_t>(instruction.imm) == column)
      return lowered.finish.spans[i];
  }
  return syntax.span;
}

[[noreturn]] void refuse(const RangeFault& fault, const LoweredBody& lowered, const ItemSyntax& syntax) {
  const CompileReason reason = reason_of(fault.reason);
  SourceSpan span = syntax.span;
  std::string subject;
  switch (fault.reason) {
    case RangeReason::kUnboundedAccumulator:
      if (fault.index < lowered.accumulators.size()) {
        span = lowered.accumulators[fault.index].span;
        subject = quoted(lowered.accumulators[fault.index].text) + ": ";
      }
      break;
    case RangeReason::kUnboundedResult:
    case RangeReason::kResultExceedsType:
    case RangeReason::kResultOutsideDeclared:
      span = column_place(lowered, fault.index, syntax);
      if (fault.index < syntax.results.size()) subject = quoted(syntax.results[fault.index].name.text) + ": ";
      break;
    case RangeReason::kOverflow:
    case RangeReason::kDivisorNotPositive:
    case RangeReason::kShiftCount:
    case RangeReason::kNegativeRoot:
    case RangeReason::kNotLogical:
    case RangeReason::kPrfCounter:
    case RangeReason::kSeedUse: {
      const Section& section = fault.section == RangeSection::kStep ? lowered.step : lowered.finish;
      if (fault.index < section.spans.size()) span = section.spans[fault.index];
      break;
    }
  }
  fail(reason, span, subject + describe(fault) + std::string(remedy(fault.reason)));
}

/// The operands of and, or, not, where, require and select, which bytecode does not tell from others.
void check_logical(const std::vector<LogicalUse>& uses, const Section& section, const std::vector<Range>& ranges) {
  for (const LogicalUse& use : uses) {
    const auto instruction = section.instruction_of(use.node);
    if (!instruction || Range{0, 1}.contains(ranges[*instruction])) continue;
    fail(CompileReason::kNotLogical, use.span,
         "an operand of " + std::string(use.role) + " is 0 or 1, and this lies in " + to_string(ranges[*instruction]) +
             "; compare it, as in x > 0");
  }
}

void check_logical_accumulators(const std::vector<LogicalUse>& uses, const std::vector<ValueId>& nodes,
                                const std::vector<Range>& ranges) {
  for (const LogicalUse& use : uses) {
    for (std::size_t j = 0; j < nodes.size(); ++j) {
      if (use.node != nodes[j] || Range{0, 1}.contains(ranges[j])) continue;
      fail(CompileReason::kNotLogical, use.span,
           "an operand of " + std::string(use.role) + " is 0 or 1, and this accumulator lies in " +
               to_string(ranges[j]) + "; compare it, as in x > 0");
    }
  }
}

}  // namespace

std::vector<Range> prove_body(Program& program, std::size_t item, const LoweredBody& lowered,
                              const ItemSyntax& syntax) {
  program.items[item].body = lowered.body;
  auto proved = prove_item(program, item);
  if (!proved) refuse(proved.error(), lowered, syntax);
  check_logical(lowered.step_uses, lowered.step, proved->step);
  check_logical(lowered.finish_uses, lowered.finish, proved->finish);
  check_logical_accumulators(lowered.step_uses, lowered.step.accumulators, proved->accumulators);
  check_logical_accumulators(lowered.finish_uses, lowered.finish.accumulators, proved->accumulators);
  program.items[item].body->accumulators = proved->accumulators;
  const std::vector<ObjectId>& results = program.items[item].results;
  for (std::size_t column = 0; column < results.size() && column < proved->results.size(); ++column) {
    Object& object = program.objects[results[column]];
    if (object.origin == RangeOrigin::kProved) object.range = proved->results[column];
  }
  return std::move(proved->results);
}

void check_valid(const Program& program, const ItemPlaces& places) {
  const auto valid = validate(program);
  if (valid) return;
  const ValidationFault& fault = valid.error();
  const SourceSpan span = fault.item && *fault.item < places.items.size() ? places.items[*fault.item] : places.program;
  if (fault.decode && fault.decode->reason == DecodeReason::kTooLong) {
    fail(CompileReason::kProgramTooLarge, span,
         "the program's bytecode has " + std::to_string(encode_program(program).size()) + " bytes; the limit is " +
             std::to_string(kMaxProgramBytes));
  }
  fail(CompileReason::kRefused, span, "the validator refuses the program: " + describe(fault));
}

}  // namespace tally::math
