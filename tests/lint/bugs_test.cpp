// Each part of the protocol has a bug in tests/bugs, and each of its tests exists, so that `./dev bugs` can see it
// fail.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/lint/planted_tree.h"
#include "tests/lint/source_tree.h"

namespace tally::lint {
namespace {

constexpr std::string_view kBugs = "tests/bugs/";
constexpr std::array<std::string_view, 17> kAreas = {"interpreter",   "executor",
                                                     "witness check", "Merkle",
                                                     "boundary rule", "clock",
                                                     "bonds",         "sibling order",
                                                     "payouts",       "availability deadlines",
                                                     "record checks", "validator",
                                                     "descent",       "admission",
                                                     "finaliser",     "watchtower memory",
                                                     "records order"};

/// What stands behind `Name: ` in the lines before the patch itself.
std::vector<std::string> fields(const std::string& text, const std::string& name) {
  const std::string header = text.substr(0, text.find("\n--- "));
  const std::regex line("(^|\n)" + name + ": ([^\n]+)");
  std::vector<std::string> found;
  for (std::sregex_iterator at(header.begin(), header.end(), line), end; at != end; ++at) found.push_back((*at)[2]);
  return found;
}

/// `Suite.name` of each test below `root`.
std::set<std::string> tests_of(const std::filesystem::path& root) {
  const std::regex macro(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> tests;
  for (const std::string& file : list_files(root)) {
    if (first_folder(file) != "tests" || !is_cpp(file)) continue;
    const std::string text = read_text(root / file);
    for (std::sregex_iterator at(text.begin(), text.end(), macro), end; at != end; ++at) {
      tests.insert((*at)[1].str() + "." + (*at)[2].str());
    }
  }
  return tests;
}

/// `Suite.name` of a test, or of one of a parameterised test's (`Prefix/Suite.name/value`).
std::string plain_name(const std::string& test) {
  const std::regex parts(R"((?:\w+/)?(\w+\.\w+)(?:/\w+)?)");
  std::smatch match;
  return std::regex_match(test, match, parts) ? match[1].str() : std::string();
}

std::vector<Violation> check_bugs(const std::filesystem::path& root) {
  const std::set<std::string> tests = tests_of(root);
  std::set<std::string> areas;
  std::vector<Violation> violations;
  for (const std::string& file : list_files(root)) {
    if (!file.starts_with(kBugs) || !file.ends_with(".patch")) continue;
    const std::string text = read_text(root / file);
    for (const char* const name : {"Area", "Why", "Target"}) {
      if (fields(text, name).size() != 1) violations.push_back({file, 1, std::string("needs one line ") + name});
    }
    for (const std::string& area : fields(text, "Area")) areas.insert(area);
    if (fields(text, "Test").empty()) violations.push_back({file, 1, "names no test"});
    for (const std::string& test : fields(text, "Test")) {
      if (!tests.contains(plain_name(test))) violations.push_back({file, 1, "there is no test " + test});
    }
  }
  for (const std::string_view area : kAreas) {
    if (!areas.contains(std::string(area))) {
      violations.push_back({std::string(kBugs), 1, "no bug in: " + std::string(area)});
    }
  }
  return violations;
}

// Pitfall 32: tests that would pass whatever the code does.
TEST(Bugs, are_planted_in_every_part_for_tests_that_are_there) {
  const auto violations = check_bugs(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Bugs, without_tests_or_parts_without_bugs_are_found) {
  const PlantedTree tree;
  tree.write("tests/a_test.cpp", "TEST_P(Clocks, tick) {}");
  for (const std::string_view area : kAreas) {
    tree.write(std::string(kBugs) + std::string(area) + ".patch",
               "Area: " + std::string(area) +
                   "\nWhy: it slips\nTarget: tests\nTest: Clocks.tick\nTest: All/Clocks.tick/7\n\n--- a/x\n");
  }
  EXPECT_TRUE(check_bugs(tree.root()).empty()) << describe(check_bugs(tree.root()));
  tree.write("tests/bugs/clock.patch", "Area: time\nWhy: it slips\nTest: Clocks.tock\n\n--- a/x\nTarget: tests\n");
  const auto violations = check_bugs(tree.root());
  ASSERT_EQ(violations.size(), 3U) << describe(violations);
  EXPECT_EQ(violations[0].message, "needs one line Target");
  EXPECT_EQ(violations[1].message, "there is no test Clocks.tock");
  EXPECT_EQ(violations[2].message, "no bug in: clock");
}

}  // namespace
}  // namespace tally::lint
