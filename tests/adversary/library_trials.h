// Every program of the library on trial, and one with everything, in several shapes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/everything_program.h"
#include "tests/support/library_shapes.h"
#include "tests/support/memory_world.h"
#include "tests/support/trial_world.h"

namespace tally::test {

struct TrialShape {
  ShapeOptions dims;
  std::uint32_t leaf_bytes;
  std::uint16_t arity;
  std::uint64_t number;
  bool has_keepers = false;
};

inline constexpr std::array kTrialShapes = {
    TrialShape{{.records = 5, .length = 40, .above_least = 2}, 64, 32, 1},
    TrialShape{{.records = 2, .length = 3, .above_least = 0}, 64, 2, 2},
    TrialShape{{.records = 7, .length = 17, .above_least = 1}, 128, 3, 2, true},
    TrialShape{{.records = 3, .length = 70, .above_least = 3}, 256, 5, 1},
    TrialShape{{.records = 4, .length = 66, .above_least = 1}, 64, 64, 1, true},
};

/// The least that there is: no record, and one, where the program may have so few; every dim at its least, D 1.
inline constexpr std::array kLeastShapes = {
    TrialShape{{.records = 0, .length = 1, .above_least = 0, .apart = 0}, 64, 64, 2},
    TrialShape{{.records = 1, .length = 1, .above_least = 0, .apart = 0}, 64, 2, 1, true},
};

/// Of the library, and the one with everything.
inline constexpr std::string_view kEverythingName = "everything";

[[nodiscard]] inline std::vector<std::string> trial_names() {
  std::vector<std::string> names = {std::string(kEverythingName)};
  for (const math::LibraryProgram& program : math::library_programs()) names.emplace_back(program.name);
  return names;
}

[[nodiscard]] inline TrialOptions trial_options(const std::string& name, const TrialShape& shape) {
  const auto library = math::find_library_program(name);
  TrialOptions options{.program = library ? name : std::string(kEverything),
                       .parameters = library ? parameters_of(*library) : std::map<std::string, math::i128>{},
                       .dims = {},
                       .leaf_bytes = shape.leaf_bytes,
                       .arity = shape.arity,
                       .number = shape.number,
                       .has_keepers = shape.has_keepers};
  const std::string text = library ? std::string(library->text) : options.program;
  options.dims = dims_of(compile_text(text, options.parameters), shape.dims);
  return options;
}

}  // namespace tally::test
