#include "deterministic_math/language/lexer.h"

#include <array>

#include "deterministic_math/language/diagnostics.h"

namespace tally::math {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_word(char c) { return is_letter(c) || is_digit(c); }

// Longer ones first.
constexpr std::array<std::string_view, 21> kPunctuation{"..", "==", "!=", "<=", ">=", "<<", "<", ">", "=", "+", "-",
                                                        "*",  "(",  ")",  "[",  "]",  "{",  "}", ",", ":", "."};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : x_source(source) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      skip_blanks();
      tokens.push_back(next());
    } while (tokens.back().kind != TokenKind::kEnd);
    return tokens;
  }

 private:
  [[nodiscard]] char at(std::size_t offset) const { return offset < x_source.size() ? x_source[offset] : '\0'; }

  void skip_blanks() {
    for (; x_offset < x_source.size(); ++x_offset) {
      const char c = x_source[x_offset];
      if (c == '\n') {
        ++x_line;
        x_line_start = x_offset + 1;
      } else if (c == '#') {
        while (x_offset + 1 < x_source.size() && x_source[x_offset + 1] != '\n') ++x_offset;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  [[nodiscard]] SourceSpan span(std::size_t length) const {
    return {x_line, static_cast<std::uint32_t>(x_offset - x_line_start + 1), static_cast<std::uint32_t>(length)};
  }

  Token take(TokenKind kind, std::size_t length) {
    Token token{kind, x_source.substr(x_offset, length), span(length), x_offset, 0};
    x_offset += length;
    return token;
  }

  Token next() {
    const char c = at(x_offset);
    if (x_offset >= x_source.size()) return take(TokenKind::kEnd, 0);
    if (is_digit(c)) return number();
    if (is_letter(c)) {
      std::size_t length = 1;
      while (is_word(at(x_offset + length))) ++length;
      return take(TokenKind::kIdentifier, length);
    }
    for (const std::string_view text : kPunctuation) {
      if (x_source.substr(x_offset).starts_with(text)) return take(TokenKind::kPunctuation, text.size());
    }
    if (c == '/') fail(CompileReason::kBadCharacter, span(1), "there is no operator `/`; write div(a, b)");
    if (c == '!') fail(CompileReason::kBadCharacter, span(1), "there is no operator `!`; write not");
    if (c == '&') fail(CompileReason::kBadCharacter, span(1), "there is no operator `&`; write and");
    if (c == '|') fail(CompileReason::kBadCharacter, span(1), "there is no operator `|`; write or");
    if (c == '%') fail(CompileReason::kBadCharacter, span(1), "there is no operator `%`; write mod(a, b)");
    fail(CompileReason::kBadCharacter, span(1), "this character begins no word, number or operator");
  }

  Token number() {
    std::size_t length = 1;
    while (is_digit(at(x_offset + length))) ++length;
    const std::size_t digits = length;
    // `0..1` is a range, not a decimal.
    const bool decimal = at(x_offset + length) == '.' && is_digit(at(x_offset + length + 1));
    if (decimal) {
      ++length;
      while (is_digit(at(x_offset + length))) ++length;
    }
    if (is_letter(at(x_offset + length))) {
      while (is_word(at(x_offset + length))) ++length;
      fail(CompileReason::kBadNumber, span(length), "a number has decimal digits only");
    }
    i128 value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (__builtin_mul_overflow(value, i128{10}, &value) ||
          __builtin_add_overflow(value, i128{at(x_offset + i) - '0'}, &value)) {
        fail(CompileReason::kBadNumber, span(length), "the number does not fit 128 bits");
      }
    }
    Token token = take(decimal ? TokenKind::kDecimal : TokenKind::kNumber, length);
    token.value = value;
    return token;
  }

  std::string_view x_source;
  std::size_t x_offset = 0;
  std::size_t x_line_start = 0;
  std::uint32_t x_line = 1;
};

}  // namespace

std::vector<Token> lex(std::string_view source) {
  if (source.size() > kMaxSourceBytes) {
    fail(CompileReason::kSourceTooLong, {},
         "the source has " + std::to_string(source.size()) + " bytes; the limit is " + std::to_string(kMaxSourceBytes));
  }
  return Lexer(source).run();
}

}  // namespace tally::math
