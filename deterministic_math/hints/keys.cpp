#include "deterministic_math/hints/keys.h"

#include <array>

#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/ranges/interval.h"

namespace tally::math {

namespace {

Range indices_below(std::uint64_t extent) { return {0, extent == 0 ? i128{0} : static_cast<i128>(extent) - 1}; }

Range variable_range(const HintContext& context, std::int32_t variable) {
  if (variable >= kFirstDimVariable) {
    const auto dim = static_cast<i128>(context.values.dims[static_cast<std::size_t>(variable - kFirstDimVariable)]);
    return {dim, dim};
  }
  switch (static_cast<Variable>(variable)) {
    case Variable::kIndex0:
      return indices_below(extent_value(context.item().extents[0], context.values));
    case Variable::kIndex1:
      return indices_below(extent_value(context.item().extents[1], context.values));
    case Variable::kFold:
      return indices_below(context.over());
    case Variable::kBatch:
      return {0, kMaxBatchNumber};
    case Variable::kSeedHigh:
    case Variable::kSeedLow:
      break;
  }
  return {kI128Min, kI128Max};
}

Interval result_interval(const HintContext& context, const Instruction& code,
                         const std::array<Interval, kRegisters>& registers) {
  const Interval& a = registers[code.a];
  const Interval& b = registers[code.b];
  switch (code.op) {
    case Op::kImm:
      return to_interval({code.imm, code.imm});
    case Op::kConst: {
      const i128 value = context.hint.constants[static_cast<std::size_t>(code.imm)];
      return to_interval({value, value});
    }
    case Op::kVar:
      return to_interval(variable_range(context, code.imm));
    case Op::kLoad:
      return to_interval(load_site(context.program, context.hint.item, static_cast<ObjectId>(code.imm)).clamp);
    case Op::kSel:
      return join(a, b);
    case Op::kWrap:
      return wrap_interval(a, code.imm);
    case Op::kPrf:
      return to_interval({0, 0xffffffff});
    case Op::kMov:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      return a;
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMin:
    case Op::kMax:
    case Op::kDiv:
    case Op::kMod:
    case Op::kDivRound:
    case Op::kShl:
    case Op::kShr:
    case Op::kShrRound:
    case Op::kIsqrt:
    case Op::kLt:
    case Op::kLe:
    case Op::kEq:
      break;
  }
  return apply(code.op, a, b);
}

std::vector<Range> section_ranges(const HintContext& context, std::span<const Instruction> section) {
  std::array<Interval, kRegisters> registers;
  registers.fill(to_interval({0, 0}));
  std::vector<Range> ranges;
  for (const Instruction& code : section) {
    const Interval result = result_interval(context, code, registers);
    // What may leave i128 wraps to anywhere in it.
    ranges.push_back(result.finite() ? result.cut() : Range{kI128Min, kI128Max});
    const bool writes = code.op != Op::kSkipZ && code.op != Op::kReq && code.op != Op::kRet;
    if (writes) registers[code.dst] = to_interval(ranges.back());
  }
  return ranges;
}

}  // namespace

std::uint64_t HintContext::inner_extent() const {
  return item().rank == 2 ? extent_value(item().extents[1], values) : 0;
}

std::uint64_t HintContext::entries() const {
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < item().rank; ++axis) count *= extent_value(item().extents[axis], values);
  return count;
}

Position HintContext::position(std::uint64_t entry) const {
  const std::uint64_t inner = inner_extent();
  Position position;
  position.flat = entry;
  position.index0 = inner == 0 ? entry : entry / inner;
  position.index1 = inner == 0 ? 0 : entry % inner;
  return position;
}

Graph hint_graph(const HintContext& context, std::span<const Instruction> section) {
  return build_graph(
      {context.program, context.hint.item, section, section_ranges(context, section), context.hint.constants, {}});
}

Code schedule_hint(const HintContext& context, const Graph& graph, HintSection section, Axis axis,
                   std::size_t& row_loads) {
  return schedule({context.program, context.values, context.inputs, context.hint.item, graph, axis,
                   section == HintSection::kKeys, row_loads});
}

}  // namespace tally::math
