#include "deterministic_math/language/diagnostics.h"

#include <algorithm>

#include "deterministic_math/numbers/int128.h"

namespace tally::math {

void fail(CompileReason reason, const SourceSpan& span, std::string message) {
  throw CompileFailure{reason, span, std::move(message)};
}

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

std::string to_string(const Range& range) { return to_string(range.lo) + ".." + to_string(range.hi); }

SourceSpan join(const SourceSpan& first, const SourceSpan& last) {
  SourceSpan span = first;
  if (first.line == last.line && last.column >= first.column) span.length = last.column + last.length - first.column;
  return span;
}

namespace {

/// Longer lines are shown in part.
constexpr std::size_t kMaxListedLine = 160;

std::string_view line_text(std::string_view source, std::uint32_t line) {
  std::size_t start = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = source.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  std::string_view text = source.substr(start, source.find('\n', start) - start);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

CompileError to_error(const CompileFailure& failure, std::string_view source, std::string_view file_name,
                      std::size_t own_lines) {
  const SourceSpan& span = failure.span;
  std::string listing(file_name);
  if (span.line > own_lines) listing += " (templates written in)";
  listing += ':' + std::to_string(span.line) + ':' + std::to_string(span.column) + ": error: " + failure.message + '\n';
  std::string_view text = line_text(source, span.line);
  std::size_t column = span.column - 1;
  if (text.size() > kMaxListedLine) {
    const std::size_t cut = std::min(text.size(), column > kMaxListedLine / 2 ? column - kMaxListedLine / 2 : 0);
    text = text.substr(cut, kMaxListedLine);
    column -= cut;
  }
  listing += "    " + std::string(text) + "\n    ";
  // Tabs are kept, so that the caret stands under the place however wide they are shown.
  for (std::size_t i = 0; i < column; ++i) listing += i < text.size() && text[i] == '\t' ? '\t' : ' ';
  listing += '^';
  const std::size_t room = text.size() > column ? text.size() - column - 1 : 0;
  if (span.length > 1) listing.append(std::min<std::size_t>(span.length - 1, room), '~');
  listing += '\n';
  return {failure.reason, span, failure.message, std::move(listing)};
}

}  // namespace tally::math
