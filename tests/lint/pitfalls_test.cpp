// docs/pitfalls.md lists what audits found in dispute systems, by numbers. Each line names the tests that rule it out,
// which say so (`pitfall_7` in a name, or `Pitfall 7` in a comment right above a test or within it), or tells why it
// does not apply.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/lint/planted_tree.h"
#include "tests/lint/source_tree.h"

namespace tally::lint {
namespace {

constexpr std::string_view kList = "docs/pitfalls.md";
constexpr std::string_view kThis = "tests/lint/pitfalls_test.cpp";
constexpr int kPitfalls = 40;

struct Mentions {
  std::map<std::string, std::set<int>> by_file{};
  std::vector<Violation> wrong{};
};

/// Whether each line belongs to a test: to the comment right above it, its name or its body.
std::vector<bool> lines_of_tests(const std::vector<std::string>& lines) {
  const std::regex begin(R"(^(TYPED_)?TEST(_F|_P)?\(|^RC_GTEST_(FIXTURE_)?PROP\()");
  std::vector<bool> of_tests(lines.size());
  bool inside = false;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    if (std::regex_search(lines[line], begin)) {
      inside = true;
      for (std::size_t above = line; above > 0 && lines[above - 1].starts_with("//"); --above)
        of_tests[above - 1] = true;
    }
    of_tests[line] = of_tests[line] || inside;
    if (lines[line] == "}") inside = false;
  }
  return of_tests;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::istringstream text(read_text(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Mentions mentions(const std::filesystem::path& root) {
  const std::regex any(R"(pitfall(s?)[ _](\d+))", std::regex::icase);
  Mentions found;
  for (const std::string& file : list_files(root)) {
    if (first_folder(file) != "tests" || !is_cpp(file) || file == kThis) continue;
    const std::vector<std::string> lines = lines_of(root / file);
    const std::vector<bool> of_tests = lines_of_tests(lines);
    for (std::size_t line = 0; line < lines.size(); ++line) {
      for (std::sregex_iterator at(lines[line].begin(), lines[line].end(), any), end; at != end; ++at) {
        const std::string mention = at->str();
        if (!mention.substr(1).starts_with("itfall") || (*at)[1].length() != 0) {
          found.wrong.push_back({file, line + 1, "'" + mention + "' is to be written 'Pitfall N' or 'pitfall_N'"});
        } else if (!of_tests[line]) {
          found.wrong.push_back({file, line + 1, "'" + mention + "' stands neither right above a test nor within one"});
        } else {
          found.by_file[file].insert(std::stoi((*at)[2]));
        }
      }
    }
  }
  return found;
}

/// The last column of each row, by the number in the first.
std::map<int, std::vector<std::string>> rows(const std::filesystem::path& root) {
  const std::regex row(R"((?:^|\n)\| (\d+) \|[^\n]*\| ([^|\n]+) \|(?=\n|$))");
  const std::string text = read_text(root / kList);
  std::map<int, std::vector<std::string>> found;
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at) {
    found[std::stoi((*at)[1])].push_back((*at)[2]);
  }
  return found;
}

std::vector<std::string> files_in(const std::string& cell) {
  const std::regex path("`([^`]+)`");
  std::vector<std::string> files;
  for (std::sregex_iterator at(cell.begin(), cell.end(), path), end; at != end; ++at)
    files.push_back("tests/" + (*at)[1].str());
  return files;
}

std::vector<Violation> check_pitfalls(const std::filesystem::path& root) {
  Mentions found = mentions(root);
  std::vector<Violation> violations = std::move(found.wrong);
  const auto listed = rows(root);
  const auto violate = [&](int number, const std::string& message) {
    violations.push_back({std::string(kList), 1, std::to_string(number) + " " + message});
  };
  for (int number = 1; number <= kPitfalls; ++number) {
    const auto row = listed.find(number);
    if (row == listed.end() || row->second.size() != 1) {
      violate(number, "has not one row");
      continue;
    }
    const std::vector<std::string> files = files_in(row->second.front());
    for (const std::string& file : files) {
      if (!found.by_file[file].contains(number)) violate(number, "is not named in " + file);
    }
    if (!files.empty()) continue;
    for (const auto& [file, numbers] : found.by_file) {
      if (numbers.contains(number)) violate(number, "has a test after all, in " + file);
    }
  }
  for (const auto& [number, cells] : listed) {
    if (number < 1 || number > kPitfalls) violate(number, "is no pitfall");
  }
  return violations;
}

TEST(Pitfalls, are_each_ruled_out_by_a_test_or_explained) {
  const auto violations = check_pitfalls(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Pitfalls, without_test_or_reason_are_found) {
  const PlantedTree tree;
  std::string list;
  for (int number = 1; number <= kPitfalls; ++number) {
    if (number != 3) list += "| " + std::to_string(number) + " | what | there is no such thing |\n";
  }
  list += "| 41 | what | none |\n";
  const std::string row = "| 2 | what | there is no such thing |\n";
  list.replace(list.find(row), row.size(), "| 2 | what | `a_test.cpp`, `b_test.cpp` |\n");
  tree.write(kList, list);
  tree.write("tests/a_test.cpp", R"(// Pitfall 5: of nothing.

// Pitfall 2: no.
TEST(A, is_one) {
}
TEST_F(A, pitfall_4_is_none) {
  // PITFALLS 20
}
)");
  const auto violations = check_pitfalls(tree.root());
  ASSERT_EQ(violations.size(), 6U) << describe(violations);
  EXPECT_EQ(violations[0].message, "'Pitfall 5' stands neither right above a test nor within one");
  EXPECT_EQ(violations[1].message, "'PITFALLS 20' is to be written 'Pitfall N' or 'pitfall_N'");
  EXPECT_EQ(violations[2].message, "2 is not named in tests/b_test.cpp");
  EXPECT_EQ(violations[3].message, "3 has not one row");
  EXPECT_EQ(violations[4].message, "4 has a test after all, in tests/a_test.cpp");
  EXPECT_EQ(violations[5].message, "41 is no pitfall");
}

}  // namespace
}  // namespace tally::lint
