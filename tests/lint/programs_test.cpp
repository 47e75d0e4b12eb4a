// Every program of the library has a test of its own: its name stands in quotes in a test of programs.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/lint/planted_tree.h"
#include "tests/lint/source_tree.h"

namespace tally::lint {
namespace {

constexpr std::string_view kPrograms = "deterministic_math/programs/";
constexpr std::string_view kPieces = "deterministic_math/programs/lib/";  // parts that programs import
constexpr std::string_view kTests = "tests/deterministic_math/programs/";

std::vector<Violation> check_programs(const std::filesystem::path& root) {
  const std::vector<std::string> files = list_files(root);
  std::string tests;
  for (const std::string& file : files) {
    if (file.starts_with(kTests) && is_cpp(file)) tests += read_text(root / file);
  }
  std::vector<Violation> violations;
  for (const std::string& file : files) {
    const std::filesystem::path path(file);
    if (!file.starts_with(kPrograms) || file.starts_with(kPieces) || path.extension() != ".tally") continue;
    if (tests.contains('"' + path.stem().string() + '"')) continue;
    violations.push_back({file, 1, "no test of " + std::string(kTests) + " names the program"});
  }
  return violations;
}

TEST(Programs, are_all_tested_in_this_source_tree) {
  const auto violations = check_programs(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Programs, that_no_test_names_are_found) {
  const PlantedTree tree;
  tree.write("deterministic_math/programs/rules/mean.tally", "program mean");
  tree.write("deterministic_math/programs/rules/mode.tally", "program mode");
  tree.write("deterministic_math/programs/lib/sum.tally", "fn sum");
  tree.write("tests/deterministic_math/programs/a_test.cpp", "compile(\"mean\"); // mode");
  const auto violations = check_programs(tree.root());
  ASSERT_EQ(violations.size(), 1U) << describe(violations);
  EXPECT_EQ(violations[0].file, "deterministic_math/programs/rules/mode.tally");
}

}  // namespace
}  // namespace tally::lint
