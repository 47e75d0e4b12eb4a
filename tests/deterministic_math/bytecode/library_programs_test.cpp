// Every program that comes with Tallystick passes the validator, at small and at large parameters.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::math {
namespace {

enum class Choice { kLowest, kHighest };

/// The program with each parameter at an end of its range.
std::optional<CompiledProgram> compile_at(const LibraryProgram& program, Choice choice) {
  CompileOptions options;
  options.template_library = template_library();
  const auto parameters = declared_parameters(program.text, options);
  EXPECT_TRUE(parameters.has_value()) << program.name;
  for (const Parameter& parameter : parameters.value_or(std::vector<Parameter>{})) {
    options.parameters[parameter.name] =
        choice == Choice::kLowest ? parameter.range.lo : std::min<i128>(parameter.range.hi, 1000);
  }
  auto compiled = compile(program.text, options);
  if (!compiled) return std::nullopt;
  return std::move(*compiled);
}

TEST(LibraryPrograms, are_valid_and_survive_their_encoding) {
  for (const LibraryProgram& program : library_programs()) {
    std::size_t compiled_count = 0;
    for (const Choice choice : {Choice::kLowest, Choice::kHighest}) {
      const auto compiled = compile_at(program, choice);
      if (!compiled) continue;  // these parameters leave a dim empty
      ++compiled_count;
      const auto valid = validate(compiled->program);
      EXPECT_TRUE(valid.has_value()) << program.name << ": " << describe(valid.error());
      const auto loaded = load_program(encode_program(compiled->program));
      ASSERT_TRUE(loaded.has_value()) << program.name;
      EXPECT_EQ(*loaded, compiled->program) << program.name;
    }
    EXPECT_GT(compiled_count, 0U) << program.name;
  }
}

// `tally program list` shows it.
TEST(LibraryPrograms, say_in_their_first_line_what_they_compute) {
  for (const LibraryProgram& program : library_programs()) {
    const std::string_view line = program.text.substr(0, program.text.find('\n'));
    EXPECT_TRUE(line.starts_with("# ") && line.ends_with('.')) << program.name << ": " << line;
  }
}

TEST(LibraryPrograms, can_be_proved_on_chain_at_the_ends_of_every_parameter_and_dim) {
  for (const LibraryProgram& program : library_programs()) {
    CompileOptions options;
    options.template_library = template_library();
    const auto parameters = declared_parameters(program.text, options);
    ASSERT_TRUE(parameters.has_value()) << program.name;
    for (const bool highest : {false, true}) {
      for (const Parameter& parameter : *parameters) {
        options.parameters[parameter.name] = highest ? parameter.range.hi : parameter.range.lo;
      }
      const auto compiled = compile(program.text, options);
      if (!compiled) continue;  // these parameters leave a dim empty
      for (const std::uint32_t leaf_bytes : {kMinLeafBytes, kMaxLeafBytes}) {
        TaskShape least{{}, leaf_bytes};
        TaskShape most{{}, leaf_bytes};
        for (const Dim& dim : compiled->program.dims) {
          least.dims.push_back(dim.lo);
          most.dims.push_back(dim.hi);
        }
        for (const TaskShape& shape : {least, most}) {
          const auto fits = validate_for_task(compiled->program, shape, std::numeric_limits<std::uint64_t>::max());
          EXPECT_TRUE(fits.has_value()) << program.name << ": " << describe(fits.error());
        }
      }
    }
  }
}

TEST(LibraryPrograms, fit_a_task_of_a_thousand_records_and_a_million_parameters) {
  for (const LibraryProgram& program : library_programs()) {
    const auto compiled = compile_at(program, Choice::kLowest);
    ASSERT_TRUE(compiled.has_value()) << program.name;
    TaskShape shape;
    for (std::size_t dim = 0; dim < compiled->program.dims.size(); ++dim) {
      const Dim& bounds = compiled->program.dims[dim];
      const bool parameters = compiled->names.dims[dim] == "D";
      shape.dims.push_back(std::clamp<std::uint64_t>(parameters ? 1'000'000 : 1000, bounds.lo, bounds.hi));
    }
    const auto fits = validate_for_task(compiled->program, shape, std::uint64_t{1} << 50);
    EXPECT_TRUE(fits.has_value()) << program.name << ": " << describe(fits.error());
  }
}

}  // namespace
}  // namespace tally::math
