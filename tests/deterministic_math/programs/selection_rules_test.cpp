// Rules that choose updates or values: Multi-Krum, Bulyan, mean around the median, trimmed share and sign vote, against
// sorting in plain loops.
#include <numeric>

#include "deterministic_math/programs/program_library.h"
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

using Indices = std::vector<std::size_t>;

// Sum of the squared distances from `i` to its `near` nearest others among `among`.
BigInt krum_score(const Case& c, const Indices& among, std::size_t i, std::size_t near) {
  std::vector<BigInt> distances;
  for (const std::size_t j : among) {
    if (j != i) distances.push_back(squared_distance(c.updates[i], c.updates[j]));
  }
  std::ranges::sort(distances);
  return std::accumulate(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(near), BigInt(0));
}

Indices all_of(const Case& c) {
  Indices all(c.records);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

// The `count` smallest scores, the lowest index on ties, in ascending order of index.
Indices best_by_krum(const Case& c, std::size_t f, std::size_t count) {
  Indices order = all_of(c);
  std::vector<BigInt> scores;
  for (const std::size_t i : order) scores.push_back(krum_score(c, order, i, c.records - f - 2));
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

Values column_of(const Case& c, const Indices& chosen, std::uint64_t d) {
  Values column;
  for (const std::size_t k : chosen) column.push_back(c.updates[k][d]);
  std::ranges::sort(column);
  return column;
}

// Mean of the `kept` of `column` (sorted) nearest to its median: a stable sort by doubled distance leaves the smaller
// first.
i128 mean_near_median(Values column, std::size_t kept) {
  const i128 twice = column[(column.size() - 1) / 2] + column[column.size() / 2];
  const auto distance = [&](i128 x) { return 2 * x > twice ? 2 * x - twice : twice - 2 * x; };
  std::ranges::stable_sort(column, [&](i128 a, i128 b) { return distance(a) < distance(b); });
  i128 sum = 0;
  for (std::size_t r = 0; r < kept; ++r) sum += column[r];
  return nearest_even(sum, static_cast<i128>(kept));
}

TEST(MultiKrum, equals_the_mean_of_the_best_scores) {
  for (const std::size_t f : {0U, 1U, 3U}) {
    for (const std::size_t keep : {1U, 2U, 5U, 100U}) {
      const auto program = compile_library_program("multi_krum", {{"f", f}, {"keep", keep}});
      const auto weighted = compile_library_program("multi_krum_weighted", {{"f", f}, {"keep", keep}});
      for_each_case({2 * f + 3, 2 * f + 4, 2 * f + 8}, [&](const Case& c) {
        const Indices chosen = best_by_krum(c, f, std::min<std::size_t>(keep, c.records));
        Values plain(c.length);
        Values by_examples(c.length);
        for (std::uint64_t d = 0; d < c.length; ++d) {
          i128 sum = 0;
          i128 weighted_sum = 0;
          i128 examples = 0;
          for (const std::size_t k : chosen) {
            sum += c.updates[k][d];
            weighted_sum += c.updates[k][d] * c.examples[k];
            examples += c.examples[k];
          }
          plain[d] = as_i32(c.model[d] + nearest_even(sum, static_cast<i128>(chosen.size())));
          by_examples[d] = as_i32(c.model[d] + nearest_even(weighted_sum, examples));
        }
        expect_model(program, c, plain);
        expect_model(weighted, c, by_examples);
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

// Bulyan's first phase as the paper has it: Krum among the rest, one at a time.
Indices picked_one_by_one(const Case& c, std::size_t f) {
  Indices rest = all_of(c);
  Indices picked;
  while (picked.size() < c.records - 2 * f) {
    const std::size_t wanted = rest.size() < f + 3 ? 1 : rest.size() - f - 2;
    const std::size_t near = std::min(wanted, rest.size() - 1);
    const auto best = std::ranges::min_element(rest, {}, [&](std::size_t i) { return krum_score(c, rest, i, near); });
    picked.push_back(*best);
    rest.erase(best);
  }
  return picked;
}

Values bulyan_model(const Case& c, const Indices& picked, std::size_t f) {
  Values expected(c.length);
  for (std::uint64_t d = 0; d < c.length; ++d) {
    expected[d] = as_i32(c.model[d] + mean_near_median(column_of(c, picked, d), picked.size() - 2 * f));
  }
  return expected;
}

TEST(Bulyan, picks_one_at_a_time_and_averages_near_the_median) {
  for (const std::size_t f : {0U, 1U, 2U}) {
    const auto program = compile_library_program("bulyan", {{"f", f}});
    for_each_case({4 * f + 3, 4 * f + 4, 4 * f + 7},
                  [&](const Case& c) { expect_model(program, c, bulyan_model(c, picked_one_by_one(c, f), f)); });
  }
}

TEST(BulyanOneShot, keeps_the_best_scores_and_averages_near_the_median) {
  for (const std::size_t f : {0U, 1U, 2U}) {
    const auto program = compile_library_program("bulyan_one_shot", {{"f", f}});
    for_each_case({4 * f + 3, 4 * f + 4, 4 * f + 7}, [&](const Case& c) {
      expect_model(program, c, bulyan_model(c, best_by_krum(c, f, c.records - 2 * f), f));
    });
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
    for_each_case({2 * f + 1, 2 * f + 2, 2 * f + 9, 40}, [&](const Case& c) {
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) {
        expected[d] = as_i32(c.model[d] + mean_near_median(column_of(c, all_of(c), d), c.records - f));
      }
      expect_model(program, c, expected);
    });
  }
}

TEST(MeanNearMedian, takes_the_smaller_of_two_values_at_one_distance) {
  const Case c = published({-3, 3, 0});
  EXPECT_EQ(run_case(compile_library_program("mean_near_median", {{"f", 1}}), c).at("next_model"), Values{-(3 << 15)});
}

TEST(TrimmedMeanShare, drops_the_floor_of_the_share_at_each_end) {
  for (const i128 share : {0, 1000, 2500, 4999}) {
    const auto program = compile_library_program("trimmed_mean_share", {{"share", share}});
    for_each_case({1, 2, 3, 4, 10, 41}, [&](const Case& c) {
      const auto cut = static_cast<std::size_t>(share * static_cast<i128>(c.records) / 10000);
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const Values column = column_of(c, all_of(c), d);
        i128 sum = 0;
        for (std::size_t r = cut; r < c.records - cut; ++r) sum += column[r];
        expected[d] = as_i32(c.model[d] + nearest_even(sum, static_cast<i128>(c.records - 2 * cut)));
      }
      expect_model(program, c, expected);
    });
  }
}

TEST(TrimmedMeanShare, published_quarter_of_a_half_one_two_and_a_hundred_is_one_and_a_half) {
  const auto program = compile_library_program("trimmed_mean_share", {{"share", 2500}});
  EXPECT_EQ(real(run_case(program, published({0.5, 1, 2, 100})).at("next_model")[0]), 1.5);
}

TEST(SignVote, moves_each_parameter_one_step_with_the_majority) {
  for (const i128 step : {i128{1}, i128{1000}, i128{1} << 31}) {
    const auto program = compile_library_program("sign_vote", {{"step", step}});
    for_each_case({1, 2, 3, 10, 65}, [&](const Case& c) {
      Values expected(c.length);
      for (std::uint64_t d = 0; d < c.length; ++d) {
        int votes = 0;
        for (const Values& row : c.updates) votes += row[d] > 0 ? 1 : row[d] < 0 ? -1 : 0;
        expected[d] = as_i32(c.model[d] + (votes > 0 ? step : votes < 0 ? -step : 0));
      }
      expect_model(program, c, expected);
    });
  }
}

TEST(SignVote, counts_an_extreme_update_as_one_vote) {
  Case c = published({0, 0, 0});
  c.updates = {{kI32Lo}, {1}, {1}};
  EXPECT_EQ(run_case(compile_library_program("sign_vote", {{"step", 7}}), c).at("next_model"), Values{7});
}

}  // namespace
}  // namespace tally::test
