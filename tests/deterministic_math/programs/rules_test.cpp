// Averages, order statistics, norm clipping and Krum against exact oracles that share nothing with the programs. Worlds
// cover ties, K = 1, 2, even and odd, and the extremes of i32.

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

TEST(FedAvg, equals_the_exact_weighted_mean) {
  const auto program = compile_library_program("fedavg");
  for_each_case({1, 2, 3, 10, 65}, [&](const Case& c) { expect_model(program, c, fedavg_model(c)); });
}

TEST(FedAvg, does_not_depend_on_the_order_of_records_pitfall_33) {
  const auto program = compile_library_program("fedavg");
  std::mt19937_64 random(7);
  Case c = random_case(random, 20, 100, Spread::kFull);
  const Values forward = run_world(program, c.world()).tables.at("next_model");
  std::ranges::reverse(c.updates);
  std::ranges::reverse(c.examples);
  EXPECT_EQ(run_world(program, c.world()).tables.at("next_model"), forward);
}

TEST(FedAvgWeights, equals_the_exact_weighted_mean_of_whole_models) {
  const auto program = compile_library_program("fedavg_weights");
  for_each_case({1, 2, 3, 10}, [&](const Case& c) { expect_model(program, c, fedavg_weights_model(c)); });
}

TEST(FedAvg, clamps_weights_outside_their_range_pitfall_37) {
  const auto program = compile_library_program("fedavg");
  std::mt19937_64 random(11);
  Case hostile = random_case(random, 3, 5, Spread::kSmall);
  hostile.examples = {-5, 0, i128{1} << 40};
  Case clamped = hostile;
  clamped.examples = {1, 1, 32767};
  EXPECT_EQ(run_world(program, hostile.world()).tables.at("next_model"),
            run_world(program, clamped.world()).tables.at("next_model"));
}

TEST(Median, equals_the_sorted_middle) {
  const auto program = compile_library_program("median");
  for_each_case({1, 2, 3, 4, 31, 32, 33, 100}, [&](const Case& c) { expect_model(program, c, median_model(c)); });
}

TEST(Median, of_one_three_two_is_two) {
  expect_model(compile_library_program("median"), published({1, 3, 2}), {i128{2} << 16});
}

TEST(TrimmedMean, equals_the_mean_of_the_sorted_inner_part) {
  for (const std::uint64_t cut : {0U, 1U, 3U}) {
    const auto program = compile_library_program("trimmed_mean", {{"cut", cut}});
    for_each_case({2 * cut + 1, 2 * cut + 2, 2 * cut + 9, 40},
                  [&](const Case& c) { expect_model(program, c, trimmed_mean_model(c, cut)); });
  }
}

TEST(NormClip, equals_the_mean_of_updates_scaled_to_the_bound) {
  for (const i128 bound : {i128{1}, i128{1000}, i128{1} << 33}) {
    const auto program = compile_library_program("norm_clip", {{"bound", bound}});
    for_each_case({1, 2, 7}, [&](const Case& c) { expect_model(program, c, norm_clip_model(c, bound)); });
  }
}

// Nothing that is clipped is longer than the bound, by its scale in exact integers.
TEST(NormClip, leaves_no_update_longer_than_the_bound) {
  constexpr i128 kBound = 1000;
  const auto program = compile_library_program("norm_clip", {{"bound", kBound}});
  for_each_case({1, 2, 7}, [&](const Case& c) {
    const Values factor = run_case(program, c).at("factor");
    for (std::size_t k = 0; k < c.records; ++k) {
      const BigInt norm2 = squared_distance(c.updates[k], Values(c.length));
      EXPECT_LE(to_big(factor[k]) * to_big(factor[k]) * norm2, to_big(kBound * kBound) << 60);
    }
  });
}

TEST(Krum, picks_the_update_nearest_to_its_neighbours) {
  for (const std::uint64_t f : {0U, 1U, 4U}) {
    const auto program = compile_library_program("krum", {{"f", f}});
    for_each_case({2 * f + 3, 2 * f + 4, 2 * f + 9},
                  [&](const Case& c) { expect_model(program, c, krum_model(c, f)); });
  }
}

TEST(Krum, distances_are_exact_where_expanded_squares_cancel_pitfall_34) {
  const i128 far = i128{1} << 30;
  Case c;
  c.records = 5;
  c.length = 2;
  c.updates = {{far, far}, {far + 1, far}, {far, far + 1}, {far + 1, far + 1}, {-far, -far}};
  c.model = {0, 0};
  const auto program = compile_library_program("krum", {{"f", 1}});
  const Outcome outcome = run_world(program, c.world());
  EXPECT_EQ(outcome.tables.at("winner"), Values{0});
  EXPECT_EQ(outcome.tables.at("distance")[1], 1);
  EXPECT_EQ(outcome.tables.at("next_model"), (Values{far, far}));
}

TEST(Krum, is_infeasible_below_two_f_plus_three_records_pitfall_36) {
  const auto program = compile_library_program("krum", {{"f", 2}});
  EXPECT_EQ(program.program.dims[0].lo, 7U);
}

TEST(TrimmedMean, is_infeasible_when_nothing_is_left_pitfall_36) {
  const auto program = compile_library_program("trimmed_mean", {{"cut", 2}});
  EXPECT_EQ(program.program.dims[0].lo, 5U);
}

}  // namespace
}  // namespace tally::test
