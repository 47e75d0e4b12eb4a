// From tokens to the syntax tree. The grammar is in docs/spec.md.
#pragma once

#include <string_view>

#include "deterministic_math/language/syntax.h"

namespace tally::math {

/// Parses a program, or a library of templates. The result's names are views of `source`. Throws CompileFailure.
[[nodiscard]] Syntax parse(std::string_view source);

/// Words that only the grammar uses.
[[nodiscard]] bool is_keyword(std::string_view word);

/// Keywords, types and built-ins, which no program may declare.
[[nodiscard]] bool is_reserved(std::string_view name);

}  // namespace tally::math
