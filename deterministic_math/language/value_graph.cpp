#include "deterministic_math/language/value_graph.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/numbers/arithmetic.h"

namespace tally::math {
namespace {

constexpr i128 kMaxShift = 126;

bool is_commutative(Op op) {
  return op == Op::kAdd || op == Op::kMul || op == Op::kMin || op == Op::kMax || op == Op::kEq;
}

i128 positive_divisor(i128 b, const SourceSpan& span) {
  if (b < 1) fail(CompileReason::kBadDivisor, span, "the divisor is " + to_string(b) + "; it must be at least 1");
  return b;
}

i128 valid_shift(i128 b, const SourceSpan& span) {
  if (b < 0 || b > kMaxShift) {
    fail(CompileReason::kBadShift, span, "the shift count is " + to_string(b) + "; it must lie in 0..126");
  }
  return b;
}

/// The exact result of an operation on constants.
i128 fold(Op op, i128 a, i128 b, const SourceSpan& span) {
  i128 result = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Op::kSub:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Op::kMul:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Op::kShl:
      overflow = __builtin_mul_overflow(a, i128{1} << static_cast<unsigned>(valid_shift(b, span)), &result);
      break;
    case Op::kMin:
      return std::min(a, b);
    case Op::kMax:
      return std::max(a, b);
    case Op::kDiv:
      return floor_div(a, positive_divisor(b, span));
    case Op::kMod:
      return floor_mod(a, positive_divisor(b, span));
    case Op::kDivRound:
      return div_round(a, positive_divisor(b, span));
    case Op::kShr:
      return shift_right(a, valid_shift(b, span));
    case Op::kShrRound:
      return shift_right_round(a, valid_shift(b, span));
    case Op::kIsqrt:
      if (a < 0) fail(CompileReason::kNegativeRoot, span, "isqrt of " + to_string(a));
      return isqrt(a);
    case Op::kLt:
      return a < b ? 1 : 0;
    case Op::kLe:
      return a <= b ? 1 : 0;
    case Op::kEq:
      return a == b ? 1 : 0;
    case Op::kImm:
    case Op::kConst:
    case Op::kMov:
    case Op::kVar:
    case Op::kLoad:
    case Op::kWrap:
    case Op::kSel:
    case Op::kPrf:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      break;
  }
  if (overflow) {
    fail(CompileReason::kConstantOverflow, span,
         "this constant does not fit 128 bits: its operands are " + to_string(a) + " and " + to_string(b));
  }
  return result;
}

}  // namespace

ValueId ValueGraph::make(ValueNode node) {
  const Key key{node.kind, node.op, node.operands, node.imm, node.value};
  const auto [entry, is_new] = x_known.try_emplace(key, static_cast<ValueId>(x_nodes.size()));
  if (is_new) x_nodes.push_back(node);
  return entry->second;
}

std::optional<i128> ValueGraph::constant_value(ValueId id) const {
  if (x_nodes[id].kind != ValueKind::kConstant) return std::nullopt;
  return x_nodes[id].value;
}

void ValueGraph::refuse_seed(ValueId id, const SourceSpan& span) const {
  const ValueNode& node = x_nodes[id];
  const bool is_seed =
      node.kind == ValueKind::kOperation && node.op == Op::kVar &&
      (node.imm == static_cast<int>(Variable::kSeedHigh) || node.imm == static_cast<int>(Variable::kSeedLow));
  if (is_seed) fail(CompileReason::kBadSeed, span, "half of the seed may only be an argument a or b of prf(a, b, c)");
}

ValueId ValueGraph::constant(i128 value, const SourceSpan& span) {
  return make({.kind = ValueKind::kConstant, .value = value, .span = span});
}

ValueId ValueGraph::accumulator(std::size_t number, const SourceSpan& span) {
  return make({.kind = ValueKind::kAccumulator, .imm = static_cast<std::int32_t>(number), .span = span});
}

ValueId ValueGraph::variable(std::int32_t variable, const SourceSpan& span) {
  return make({.kind = ValueKind::kOperation, .op = Op::kVar, .imm = variable, .span = span});
}

ValueId ValueGraph::load(ObjectId object, const std::vector<ValueId>& indices, const SourceSpan& span) {
  ValueNode node{.kind = ValueKind::kOperation, .op = Op::kLoad, .imm = object, .span = span};
  for (const ValueId index : indices) {
    refuse_seed(index, span);
    node.operands.at(node.operand_count++) = index;
  }
  return make(node);
}

ValueId ValueGraph::unary(Op op, ValueId a, const SourceSpan& span, std::int32_t imm) {
  refuse_seed(a, span);
  if (const auto value = constant_value(a)) {
    return constant(op == Op::kWrap ? wrap_to_bits(*value, imm) : fold(op, *value, 0, span), span);
  }
  return make(
      {.kind = ValueKind::kOperation, .op = op, .operand_count = 1, .operands = {a, 0, 0}, .imm = imm, .span = span});
}

ValueId ValueGraph::binary(Op op, ValueId a, ValueId b, const SourceSpan& span) {
  refuse_seed(a, span);
  refuse_seed(b, span);
  const auto left = constant_value(a);
  const auto right = constant_value(b);
  if (left && right) return constant(fold(op, *left, *right, span), span);
  // A constant divisor or shift count is wrong whatever the other operand is.
  if (right && (op == Op::kDiv || op == Op::kMod || op == Op::kDivRound)) positive_divisor(*right, span);
  if (right && (op == Op::kShl || op == Op::kShr || op == Op::kShrRound)) valid_shift(*right, span);
  // Neutral elements.
  if ((op == Op::kAdd || op == Op::kSub) && right == 0) return a;
  if (op == Op::kAdd && left == 0) return b;
  if (op == Op::kMul && right == 1) return a;
  if (op == Op::kMul && left == 1) return b;
  if ((op == Op::kDiv || op == Op::kDivRound) && right == 1) return a;
  if ((op == Op::kShl || op == Op::kShr || op == Op::kShrRound) && right == 0) return a;
  if ((op == Op::kMin || op == Op::kMax) && a == b) return a;
  if (is_commutative(op) && b < a) std::swap(a, b);
  return make({.kind = ValueKind::kOperation, .op = op, .operand_count = 2, .operands = {a, b, 0}, .span = span});
}

ValueId ValueGraph::select(ValueId condition, ValueId a, ValueId b, const SourceSpan& span) {
  refuse_seed(condition, span);
  refuse_seed(a, span);
  refuse_seed(b, span);
  if (const auto value = constant_value(condition)) return *value != 0 ? a : b;
  return make(
      {.kind = ValueKind::kOperation, .op = Op::kSel, .operand_count = 3, .operands = {a, b, condition}, .span = span});
}

ValueId ValueGraph::prf(ValueId a, ValueId b, ValueId c, const SourceSpan& span) {
  refuse_seed(c, span);
  return make({.kind = ValueKind::kOperation, .op = Op::kPrf, .operand_count = 3, .operands = {a, b, c}, .span = span});
}

}  // namespace tally::math
