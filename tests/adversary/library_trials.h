// Every program of the library on trial, in several shapes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/library_shapes.h"
#include "tests/support/memory_world.h"
#include "tests/support/trial_world.h"

namespace tally::test {

struct TrialShape {
  ShapeOptions dims;
  std::uint32_t leaf_bytes;
  std::uint16_t arity;
  std::uint64_t number;
};

inline constexpr std::array kTrialShapes = {
    TrialShape{{.records = 5, .length = 40, .above_least = 2}, 64, 32, 1},
    TrialShape{{.records = 2, .length = 3, .above_least = 0}, 64, 2, 2},
    TrialShape{{.records = 7, .length = 17, .above_least = 1}, 128, 3, 2},
    TrialShape{{.records = 3, .length = 70, .above_least = 3}, 256, 5, 1},
};

[[nodiscard]] inline std::vector<std::string> library_names() {
  std::vector<std::string> names;
  for (const math::LibraryProgram& program : math::library_programs()) names.emplace_back(program.name);
  return names;
}

[[nodiscard]] inline TrialOptions library_trial(const std::string& program, const TrialShape& shape) {
  const auto parameters = parameters_of(math::find_library_program(program).value());
  return {.program = program,
          .parameters = parameters,
          .dims = dims_of(compile_library_program(program, parameters), shape.dims),
          .leaf_bytes = shape.leaf_bytes,
          .arity = shape.arity,
          .number = shape.number};
}

}  // namespace tally::test
