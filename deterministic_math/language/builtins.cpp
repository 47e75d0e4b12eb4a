// The functions of the language: those with an opcode of their own, and those derived from others.
#include <algorithm>
#include <array>
#include <limits>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/lowering.h"

namespace tally::math {

/// `most` arguments; kMany: any number from `least`.
struct Lowering::BuiltinInfo {
  std::string_view name;
  std::size_t least = 0;
  std::size_t most = 0;
  Builtin lower = nullptr;
  Op op = Op::kImm;  // of call_two and call_many
};

namespace {

constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max();
constexpr i128 kMaxFractionBits = 126;

}  // namespace

const Lowering::BuiltinInfo* Lowering::find_builtin(const Expr& call) {
  static constexpr std::array<BuiltinInfo, 17> kBuiltins{{
      {"div", 2, 2, &Lowering::call_two, Op::kDiv},
      {"div_round", 2, 2, &Lowering::call_two, Op::kDivRound},
      {"shr", 2, 2, &Lowering::call_two, Op::kShr},
      {"shr_round", 2, 2, &Lowering::call_two, Op::kShrRound},
      {"shl", 2, 2, &Lowering::call_two, Op::kShl},
      {"mod", 2, 2, &Lowering::call_two, Op::kMod},
      {"min", 2, kMany, &Lowering::call_many, Op::kMin},
      {"max", 2, kMany, &Lowering::call_many, Op::kMax},
      {"sq", 1, 1, &Lowering::call_sq},
      {"abs", 1, 1, &Lowering::call_abs},
      {"clamp", 2, 3, &Lowering::call_clamp},
      {"select", 3, 3, &Lowering::call_select},
      {"expect", 3, 3, &Lowering::call_expect},
      {"isqrt", 1, 1, &Lowering::call_isqrt},
      {"wrap", 2, 2, &Lowering::call_wrap},
      {"prf", 3, 3, &Lowering::call_prf},
      {"fx", 2, 2, &Lowering::call_fx},
  }};
  if (call.path.size() != 1) return nullptr;
  const auto* const found = std::ranges::find(kBuiltins, call.path.front(), &BuiltinInfo::name);
  return found == kBuiltins.end() ? nullptr : found;
}

ValueId Lowering::lower_call(const Expr& expr, const Frame& frame) {
  if (const BuiltinInfo* builtin = find_builtin(expr)) {
    if (expr.args.size() < builtin->least || expr.args.size() > builtin->most) {
      std::string count = std::to_string(builtin->least);
      if (builtin->most == kMany) count += " or more";
      if (builtin->most != kMany && builtin->most != builtin->least) count += " or " + std::to_string(builtin->most);
      fail(CompileReason::kWrongArgumentCount, expr.span,
           quoted(builtin->name) + " takes " + count + " arguments, not " + std::to_string(expr.args.size()));
    }
    return (this->*builtin->lower)(expr, frame);
  }
  if (frame.locals != nullptr && expr.path.size() == 1 && frame.locals->find(expr.path.front()) != nullptr) {
    fail(CompileReason::kWrongKind, expr.place, quoted(expr.path.front()) + " is one value, not a function");
  }
  const Binding& binding = resolve(expr, frame);
  if (binding.kind != BindingKind::kFunction) {
    const bool is_table = binding.kind == BindingKind::kObject;
    fail(CompileReason::kWrongKind, expr.place,
         quoted(joined(expr.path)) + " is " + std::string(describe(binding.kind)) + ", not a function" +
             (is_table ? "; load with " + joined(expr.path) + "[...]" : ""));
  }
  std::vector<ValueId> arguments;
  arguments.reserve(expr.args.size());
  for (const Expr* arg : expr.args) arguments.push_back(lower(*arg, frame));
  return inline_function(expr, arguments, binding);
}

ValueId Lowering::call_two(const Expr& call, const Frame& frame) {
  const ValueId a = lower(*call.args[0], frame);
  const ValueId b = lower(*call.args[1], frame);
  return x_graph.binary(find_builtin(call)->op, a, b, call.span);
}

ValueId Lowering::call_many(const Expr& call, const Frame& frame) {
  ValueId result = lower(*call.args[0], frame);
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    result = x_graph.binary(find_builtin(call)->op, result, lower(*call.args[i], frame), call.span);
  }
  return result;
}

ValueId Lowering::call_sq(const Expr& call, const Frame& frame) {
  const ValueId x = lower(*call.args[0], frame);
  return x_graph.binary(Op::kMul, x, x, call.span);
}

/// max(max(x, 0), 0 - x): the inner maximum lets interval arithmetic see that the result is not negative.
ValueId Lowering::call_abs(const Expr& call, const Frame& frame) {
  const ValueId x = lower(*call.args[0], frame);
  const ValueId zero = x_graph.constant(0, call.span);
  const ValueId negated = x_graph.binary(Op::kSub, zero, x, call.span);
  return x_graph.binary(Op::kMax, x_graph.binary(Op::kMax, x, zero, call.span), negated, call.span);
}

