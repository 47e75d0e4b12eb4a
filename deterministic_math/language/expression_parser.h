// Parses expressions by precedence climbing: or, and, == !=, < <= > >=, <<, + -, *, unary - and not, as in C.
#pragma once

#include <optional>

#include "deterministic_math/language/syntax.h"
#include "deterministic_math/language/token_stream.h"

namespace tally::math {

/// The element type of that name, if it is one.
[[nodiscard]] std::optional<ElementType> type_named(std::string_view name);

class ExpressionParser {
 public:
  ExpressionParser(TokenStream& tokens, std::deque<Expr>& expressions) : x_tokens(tokens), x_expressions(expressions) {}

  const Expr* expression() { return binary(0); }
  /// `lo..hi`
  RangeSyntax bounds();
  /// What follows `in`: bounds or `range(t)`.
  RangeSyntax range();

 private:
  const Expr* binary(int least);
  const Expr* unary();
  const Expr* primary();
  const Expr* name();
  void arguments(Expr& call, std::string_view close);
  const Expr* keep(Expr expr);

  TokenStream& x_tokens;
  std::deque<Expr>& x_expressions;
  std::size_t x_nesting = 0;
};

}  // namespace tally::math
