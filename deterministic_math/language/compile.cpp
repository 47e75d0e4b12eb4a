#include "deterministic_math/language/compile.h"

#include <algorithm>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/elaborate.h"
#include "deterministic_math/language/expand.h"
#include "deterministic_math/language/parser.h"
#include "deterministic_math/language/proving.h"

namespace tally::math {
namespace {

std::size_t line_count(std::string_view source) {
  return static_cast<std::size_t>(std::ranges::count(source, '\n')) + 1;
}

/// The source with the library's templates, or the error in whichever text it is.
std::expected<std::string, CompileError> write_in(std::string_view source, const CompileOptions& options) {
  try {
    static_cast<void>(parse(source));
  } catch (const CompileFailure& failure) {
    return std::unexpected(to_error(failure, source, options.file_name, line_count(source)));
  }
  try {
    return with_library(source, options.template_library);
  } catch (const CompileFailure& failure) {
    const std::string_view library = options.template_library;
    return std::unexpected(to_error(failure, library, "template library", line_count(library)));
  }
}

}  // namespace

std::expected<CompiledProgram, CompileError> compile(std::string_view source, const CompileOptions& options) {
  auto complete = write_in(source, options);
  if (!complete) return std::unexpected(std::move(complete.error()));
  try {
    const Syntax syntax = parse(*complete);
    ItemPlaces places;
    CompiledProgram compiled = elaborate(syntax, options, places);
    check_valid(compiled.program, places);
    compiled.source = std::move(*complete);
    return compiled;
  } catch (const CompileFailure& failure) {
    return std::unexpected(to_error(failure, *complete, options.file_name, line_count(source)));
  }
}

std::expected<std::vector<Parameter>, CompileError> declared_parameters(std::string_view source,
                                                                        const CompileOptions& options) {
  try {
    const Syntax syntax = parse(source);
    return elaborate_parameters(syntax, options);
  } catch (const CompileFailure& failure) {
    return std::unexpected(to_error(failure, source, options.file_name, line_count(source)));
  }
}

}  // namespace tally::math
