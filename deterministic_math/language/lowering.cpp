#include "deterministic_math/language/lowering.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/token_stream.h"

namespace tally::math {
namespace {

bool is_builtin_value(const Expr& expr, std::string_view name) {
  return expr.path.size() == 1 && expr.path.front() == name;
}

}  // namespace

ValueId Lowering::lower(const Expr& expr, const Frame& frame) {
  const NestingGuard guard(x_depth, kMaxLoweringDepth, expr.place);
  if (++x_context.lowered > kMaxLoweredExpressions) {
    fail(CompileReason::kTooMuchInlining, expr.place, "inlining functions makes the program too large");
  }
  switch (expr.kind) {
    case ExprKind::kNumber:
      return x_graph.constant(expr.value, expr.span);
    case ExprKind::kDecimal:
      fail(CompileReason::kNotConstant, expr.span, "a decimal stands in fx(decimal, bits) only");
    case ExprKind::kType:
      fail(CompileReason::kWrongKind, expr.span, "a type stands in clamp(x, type) only");
    case ExprKind::kName:
      return lower_name(expr, frame);
    case ExprKind::kIndex:
      return lower_index(expr, frame);
    case ExprKind::kCall:
      return lower_call(expr, frame);
    case ExprKind::kUnary:
      return lower_unary(expr, frame);
    case ExprKind::kBinary:
      return lower_binary(expr, frame);
  }
  std::unreachable();
}

ValueId Lowering::condition(const Expr& expr, const Frame& frame, std::string_view role) {
  return logical(lower(expr, frame), expr.span, role);
}

void Lowering::require(ValueId condition, const SourceSpan& span) {
  if (x_graph.constant_value(condition) != 1) x_roots.push_back({Op::kReq, condition, 0, span});
}

void Lowering::refuse_in_constants(const Expr& expr, std::string_view what) const {
  if (x_place != Place::kConstant) return;
  fail(CompileReason::kNotConstant, expr.span,
       quoted(joined(expr.path)) + " is " + std::string(what) + "; only constants may stand here");
}

ValueId Lowering::lower_name(const Expr& expr, const Frame& frame) {
  if (frame.locals != nullptr && expr.path.size() == 1) {
    if (const ValueId* local = frame.locals->find(expr.path.front())) return *local;
  }
  if (is_builtin_value(expr, "batch")) {
    refuse_in_constants(expr, "the batch's number");
    return x_graph.variable(static_cast<std::int32_t>(Variable::kBatch), expr.span);
  }
  if (is_builtin_value(expr, "seed")) {
    fail(CompileReason::kBadSeed, expr.span, "the seed has two halves; write seed[0] or seed[1]");
  }
  if (is_builtin_value(expr, "member") || is_builtin_value(expr, "nonce")) {
    fail(CompileReason::kWrongRank, expr.span, quoted(expr.path.front()) + " takes one index, a record");
  }
  return lower_binding(expr, resolve(expr, frame));
}

ValueId Lowering::lower_binding(const Expr& expr, const Binding& binding) {
  switch (binding.kind) {
    case BindingKind::kConstant:
      return x_graph.constant(binding.value, expr.span);
    case BindingKind::kFunction:
      return inline_function(expr, {}, binding);
    case BindingKind::kDim:
      return lower_dim(expr, binding);
    case BindingKind::kObject:
      return lower_load(expr, {}, static_cast<ObjectId>(binding.index));
    case BindingKind::kExpression:
      return lower(*binding.expression, {binding.scope, binding.cutoff, nullptr, nullptr});
    case BindingKind::kLoopIndex:
      refuse_in_constants(expr, "a loop's index");
      if (binding.index != x_context.loop) {
        fail(CompileReason::kWrongKind, expr.place, quoted(joined(expr.path)) + " is the index of a loop that ended");
      }
      return x_graph.variable(static_cast<std::int32_t>(Variable::kIndex0), expr.span);
    case BindingKind::kInstance:
      fail(
          CompileReason::kWrongKind, expr.place,
          quoted(joined(expr.path)) + " is a used template; write " + joined(expr.path) + ".name for one of its names");
  }
  std::unreachable();
}

ValueId Lowering::lower_dim(const Expr& expr, const Binding& binding) {
  const Dim& dim = x_context.program.dims[binding.index];
  if (x_place != Place::kConstant) {
    return x_graph.variable(kFirstDimVariable + static_cast<std::int32_t>(binding.index), expr.span);
  }
  if (dim.lo != dim.hi) refuse_in_constants(expr, "a dim whose size is not fixed here");
  return x_graph.constant(dim.lo, expr.span);
}

ValueId Lowering::lower_index(const Expr& expr, const Frame& frame) {
  if (is_builtin_value(expr, "seed")) return lower_seed(expr, frame);
  if (is_builtin_value(expr, "member")) return lower_load(expr, frame, kMemberObject);
  if (is_builtin_value(expr, "nonce")) return lower_load(expr, frame, kNonceObject);
  if (frame.locals != nullptr && expr.path.size() == 1 && frame.locals->find(expr.path.front()) != nullptr) {
    fail(CompileReason::kWrongKind, expr.place, quoted(expr.path.front()) + " is one value and takes no index");
  }
  const Binding& binding = resolve(expr, frame);
  if (binding.kind != BindingKind::kObject) {
    fail(
        CompileReason::kWrongKind, expr.place,
        quoted(joined(expr.path)) + " is " + std::string(describe(binding.kind)) + ", not a table, and takes no index");
  }
  return lower_load(expr, frame, static_cast<ObjectId>(binding.index));
}

ValueId Lowering::lower_seed(const Expr& expr, const Frame& frame) {
  refuse_in_constants(expr, "the batch's seed");
  const auto half = expr.args.size() == 1 ? x_graph.constant_value(lower(*expr.args.front(), frame)) : std::nullopt;
  if (half != 0 && half != 1) fail(CompileReason::kBadSeed, expr.span, "the seed's halves are seed[0] and seed[1]");
  return x_graph.variable(static_cast<std::int32_t>(half == 0 ? Variable::kSeedHigh : Variable::kSeedLow), expr.span);
}

ValueId Lowering::lower_load(const Expr& expr, const Frame& frame, ObjectId object) {
  refuse_in_constants(expr, "a table");
  const std::size_t rank = x_context.program.objects[object].rank;
  if (expr.args.size() != rank) {
    fail(CompileReason::kWrongRank, expr.span,
         quoted(joined(expr.path)) + " takes " + std::to_string(rank) + (rank == 1 ? " index" : " indices") + ", not " +
             std::to_string(expr.args.size()));
  }
  std::vector<ValueId> indices;
  indices.reserve(rank);
  for (const Expr* arg : expr.args) indices.push_back(lower(*arg, frame));
  return x_graph.load(object, indices, expr.span);
}

ValueId Lowering::inline_function(const Expr& call, const std::vector<ValueId>& arguments, const Binding& binding) {
  const ItemSyntax& function = *binding.function;
  if (arguments.size() != function.parameters.size()) {
    fail(CompileReason::kWrongArgumentCount, call.span,
         quoted(joined(call.path)) + " takes " + std::to_string(function.parameters.size()) + " argument" +
             (function.parameters.size() == 1 ? "" : "s") + ", not " + std::to_string(arguments.size()));
  }
  Locals locals;
  for (std::size_t i = 0; i < arguments.size(); ++i) locals.declare(function.parameters[i], arguments[i]);
  return lower(*function.value, {binding.scope, binding.cutoff, &locals, &function});
}

ValueId Lowering::lower_unary(const Expr& expr, const Frame& frame) {
  const ValueId operand = lower(*expr.args.front(), frame);
  if (expr.op == Operator::kNot) return negation(logical(operand, expr.args.front()->span, "`not`"), expr.span);
  return x_graph.binary(Op::kSub, x_graph.constant(0, expr.span), operand, expr.span);
}

ValueId Lowering::shift_constant(const Expr& expr, const Frame& frame) {
  const ValueId node = lower(expr, frame);
  if (!x_graph.constant_value(node)) {
    fail(CompileReason::kShiftOfVariable, expr.span, "`<<` takes constants only; write shl(a, b)");
  }
  return node;
}

ValueId Lowering::lower_binary(const Expr& expr, const Frame& frame) {
  const Expr& left = *expr.args[0];
  const Expr& right = *expr.args[1];
  if (expr.op == Operator::kShiftLeft) {
    const ValueId a = shift_constant(left, frame);
    return x_graph.binary(Op::kShl, a, shift_constant(right, frame), expr.span);
  }
  const ValueId a = lower(left, frame);
  const ValueId b = lower(right, frame);
  switch (expr.op) {
    case Operator::kOr:
      return x_graph.binary(Op::kMax, logical(a, left.span, "`or`"), logical(b, right.span, "`or`"), expr.span);
    case Operator::kAnd:
      return x_graph.binary(Op::kMin, logical(a, left.span, "`and`"), logical(b, right.span, "`and`"), expr.span);
    case Operator::kEqual:
      return x_graph.binary(Op::kEq, a, b, expr.span);
    case Operator::kNotEqual:
      return negation(x_graph.binary(Op::kEq, a, b, expr.span), expr.span);
    case Operator::kLess:
      return x_graph.binary(Op::kLt, a, b, expr.span);
    case Operator::kLessEqual:
      return x_graph.binary(Op::kLe, a, b, expr.span);
    case Operator::kGreater:
      return x_graph.binary(Op::kLt, b, a, expr.span);
    case Operator::kGreaterEqual:
      return x_graph.binary(Op::kLe, b, a, expr.span);
    case Operator::kAdd:
      return x_graph.binary(Op::kAdd, a, b, expr.span);
    case Operator::kSubtract:
      return x_graph.binary(Op::kSub, a, b, expr.span);
    case Operator::kMultiply:
      return x_graph.binary(Op::kMul, a, b, expr.span);
    case Operator::kShiftLeft:
    case Operator::kNegate:
    case Operator::kNot:
      break;
  }
  std::unreachable();
}

ValueId Lowering::logical(ValueId node, const SourceSpan& span, std::string_view role) {
  x_graph.refuse_seed(node, span);
  const auto value = x_graph.constant_value(node);
  if (value && *value != 0 && *value != 1) {
    fail(CompileReason::kNotLogical, span,
         "an operand of " + std::string(role) + " is 0 or 1, and this is " + to_string(*value) +
             "; compare it, as in x > 0");
  }
  if (!value) x_logical.push_back({node, span, role});
  return node;
}

ValueId Lowering::negation(ValueId node, const SourceSpan& span) {
  return x_graph.binary(Op::kSub, x_graph.constant(1, span), node, span);
}

i128 evaluate_constant(const Expr& expr, const Frame& frame, const LoweringContext& context) {
  Lowering lowering(context, Place::kConstant);
  const ValueId node = lowering.lower(expr, frame);
  const auto value = lowering.graph().constant_value(node);
  if (!value) fail(CompileReason::kNotConstant, expr.span, "this is no constant; only constants may stand here");
  return *value;
}

}  // namespace tally::math
