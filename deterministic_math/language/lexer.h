// Cuts source text into tokens. `#` starts a comment; white space separates tokens and has no other meaning.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::math {

enum class TokenKind : std::uint8_t { kIdentifier, kNumber, kDecimal, kPunctuation, kEnd };

/// `text` is a view of the source; `offset` is where it starts there. `value` is a number's.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  SourceSpan span;
  std::size_t offset = 0;
  i128 value = 0;
};

/// The source's tokens; the last one has kind kEnd. Throws CompileFailure.
[[nodiscard]] std::vector<Token> lex(std::string_view source);

}  // namespace tally::math
