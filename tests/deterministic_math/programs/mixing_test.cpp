// Bucketing and nearest-neighbour mixing before a rule: the mixed vectors against plain loops, and the rule's own
// program on what they give.
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

constexpr i128 kSeedHigh = 0x1122334455667788;
constexpr i128 kSeedLow = -99;

Case seeded(Case c) {
  c.seed_high = kSeedHigh;
  c.seed_low = kSeedLow;
  return c;
}

// The rule's own program on the mixed updates gives what the program that mixes first gives.
void expect_same(const math::CompiledProgram& mixing, const Case& c, const math::CompiledProgram& rule,
                 const Case& mixed) {
  const Outcome outcome = run_world(mixing, seeded(c).world());
  ASSERT_FALSE(outcome.failed.has_value());
  EXPECT_EQ(run_world(mixing, seeded(c).world(), 3).tables, outcome.tables);
  EXPECT_EQ(outcome.tables.at("next_model"), run_case(rule, mixed).at("next_model"));
}

TEST(Bucketing, gives_the_rule_the_means_of_a_seeded_partition) {
  for (const std::size_t size : {1U, 2U, 3U}) {
    const auto median = compile_library_program("bucketing_median", {{"size", size}});
    const auto trimmed = compile_library_program("bucketing_trimmed_mean", {{"size", size}, {"cut", 1}});
    const auto krum = compile_library_program("bucketing_krum", {{"size", size}, {"f", 1}});
    const auto rule_median = compile_library_program("median");
    const auto rule_trimmed = compile_library_program("trimmed_mean", {{"cut", 1}});
    const auto rule_krum = compile_library_program("krum", {{"f", 1}});
    for_each_case({4 * size + 1, 4 * size + 2, 13}, [&](const Case& c) {
      const Case mixed = bucketed(seeded(c), size);
      expect_same(median, c, rule_median, mixed);
      expect_same(trimmed, c, rule_trimmed, mixed);
      expect_same(krum, c, rule_krum, mixed);
    });
  }
}

TEST(Bucketing, takes_one_record_and_a_bucket_that_is_not_full) {
  const auto median = compile_library_program("bucketing_median", {{"size", 5}});
  for_each_case({1, 4, 6}, [&](const Case& c) {
    expect_same(median, c, compile_library_program("median"), bucketed(seeded(c), 5));
  });
}

TEST(NeighbourMixing, gives_the_rule_the_means_of_the_nearest) {
  for (const std::size_t f : {0U, 1U, 3U}) {
    const auto median = compile_library_program("neighbour_mixing_median", {{"f", f}});
    const auto trimmed = compile_library_program("neighbour_mixing_trimmed_mean", {{"f", f}});
    const auto krum = compile_library_program("neighbour_mixing_krum", {{"f", f}});
    const auto rule_median = compile_library_program("median");
    const auto rule_trimmed = compile_library_program("trimmed_mean", {{"cut", f}});
    const auto rule_krum = compile_library_program("krum", {{"f", f}});
    for_each_case({2 * f + 3, 2 * f + 4, 2 * f + 8}, [&](const Case& c) {
      const Case mixed = mixed_with_neighbours(c, f);
      expect_same(median, c, rule_median, mixed);
      expect_same(trimmed, c, rule_trimmed, mixed);
      expect_same(krum, c, rule_krum, mixed);
    });
  }
}

TEST(NeighbourMixing, leaves_out_f_updates_far_away) {
  Case c = published({1, 2, 3, 4, 5});
  c.updates[4] = {kI32Hi};
  const auto program = compile_library_program("neighbour_mixing_median", {{"f", 1}});
  EXPECT_EQ(run_case(program, c).at("near.mixed")[0], i128{5} << 15);  // (1 + 2 + 3 + 4) / 4
}

// Any rule template works on what a mixing template gives: here the geometric median of buckets.
TEST(Bucketing, goes_before_any_rule_template) {
  const auto program = compile_text(R"(
program bucketing_geometric_median
dim K in 1..4096
dim D <= 1<<24
row updates: i32[D]
state model: i32[D]
fn update(k, d) = updates[k, d]
fn one(b) = 1
use bucketing(K, D, update, 2) as buckets
fn mixed(b, d) = buckets.mixed[b, d]
use geometric_median_of(K, D, mixed, buckets.present, one, 1<<16, 4) as median
table next_model[d in D]: i32 { return clamp(model[d] + median.centre(d), i32) }
next model = next_model
)");
  const auto rule = compile_library_program("geometric_median", {{"smoothing", 1 << 16}, {"rounds", 4}});
  for_each_case({1, 6, 9}, [&](const Case& c) {
    Case mixed = bucketed(seeded(c), 2);
    mixed.examples.assign(mixed.records, 1);
    expect_same(program, c, rule, mixed);
  });
}

}  // namespace
}  // namespace tally::test
