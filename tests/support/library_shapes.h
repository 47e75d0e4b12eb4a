// Parameters and dims that make each program of the library do something in a batch of a few records.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::test {

/// Small values, whatever program has the parameter.
[[nodiscard]] std::map<std::string, math::i128> parameters_of(const math::LibraryProgram& program);

struct ShapeOptions {
  std::uint64_t records = 5;  // at least
  std::uint64_t length = 40;  // of dim D
  /// Added to the least of every dim but D; and `apart` for each dim before it.
  std::uint64_t above_least = 2;
  std::uint64_t apart = 10;
};

/// All dims, K first.
[[nodiscard]] std::vector<std::uint64_t> dims_of(const math::CompiledProgram& program, const ShapeOptions& options);

}  // namespace tally::test
