// How the compiler's passes refuse a program.
//
// A recursive descent over outside text can fail at every one of its calls. Inside language/ a refusal therefore
// unwinds as a CompileFailure, which compile() and declared_parameters() catch and turn into the CompileError of their
// std::expected; it never leaves this folder.
#pragma once

#include <string>
#include <string_view>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/language/reasons.h"

namespace tally::math {

struct CompileFailure {
  CompileReason reason;
  SourceSpan span;
  std::string message;
};

[[noreturn]] void fail(CompileReason reason, const SourceSpan& span, std::string message);

/// "`name`", as messages quote source text.
[[nodiscard]] std::string quoted(std::string_view name);

/// "lo..hi"
[[nodiscard]] std::string to_string(const Range& range);

/// The span from the start of `first` to the end of `last`, cut at the end of first's line.
[[nodiscard]] SourceSpan join(const SourceSpan& first, const SourceSpan& last);

/// The error with its listing. Lines after the first `own_lines` were written in from the template library.
[[nodiscard]] CompileError to_error(const CompileFailure& failure, std::string_view source, std::string_view file_name,
                                    std::size_t own_lines);

}  // namespace tally::math
