// Every reason for which the chain refuses is given by the code, produced by a test and told by the
// specification: for each enumerator of Reason, `Reason::kName` stands in the code outside its own table, and in a
// test, and `Name` in docs/spec.md.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/lint/planted_tree.h"
#include "tests/lint/source_tree.h"

namespace tally::lint {
namespace {

constexpr std::string_view kHeader = "fraud_proof/refusals/reason.h";
constexpr std::string_view kTable = "fraud_proof/refusals/reason.cpp";
constexpr std::string_view kSpecification = "docs/spec.md";

/// The enumerators of `enum class Reason`, in order.
std::vector<Token> enumerators(const std::filesystem::path& root) {
  const std::vector<Token> tokens = parse_cpp(read_text(root / kHeader)).tokens;
  std::vector<Token> found;
  bool inside = false;
  for (std::size_t i = 2; i < tokens.size(); ++i) {
    if (tokens[i - 2].text == "enum" && tokens[i].text == "Reason") inside = true;
    if (!inside) continue;
    if (tokens[i].text == "}") break;
    const bool follows = tokens[i - 1].text == "{" || tokens[i - 1].text == ",";
    if (follows && tokens[i].kind == Token::Kind::kIdentifier) found.push_back(tokens[i]);
  }
  return found;
}

/// The names behind `Reason::` in the C++ files of a tree, apart for code and tests.
struct Uses {
  std::set<std::string> code{};
  std::set<std::string> tests{};
};

Uses uses(const std::filesystem::path& root) {
  Uses uses;
  for (const std::string& file : list_files(root)) {
    if (!is_cpp(file) || file == kTable) continue;
    const std::vector<Token> tokens = parse_cpp(read_text(root / file)).tokens;
    auto& names = first_folder(file) == "tests" ? uses.tests : uses.code;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i].text != "Reason") continue;
      std::size_t next = i + 1;
      while (next < tokens.size() && tokens[next].text.find_first_not_of(':') == std::string::npos) ++next;
      if (next > i + 1 && next < tokens.size()) names.insert(tokens[next].text);
    }
  }
  return uses;
}

std::vector<Violation> check_reasons(const std::filesystem::path& root) {
  const Uses found = uses(root);
  const std::string specification = read_text(root / kSpecification);
  std::vector<Violation> violations;
  for (const Token& reason : enumerators(root)) {
    if (!std::regex_search(specification, std::regex("\\b" + reason.text.substr(1) + "\\b"))) {
      violations.push_back({std::string(kHeader), reason.line, reason.text + " is not in the specification"});
    }
    if (!found.code.contains(reason.text)) {
      violations.push_back({std::string(kHeader), reason.line, reason.text + " is never given"});
    }
    if (!found.tests.contains(reason.text)) {
      violations.push_back({std::string(kHeader), reason.line, reason.text + " is produced by no test"});
    }
  }
  return violations;
}

// Pitfall 31.
TEST(Reasons, are_all_given_tested_and_told_in_this_source_tree) {
  EXPECT_GT(enumerators(TALLY_SOURCE_DIR).size(), 100U);
  const auto violations = check_reasons(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Reasons, that_are_not_given_not_tested_or_not_told_are_found) {
  const PlantedTree tree;
  tree.write(kHeader,
             "enum class Reason : int {\n  kGood = 1,  // a comment, kNone\n  kUnused = 2,\n  kUntested = 3,\n  "
             "kUntold = 4,\n};");
  tree.write(kSpecification, "Good, Unused, Untested where nothing else holds; UntoldAsWell.");
  tree.write(kTable, "ReasonName{Reason::kUnused}");
  tree.write("fraud_proof/a.cpp",
             "refuse(Reason::kGood); refuse(Reason::kUntested); refuse(Reason::kUntold); // Reason::kUnused");
  tree.write(
      "tests/a_test.cpp",
      "refused(x, Reason::kGood); refused(x, Reason::kUnused); refused(x, Reason::kUntold); f(\"Reason::kUntested\");");
  ASSERT_EQ(enumerators(tree.root()).size(), 4U);
  const auto violations = check_reasons(tree.root());
  ASSERT_EQ(violations.size(), 3U) << describe(violations);
  EXPECT_EQ(violations[0].message, "kUnused is never given");
  EXPECT_EQ(violations[0].line, 3U);
  EXPECT_EQ(violations[1].message, "kUntested is produced by no test");
  EXPECT_EQ(violations[2].message, "kUntold is not in the specification");
}

}  // namespace
}  // namespace tally::lint
