#include "tests/lint/layers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/lint/planted_tree.h"

namespace tally::lint {
namespace {

struct Arrow {
  std::string file;
  std::string include;
  bool allowed = false;
};

TEST(Layers, hold_in_this_source_tree) {
  const auto violations = check_layers(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Layers, top_level_folders_of_this_source_tree_are_those_of_the_design) {
  const auto violations = check_top_level(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Layers, this_source_tree_leaves_nothing_unfinished) {
  const auto violations = check_unfinished(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Layers, accept_what_follows_the_arrows_and_refuse_what_points_against_them) {
  const std::vector<std::string> chain{"deterministic_math", "fraud_proof", "chain_adapter"};
  std::vector<Arrow> arrows;
  for (std::size_t from = 0; from < chain.size(); ++from) {
    for (std::size_t to = 0; to < chain.size(); ++to) arrows.push_back({chain[from], chain[to], to <= from});
    for (const std::string role : {"sequencer", "verifier", "cli"}) {
      arrows.push_back({chain[from], role, false});
      arrows.push_back({role, chain[from], true});
    }
  }
  arrows.insert(arrows.end(), {{"sequencer", "verifier", false},
                               {"verifier", "sequencer", false},
                               {"sequencer", "cli", false},
                               {"cli", "sequencer", true},
                               {"cli", "verifier", true},
                               {"cli", "tests", false},
                               {"fraud_proof", "bench", false},
                               {"tests", "cli", true},
                               {"bench", "fraud_proof", true}});
  for (const Arrow& arrow : arrows) {
    const PlantedTree tree;
    tree.write(arrow.include + "/target.h", "#pragma once\n");
    tree.write(arrow.file + "/user.cpp", "// first line\n#  include \"" + arrow.include + "/target.h\"\n");
    const auto violations = check_layers(tree.root());
    ASSERT_EQ(violations.empty(), arrow.allowed) << arrow.file << " -> " << arrow.include;
    if (!arrow.allowed) {
      EXPECT_EQ(violations[0].file, arrow.file + "/user.cpp");
      EXPECT_EQ(violations[0].line, 2U);
    }
  }
}

TEST(Layers, refuse_relative_missing_and_bracketed_includes) {
  for (const std::string include :
       {"\"near.h\"", "\"../cli/near.h\"", "\"fraud_proof/none.h\"", "<fraud_proof/near.h>"}) {
    const PlantedTree tree;
    tree.write("fraud_proof/near.h", "#pragma once\n");
    tree.write("fraud_proof/user.cpp", "#include " + include + "\n");
    EXPECT_EQ(check_layers(tree.root()).size(), 1U) << include;
  }
}

TEST(Layers, ignore_includes_in_comments_and_strings_and_in_dot_and_build_folders) {
  const PlantedTree tree;
  tree.write("cli/main.h", "#pragma once\n");
  tree.write("fraud_proof/quiet.cpp",
             "// #include \"cli/main.h\"\n/* \n#include \"cli/main.h\"\n*/\n"
             "const char* text = R\"x(\n#include \"cli/main.h\"\n)x\";\n");
  tree.write("build/fraud_proof/generated.cpp", "#include \"cli/main.h\"\n");
  tree.write(".cache/fraud_proof/generated.cpp", "#include \"nowhere.h\"\n");
  EXPECT_EQ(describe(check_layers(tree.root())), "none");
}

TEST(Layers, find_an_extra_top_level_folder) {
  const PlantedTree tree;
  tree.write("fraud_proof/file.h", "");
  tree.write("build/file.h", "");
  tree.write(".ci/run", "");
  EXPECT_EQ(describe(check_top_level(tree.root())), "none");
  tree.write("utilities/file.h", "");
  ASSERT_EQ(check_top_level(tree.root()).size(), 1U);
  EXPECT_EQ(check_top_level(tree.root())[0].file, "utilities");
}

TEST(Layers, find_unfinished_work_in_every_kind_of_text) {
  const std::string word = std::string("TO") + "DO";
  for (const std::string file :
       {"cli/a.h", "cli/a.cpp", "docs/a.md", "CMakeLists.txt", "dev", "x.cmake", "p/a.tally"}) {
    const PlantedTree tree;
    tree.write(file, "first\nsecond " + word + ": later");
    const auto violations = check_unfinished(tree.root());
    ASSERT_EQ(violations.size(), 1U) << file;
    EXPECT_EQ(violations[0].line, 2U);
  }
  const PlantedTree tree;
  tree.write("cli/a.h", "int " + word + "S; int MY_" + word + ";\n");
  EXPECT_EQ(describe(check_unfinished(tree.root())), "none");
}

}  // namespace
}  // namespace tally::lint
