// Compiles texts in tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/language/reasons.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::math::test {

using Parameters = std::map<std::string, i128>;

inline CompileOptions options_with(Parameters parameters) {
  CompileOptions options;
  options.file_name = "test.tally";
  options.parameters = std::move(parameters);
  options.template_library = template_library();
  return options;
}

/// The compiled program; a failed test and an empty one where it does not compile.
inline CompiledProgram compiled(std::string_view source, Parameters parameters = {}) {
  auto result = compile(source, options_with(std::move(parameters)));
  if (!result) {
    ADD_FAILURE() << result.error().listing;
    return {};
  }
  return std::move(*result);
}

inline std::string exemplar(const std::string& name) {
  std::ifstream file(std::string(TALLY_SOURCE_DIR) + "/tests/deterministic_math/language/programs/" + name + ".tally");
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The object with that name; the test fails where there is none.
inline const Object& object_named(const CompiledProgram& program, std::string_view name) {
  for (std::size_t i = 0; i < program.names.objects.size(); ++i) {
    if (program.names.objects[i] == name) return program.program.objects[i];
  }
  ADD_FAILURE() << "no object " << name;
  return program.program.objects.at(0);
}

}  // namespace tally::math::test
