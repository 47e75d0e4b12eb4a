// Averages, order statistics, norm clipping and Krum against exact oracles that share nothing with the programs. Worlds
// cover ties, K = 1, 2, even and odd, and the extremes of i32.

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

Values sorted_column(const Case& world_case, std::uint64_t d) {
  Values column;
  for (const Values& row : world_case.updates) column.push_back(row[d]);
  std::ranges::sort(column);
  return column;
}

TEST(FedAvg, equals_the_exact_weighted_mean) {
  const auto program = compile_library_program("fedavg");
  for_each_case({1, 2, 3, 10, 65}, [&](const Case& c) {
    Values expected(c.length);
    for (std::uint64_t d = 0; d < c.length; ++d) {
      i128 sum = 0;
      i128 total = 0;
      for (std::uint64_t k = 0; k < c.records; ++k) {
        sum += c.updates[k][d] * c.examples[k];
        total += c.examples[k];
      }
      expected[d] = as_i32(c.model[d] + nearest_even(sum, total));
    }
    expect_model(program, c, expected);
  });
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
  for_each_case({1, 2, 3, 10}, [&](const Case& c) {
    Values expected(c.length);
    for (std::uint64_t d = 0; d < c.length; ++d) {
      i128 sum = 0;
      i128 total = 0;
      for (std::uint64_t k = 0; k < c.records; ++k) {
        sum += c.updates[k][d] * c.examples[k];
        total += c.examples[k];
      }
      expected[d] = nearest_even(sum, total);
    }
    expect_model(program, c, expected);
  });
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
  for_each_case({1, 2, 3, 4, 31, 32, 33, 100}, [&](const Case& c) {
    Values expected(c.length);
    for (std::uint64_t d = 0; d < c.length; ++d) {
      const Values column = sorted_column(c, d);
      expected[d] = as_i32(c.model[d] + nearest_even(column[(c.records - 1) / 2] + column[c.records / 2], 2));
    }
    expect_model(program, c, expected);
  });
}

TEST(Median, of_one_three_two_is_two) {
  expect_model(compile_library_program("median"), published({1, 3, 2}), {i128{2} << 16});
}

TEST(TrimmedMean, equals_the_mean_of_the_sorted_inner_part) {
  for (const std::uint64_t cut : {0U, 1U, 3U}) {
    const auto program = compile_library_program("trimmed_mean", {{"cut", cut}});
    for_each_case({2 * cut + 1, 2 * cut + 2, 2 * cut + 9, 40}, [&](const Case& c) {
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const Values column = sorted_column(c, d);
        i128 sum = 0;
        for (std::uint64_t r = cut; r < c.records - cut; ++r) sum += column[r];
        expected[d] = as_i32(c.model[d] + nearest_even(sum, static_cast<i128>(c.records - 2 * cut)));
      }
      expect_model(program, c, expected);
    });
  }
}

TEST(NormClip, equals_the_mean_of_updates_scaled_to_the_bound) {
  for (const i128 bound : {i128{1}, i128{1000}, i128{1} << 33}) {
    const auto program = compile_library_program("norm_clip", {{"bound", bound}});
    for_each_case({1, 2, 7}, [&](const Case& c) {
      const i128 one = i128{1} << 30;
      Values factor(c.records);
      for (std::uint64_t k = 0; k < c.records; ++k) {
        i128 norm2 = 0;
        for (const i128 x : c.updates[k]) norm2 += x * x;
        const i128 norm = from_big(ceil_root(to_big(norm2)));
        factor[k] = norm <= bound ? one : bound * one / norm;
        // Nothing that is clipped is longer than the bound: |factor * u|^2 <= bound^2 in exact integers.
        if (norm2 < i128{1} << 62) {
          EXPECT_LE(factor[k] * factor[k] / one * norm2 / one, bound * bound);
        }
      }
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) {
        i128 sum = 0;
        for (std::uint64_t k = 0; k < c.records; ++k) sum += factor[k] * c.updates[k][d];
        expected[d] = as_i32(c.model[d] + nearest_even(sum, static_cast<i128>(c.records) * one));
      }
      expect_model(program, c, expected);
    });
  }
}

std::uint64_t krum_winner(const Case& c, std::uint64_t f) {
  std::vector<i128> scores(c.records);
  for (std::uint64_t i = 0; i < c.records; ++i) {
    Values distances;
    for (std::uint64_t j = 0; j < c.records; ++j) {
      if (j == i) continue;
      i128 sum = 0;
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const i128 difference = c.updates[i][d] - c.updates[j][d];
        sum += difference * difference;
      }
      distances.push_back(sum);
    }
    std::ranges::sort(distances);
    for (std::uint64_t n = 0; n < c.records - f - 2; ++n) scores[i] += distances[n];
  }
  return static_cast<std::uint64_t>(std::ranges::min_element(scores) - scores.begin());
}

TEST(Krum, picks_the_update_nearest_to_its_neighbours) {
  for (const std::uint64_t f : {0U, 1U, 4U}) {
    const auto program = compile_library_program("krum", {{"f", f}});
    for_each_case({2 * f + 3, 2 * f + 4, 2 * f + 9}, [&](const Case& c) {
      const Values& won = c.updates[krum_winner(c, f)];
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) expected[d] = as_i32(c.model[d] + won[d]);
      expect_model(program, c, expected);
    });
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
