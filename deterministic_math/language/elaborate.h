// From a syntax tree to a compiled program: items in order, templates expanded, each body proved before the next.
#pragma once

#include <vector>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/language/syntax.h"

namespace tally::math {

/// Where the items of a compiled program stand in the text, for errors found later.
struct ItemPlaces {
  std::vector<SourceSpan> items;
  SourceSpan program;
};

/// All but CompiledProgram::source. Throws CompileFailure.
[[nodiscard]] CompiledProgram elaborate(const Syntax& syntax, const CompileOptions& options, ItemPlaces& places);

/// See declared_parameters(). Throws CompileFailure.
[[nodiscard]] std::vector<Parameter> elaborate_parameters(const Syntax& syntax, const CompileOptions& options);

}  // namespace tally::math
