// A position in a list of tokens, with the questions that a recursive-descent parser asks.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/lexer.h"

namespace tally::math {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : x_tokens(std::move(tokens)) {}

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return x_tokens[std::min(x_next + ahead, x_tokens.size() - 1)];
  }
  [[nodiscard]] bool at_end() const { return peek().kind == TokenKind::kEnd; }
  [[nodiscard]] bool at(std::string_view text) const { return !at_end() && peek().text == text; }
  [[nodiscard]] const Token& previous() const { return x_tokens[x_next == 0 ? 0 : x_next - 1]; }

  const Token& take() {
    const Token& token = peek();
    if (!at_end()) ++x_next;
    return token;
  }

  bool accept(std::string_view text) {
    if (!at(text)) return false;
    take();
    return true;
  }

  const Token& expect(std::string_view text) {
    if (!at(text)) refuse(quoted(text));
    return take();
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    const Token& token = peek();
    fail(CompileReason::kSyntax, token.span,
         "expected " + expected + ", found " + (at_end() ? "the end of the text" : quoted(token.text)));
  }

 private:
  std::vector<Token> x_tokens;
  std::size_t x_next = 0;
};

/// Bounds the nesting of recursive calls: each holds one for as long as it runs.
class NestingGuard {
 public:
  NestingGuard(std::size_t& depth, std::size_t limit, const SourceSpan& span) : x_depth(depth) {
    if (depth >= limit) fail(CompileReason::kTooDeep, span, "nested more than " + std::to_string(limit) + " deep");
    ++depth;
  }
  ~NestingGuard() { --x_depth; }
  NestingGuard(const NestingGuard&) = delete;
  NestingGuard& operator=(const NestingGuard&) = delete;

 private:
  std::size_t& x_depth;
};

}  // namespace tally::math
