#include "deterministic_math/executor/fusion.h"

#include <gtest/gtest.h>

#include "tests/support/memory_world.h"

namespace tally::math {
namespace {

std::size_t end_of(const std::string& items, std::size_t item) {
  return fused_end(test::compile_text("program p dim K in 1..8 dim D in 1..8 dim E in 1..8 row u: i32[D] " + items),
                   item);
}

TEST(Fusion, joins_a_rules_advice_and_the_table_that_proves_it) {
  const auto median = test::compile_library_program("median");
  EXPECT_EQ(fused_end(median, 0), 3U);
  EXPECT_EQ(fused_end(test::compile_library_program("trimmed_mean", {{"cut", 1}}), 0), 3U);
}

TEST(Fusion, ends_before_what_reads_other_entries_of_the_run) {
  const std::string a = "table a[d in D]: i32 { return u[0, d] } ";
  EXPECT_EQ(end_of(a + "table b[d in D]: i32 { return a[d] }", 0), 2U);
  EXPECT_EQ(end_of(a + "table b[d in D]: i32 { return a[d-1] }", 0), 1U);
  EXPECT_EQ(end_of(a + "table b[d in D]: i64 { fold e in D { s = s + a[e] } from s = 0 return s }", 0), 1U);
  EXPECT_EQ(end_of(a + "table b[d in D]: i64 { fold e in D { s = s + a[d] } from s = 0 return s }", 0), 2U);
  EXPECT_EQ(end_of(a + "advice b[d in D]: i32 hint kth(e in D: a[e], 0)", 0), 1U);
  EXPECT_EQ(end_of(a + "advice b[d in D]: i32 hint kth(k in K: u[k, d], a[d])", 0), 1U);
  EXPECT_EQ(end_of(a + "advice b[d in D]: i32 hint kth(k in K: u[k, d], 0)", 0), 2U);
}

TEST(Fusion, ends_before_another_shape_a_loop_and_a_scan) {
  const std::string a = "table a[d in D]: i32 { return u[0, d] } ";
  EXPECT_EQ(end_of(a + "table b[e in E]: i32 { return 1 }", 0), 1U);
  EXPECT_EQ(end_of(a + "table b: i32 { return 1 }", 0), 1U);
  EXPECT_EQ(end_of(a + "table b[d in D, e in E]: i32 { return 1 }", 0), 1U);
  EXPECT_EQ(end_of(a + "loop t in E { table b: i32 { return 1 } }", 0), 1U);
  EXPECT_EQ(end_of("table s[d in D]: i64 in 0..100 { return min(s[d-1] + 1, 100) } " + a, 0), 1U);
  EXPECT_EQ(end_of(a + "table s[d in D]: i64 in 0..100 { return min(s[d-1] + 1, 100) }", 0), 1U);
}

}  // namespace
}  // namespace tally::math