ValueId Lowering::clamp(ValueId x, ValueId lo, ValueId hi, const SourceSpan& span) {
  const auto least = x_graph.constant_value(lo);
  const auto most = x_graph.constant_value(hi);
  if (least && most && *least > *most) {
    fail(CompileReason::kEmptyRange, span, "the range " + to_string(Range{*least, *most}) + " is empty");
  }
  return x_graph.binary(Op::kMin, x_graph.binary(Op::kMax, x, lo, span), hi, span);
}

ValueId Lowering::call_clamp(const Expr& call, const Frame& frame) {
  const ValueId x = lower(*call.args[0], frame);
  if (call.args.size() == 2) {
    const Expr& type = *call.args[1];
    if (type.kind != ExprKind::kType) {
      fail(CompileReason::kWrongKind, type.span, "clamp takes a type (clamp(x, i32)) or two bounds (clamp(x, lo, hi))");
    }
    if (type.type == ElementType::kI128) return x;
    const Range range = type_range(type.type);
    return clamp(x, x_graph.constant(range.lo, type.span), x_graph.constant(range.hi, type.span), call.span);
  }
  const ValueId lo = lower(*call.args[1], frame);
  return clamp(x, lo, lower(*call.args[2], frame), call.span);
}

ValueId Lowering::call_select(const Expr& call, const Frame& frame) {
  const ValueId chosen = condition(*call.args[0], frame, "select's first argument");
  const ValueId a = lower(*call.args[1], frame);
  return x_graph.select(chosen, a, lower(*call.args[2], frame), call.span);
}

ValueId Lowering::call_expect(const Expr& call, const Frame& frame) {
  if (x_place != Place::kFinish) {
    fail(CompileReason::kMisplacedStatement, call.span, "expect stands after the fold only; use clamp before it");
  }
  const ValueId x = lower(*call.args[0], frame);
  const ValueId lo = lower(*call.args[1], frame);
  const ValueId hi = lower(*call.args[2], frame);
  const ValueId clamped = clamp(x, lo, hi, call.span);
  const ValueId above = x_graph.binary(Op::kLe, lo, x, call.span);
  const ValueId below = x_graph.binary(Op::kLe, x, hi, call.span);
  require(x_graph.binary(Op::kMin, above, below, call.span), call.span);
  return clamped;
}

ValueId Lowering::call_isqrt(const Expr& call, const Frame& frame) {
  return x_graph.unary(Op::kIsqrt, lower(*call.args[0], frame), call.span);
}

i128 Lowering::width(const Expr& expr, const Frame& frame, i128 least, i128 most) {
  const auto value = x_graph.constant_value(lower(expr, frame));
  if (!value) fail(CompileReason::kNotConstant, expr.span, "a number of bits is a constant");
  if (*value < least || *value > most) {
    fail(CompileReason::kBadWidth, expr.span,
         to_string(*value) + " bits; the number must lie in " + to_string(Range{least, most}));
  }
  return *value;
}

ValueId Lowering::call_wrap(const Expr& call, const Frame& frame) {
  const ValueId x = lower(*call.args[0], frame);
  return x_graph.unary(Op::kWrap, x, call.span, static_cast<std::int32_t>(width(*call.args[1], frame, 1, 127)));
}

ValueId Lowering::call_prf(const Expr& call, const Frame& frame) {
  refuse_in_constants(call, "no constant function");
  const ValueId a = lower(*call.args[0], frame);
  const ValueId b = lower(*call.args[1], frame);
  return x_graph.prf(a, b, lower(*call.args[2], frame), call.span);
}

/// fx(d, n): d * 2^n to the nearest integer, ties to even. d = digits / 10^places exactly.
ValueId Lowering::call_fx(const Expr& call, const Frame& frame) {
  const Expr* literal = call.args[0];
  const bool negative = literal->kind == ExprKind::kUnary && literal->op == Operator::kNegate;
  if (negative) literal = literal->args.front();
  if (literal->kind != ExprKind::kDecimal && literal->kind != ExprKind::kNumber) {
    fail(CompileReason::kNotConstant, literal->span, "fx takes a decimal such as 0.9");
  }
  const i128 bits = width(*call.args[1], frame, 0, kMaxFractionBits);
  i128 digits = literal->value;
  i128 scale = 1;
  bool overflow = false;
  const std::size_t point = literal->kind == ExprKind::kDecimal ? literal->text.find('.') + 1 : literal->text.size();
  for (const char c : literal->text.substr(point)) {
    overflow = overflow || __builtin_mul_overflow(scale, i128{10}, &scale);
    if (literal->kind == ExprKind::kDecimal && !overflow) {
      overflow =
          __builtin_mul_overflow(digits, i128{10}, &digits) || __builtin_add_overflow(digits, i128{c - '0'}, &digits);
    }
  }
  overflow = overflow || __builtin_mul_overflow(digits, i128{1} << static_cast<unsigned>(bits), &digits);
  if (overflow) fail(CompileReason::kConstantOverflow, call.span, "the decimal has too many digits for 128 bits");
  // Rounding to even is symmetric, so the sign may be applied before it.
  const ValueId numerator = x_graph.constant(negative ? -digits : digits, call.span);
  return x_graph.binary(Op::kDivRound, numerator, x_graph.constant(scale, call.span), call.span);
}

}  // namespace tally::math
