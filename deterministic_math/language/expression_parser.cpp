#include "deterministic_math/language/expression_parser.h"

#include <array>
#include <utility>

#include "deterministic_math/language/parser.h"

namespace tally::math {
namespace {

struct BinaryOperator {
  std::string_view text;
  Operator op;
  int precedence;
};

constexpr int kEqualityPrecedence = 2;
constexpr int kRelationalPrecedence = 3;

constexpr std::array<BinaryOperator, 12> kBinaryOperators{{
    {"or", Operator::kOr, 0},
    {"and", Operator::kAnd, 1},
    {"==", Operator::kEqual, kEqualityPrecedence},
    {"!=", Operator::kNotEqual, kEqualityPrecedence},
    {"<", Operator::kLess, kRelationalPrecedence},
    {"<=", Operator::kLessEqual, kRelationalPrecedence},
    {">", Operator::kGreater, kRelationalPrecedence},
    {">=", Operator::kGreaterEqual, kRelationalPrecedence},
    {"<<", Operator::kShiftLeft, 4},
    {"+", Operator::kAdd, 5},
    {"-", Operator::kSubtract, 5},
    {"*", Operator::kMultiply, 6},
}};

const BinaryOperator* binary_operator(const Token& token) {
  if (token.kind != TokenKind::kPunctuation && token.kind != TokenKind::kIdentifier) return nullptr;
  for (const BinaryOperator& candidate : kBinaryOperators) {
    if (candidate.text == token.text) return &candidate;
  }
  return nullptr;
}

}  // namespace

std::optional<ElementType> type_named(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames{"i8", "i16", "i32", "i64", "i128"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<ElementType>(i);
  }
  return std::nullopt;
}

const Expr* ExpressionParser::keep(Expr expr) {
  std::uint32_t depth = 0;
  for (const Expr* arg : expr.args) depth = std::max(depth, arg->depth);
  expr.depth = depth + 1;
  if (expr.depth > kMaxExpressionDepth) {
    fail(CompileReason::kTooDeep, expr.place,
         "the expression is nested more than " + std::to_string(kMaxExpressionDepth) + " deep");
  }
  x_expressions.push_back(std::move(expr));
  return &x_expressions.back();
}

const Expr* ExpressionParser::binary(int least) {
  const Expr* left = unary();
  int compared = -1;  // the precedence of the comparison that `left` is, if it is one
  while (const BinaryOperator* found = binary_operator(x_tokens.peek())) {
    if (found->precedence < least) break;
    const SourceSpan place = x_tokens.peek().span;
    if (found->precedence == compared) {
      fail(CompileReason::kChainedComparison, place, "comparisons do not chain; write a < b and b < c");
    }
    const bool comparison = found->precedence == kEqualityPrecedence || found->precedence == kRelationalPrecedence;
    compared = comparison ? found->precedence : -1;
    x_tokens.take();
    const Expr* right = binary(found->precedence + 1);
    Expr expr;
    expr.kind = ExprKind::kBinary;
    expr.op = found->op;
    expr.span = join(left->span, right->span);
    expr.place = place;
    expr.args = {left, right};
    left = keep(std::move(expr));
  }
  return left;
}

const Expr* ExpressionParser::unary() {
  const Token& token = x_tokens.peek();
  const NestingGuard guard(x_nesting, kMaxNesting, token.span);
  if (!x_tokens.at("-") && !x_tokens.at("not")) return primary();
  x_tokens.take();
  const Expr* operand = unary();
  Expr expr;
  expr.kind = ExprKind::kUnary;
  expr.op = token.text == "-" ? Operator::kNegate : Operator::kNot;
  expr.span = join(token.span, operand->span);
  expr.place = token.span;
  expr.args = {operand};
  return keep(std::move(expr));
}

const Expr* ExpressionParser::primary() {
  const Token& token = x_tokens.peek();
  Expr expr;
  expr.span = expr.place = token.span;
  switch (token.kind) {
    case TokenKind::kNumber:
      x_tokens.take();
      expr.kind = ExprKind::kNumber;
      expr.value = token.value;
      return keep(std::move(expr));
    case TokenKind::kDecimal:
      x_tokens.take();
      expr.kind = ExprKind::kDecimal;
      expr.value = token.value;  // the digits before the point
      expr.text = token.text;
      return keep(std::move(expr));
    case TokenKind::kIdentifier:
      return name();
    case TokenKind::kPunctuation:
    case TokenKind::kEnd:
      break;
  }
  if (!x_tokens.at("(")) x_tokens.refuse("an expression");
  x_tokens.take();
  const Expr* inner = expression();
  x_tokens.expect(")");
  return inner;
}

const Expr* ExpressionParser::name() {
  const Token& token = x_tokens.peek();
  Expr expr;
  expr.kind = ExprKind::kName;
  expr.span = expr.place = token.span;
  if (const auto type = type_named(token.text)) {
    x_tokens.take();
    expr.kind = ExprKind::kType;
    expr.type = *type;
    return keep(std::move(expr));
  }
  if (is_keyword(token.text)) x_tokens.refuse("an expression");
  x_tokens.take();
  expr.path.push_back(token.text);
  while (x_tokens.at(".")) {
    x_tokens.take();
    if (x_tokens.peek().kind != TokenKind::kIdentifier) x_tokens.refuse("a name");
    const Token& part = x_tokens.take();
    expr.path.push_back(part.text);
    expr.span = expr.place = join(token.span, part.span);
  }
  if (x_tokens.accept("(")) {
    expr.kind = ExprKind::kCall;
    arguments(expr, ")");
  } else if (x_tokens.accept("[")) {
    expr.kind = ExprKind::kIndex;
    arguments(expr, "]");
  }
  return keep(std::move(expr));
}

void ExpressionParser::arguments(Expr& call, std::string_view close) {
  if (!x_tokens.at(close)) {
    do {
      call.args.push_back(expression());
      if (call.args.size() > kMaxArguments) {
        fail(CompileReason::kTooMany, call.place, "more than " + std::to_string(kMaxArguments) + " arguments");
      }
    } while (x_tokens.accept(","));
  }
  call.span = join(call.span, x_tokens.expect(close).span);
}

RangeSyntax ExpressionParser::bounds() {
  RangeSyntax range;
  range.lo = expression();
  x_tokens.expect("..");
  range.hi = expression();
  range.span = join(range.lo->span, range.hi->span);
  return range;
}

RangeSyntax ExpressionParser::range() {
  if (!x_tokens.at("range")) return bounds();
  RangeSyntax range;
  range.span = x_tokens.take().span;
  x_tokens.expect("(");
  range.copied = expression();
  range.span = join(range.span, x_tokens.expect(")").span);
  return range;
}

}  // namespace tally::math
