// Rules that choose updates or values: Multi-Krum, Bulyan, mean around the median, trimmed share and sign vote, against
// sorting in plain loops.
#include "deterministic_math/programs/program_library.h"
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

TEST(MultiKrum, equals_the_mean_of_the_best_scores) {
  for (const std::size_t f : {0U, 1U, 3U}) {
    for (const std::size_t keep : {1U, 2U, 5U, 100U}) {
      const auto program = compile_library_program("multi_krum", {{"f", f}, {"keep", keep}});
      const auto weighted = compile_library_program("multi_krum_weighted", {{"f", f}, {"keep", keep}});
      for_each_case({2 * f + 3, 2 * f + 4, 2 * f + 8}, [&](const Case& c) {
        expect_model(program, c, multi_krum_model(c, f, keep, MeanWeights::kEqual));
        expect_model(weighted, c, multi_krum_model(c, f, keep, MeanWeights::kExamples));
      });
    }
  }
}

// The published values have fewer records than K >= 2 f + 3, where tools go on with one neighbour: the library's rule
// without its bound.
math::CompiledProgram without_bound(const std::string& name, const std::map<std::string, i128>& parameters) {
  constexpr std::string_view kBound = "dim K in 2*f+3..4096";
  std::string text(math::find_library_program(name)->text);
  text.replace(text.find(kBound), kBound.size(), "dim K in 2..4096");
  return compile_text(text, parameters);
}

TEST(Krum, published_with_f_of_one_over_two_tenths_seven_tenths_and_one_is_seven_tenths) {
  const Case c = published({0.2, 0.7, 1.0});
  EXPECT_EQ(run_case(without_bound("krum", {{"f", 1}}), c).at("next_model"), c.updates[1]);
}

TEST(MultiKrum, published_with_f_of_one_two_of_two_tenths_a_half_and_one_are_thirty_five_hundredths) {
  const Case c = published({0.2, 0.5, 1.0});
  for (const char* name : {"multi_krum", "multi_krum_weighted"}) {
    const auto tables = run_case(without_bound(name, {{"f", 1}, {"keep", 2}}), c);
    EXPECT_NEAR(real(tables.at("next_model")[0]), 0.35, 1.0 / 65536) << name;
  }
}

TEST(MultiKrum, leaves_out_f_updates_at_the_ends_of_the_range) {
  Case c = published({0.5, 0.5, 0.5, 0.5, 0.5, 0, 0});
  c.updates[5] = {kI32Lo};
  c.updates[6] = {kI32Hi};
  EXPECT_EQ(run_case(compile_library_program("multi_krum", {{"f", 2}, {"keep", 5}}), c).at("next_model"), c.updates[0]);
}

TEST(Bulyan, picks_one_at_a_time_and_averages_near_the_median) {
  for (const std::size_t f : {0U, 1U, 2U}) {
    const auto program = compile_library_program("bulyan", {{"f", f}});
    for_each_case({4 * f + 3, 4 * f + 4, 4 * f + 7},
                  [&](const Case& c) { expect_model(program, c, bulyan_model(c, f)); });
  }
}

TEST(BulyanOneShot, keeps_the_best_scores_and_averages_near_the_median) {
  for (const std::size_t f : {0U, 1U, 2U}) {
    const auto program = compile_library_program("bulyan_one_shot", {{"f", f}});
    for_each_case({4 * f + 3, 4 * f + 4, 4 * f + 7},
                  [&](const Case& c) { expect_model(program, c, bulyan_one_shot_model(c, f)); });
  }
}

TEST(Bulyan, is_not_moved_by_f_updates_far_away) {
  Case c = published({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  c.updates[3] = {kI32Hi};
  c.updates[7] = {kI32Lo};
  for (const char* name : {"bulyan", "bulyan_one_shot"}) {
    EXPECT_EQ(run_case(compile_library_program(name, {{"f", 2}}), c).at("next_model"), c.updates[0]) << name;
  }
}

TEST(Bulyan, is_infeasible_below_four_f_plus_three_records_pitfall_36) {
  for (const char* name : {"bulyan", "bulyan_one_shot"}) {
    EXPECT_EQ(compile_library_program(name, {{"f", 3}}).program.dims[0].lo, 15U) << name;
  }
}

TEST(MeanNearMedian, equals_the_mean_of_the_nearest_values) {
  for (const std::size_t f : {0U, 1U, 4U}) {
    const auto program = compile_library_program("mean_near_median", {{"f", f}});
    for_each_case({2 * f + 1, 2 * f + 2, 2 * f + 9, 40},
                  [&](const Case& c) { expect_model(program, c, mean_near_median_model(c, f)); });
  }
}

TEST(MeanNearMedian, takes_the_smaller_of_two_values_at_one_distance) {
  const Case c = published({-3, 3, 0});
  EXPECT_EQ(run_case(compile_library_program("mean_near_median", {{"f", 1}}), c).at("next_model"), Values{-(3 << 15)});
}

TEST(TrimmedMeanShare, drops_the_floor_of_the_share_at_each_end) {
  for (const i128 share : {0, 1000, 2500, 4999}) {
    const auto program = compile_library_program("trimmed_mean_share", {{"share", share}});
    for_each_case({1, 2, 3, 4, 10, 41},
                  [&](const Case& c) { expect_model(program, c, trimmed_mean_share_model(c, share)); });
  }
}

TEST(TrimmedMeanShare, published_quarter_of_a_half_one_two_and_a_hundred_is_one_and_a_half) {
  const auto program = compile_library_program("trimmed_mean_share", {{"share", 2500}});
  EXPECT_EQ(real(run_case(program, published({0.5, 1, 2, 100})).at("next_model")[0]), 1.5);
}

TEST(SignVote, moves_each_parameter_one_step_with_the_majority) {
  for (const i128 step : {i128{1}, i128{1000}, i128{1} << 31}) {
    const auto program = compile_library_program("sign_vote", {{"step", step}});
    for_each_case({1, 2, 3, 10, 65}, [&](const Case& c) { expect_model(program, c, sign_vote_model(c, step)); });
  }
}

TEST(SignVote, counts_an_extreme_update_as_one_vote) {
  Case c = published({0, 0, 0});
  c.updates = {{kI32Lo}, {1}, {1}};
  EXPECT_EQ(run_case(compile_library_program("sign_vote", {{"step", 7}}), c).at("next_model"), Values{7});
}

}  // namespace
}  // namespace tally::test
