#include <gtest/gtest.h>

#include <string>

#include "tests/lint/core_purity.h"
#include "tests/lint/planted_tree.h"

namespace tally::lint {
namespace {

std::size_t floats_in(const std::string& file, const std::string& text) {
  const PlantedTree tree;
  tree.write(file, text);
  return check_floats(tree.root()).size();
}

std::size_t impurities_in(const std::string& file, const std::string& text) {
  const PlantedTree tree;
  tree.write(file, text);
  return check_core_purity(tree.root()).size();
}

TEST(Floats, are_absent_from_the_core_of_this_source_tree) {
  const auto violations = check_floats(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(CorePurity, holds_in_this_source_tree) {
  const auto violations = check_core_purity(TALLY_SOURCE_DIR);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Floats, are_found_as_types_literals_and_headers) {
  for (const std::string text :
       {"float x;", "long double f();", "auto x = 1.5;", "auto x = .5;", "auto x = 1e9;", "auto x = 1.f;",
        "auto x = 2.;", "auto x = 1'000.0;", "auto x = 0x1p-3;", "#include <cmath>", "#include <math.h>",
        "using t = _Float16;", "#define HALF 0.5", "static_cast<double>(n)", "/* a */ double x; // b"}) {
    EXPECT_EQ(floats_in("deterministic_math/a.h", text + "\n"), 1U) << text;
    EXPECT_EQ(floats_in("fraud_proof/deep/a.cpp", text + "\n"), 1U) << text;
  }
}

TEST(Floats, are_not_seen_where_there_are_none) {
  for (const std::string text :
       {"// a float 1.5", "/* double\n 2.5 */", "const char* t = \"float 1.5 \\\" double\";", "int x = 0xfeed;",
        "int x = 0xE + 0x1f;", "int floats = 1'000'000;", "char c = '\\''; int e1 = 3;", "const char* t = R\"(1.5)\";",
        "a.b(1, 2)", "auto v = pair.first;", "f(args...)", "int x = 1u + 2ull;"}) {
    EXPECT_EQ(floats_in("fraud_proof/a.h", text + "\n"), 0U) << text;
  }
}

TEST(Floats, are_allowed_in_the_quantiser_and_outside_the_core_only) {
  EXPECT_EQ(floats_in("deterministic_math/numbers/quantiser.cpp", "float x = 1.5F;\n"), 0U);
  EXPECT_EQ(floats_in("sequencer/trainer/npy.cpp", "float x;\n"), 0U);
  EXPECT_EQ(floats_in("fraud_proof/numbers/quantiser.cpp", "float x;\n"), 1U);
  EXPECT_EQ(floats_in("deterministic_math/numbers/quantiser_extra.cpp", "float x;\n"), 1U);
}

TEST(Floats, are_reported_with_file_and_line) {
  const PlantedTree tree;
  tree.write("fraud_proof/a.cpp", "int a;\n/* two\nthree */\nconst char* s = \"x\";\nfloat b;\n");
  const auto violations = check_floats(tree.root());
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(describe(violations), "fraud_proof/a.cpp:5: uses float\n");
}

TEST(CorePurity, finds_clocks_randomness_files_and_unordered_containers) {
  for (const std::string text :
       {"#include <chrono>", "#include <random>", "#include <fstream>", "#include <iostream>", "#include <filesystem>",
        "#include <thread>", "#include <mutex>", "std::unordered_map<int, int> m;", "for (int x : unordered_set) {}",
        "auto t = steady_clock::now();", "int x = rand();", "const char* home = getenv(\"HOME\");"}) {
    EXPECT_EQ(impurities_in("deterministic_math/a.cpp", text + "\n"), 1U) << text;
    EXPECT_EQ(impurities_in("sequencer/a.cpp", text + "\n"), 0U) << text;
  }
}

TEST(CorePurity, allows_threads_in_the_task_pool_only) {
  EXPECT_EQ(impurities_in("deterministic_math/executor/task_pool.cpp", "#include <thread>\n"), 0U);
  EXPECT_EQ(impurities_in("deterministic_math/executor/task_pool.cpp", "#include <chrono>\n"), 1U);
  EXPECT_EQ(impurities_in("deterministic_math/executor/fold.cpp", "#include <thread>\n"), 1U);
}

}  // namespace
}  // namespace tally::lint
