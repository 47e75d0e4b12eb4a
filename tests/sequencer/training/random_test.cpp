#include "sequencer/training/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace tally::sequencer::training {
namespace {

constexpr int kDraws = 200'000;

TEST(Random, repeats_for_a_seed_and_a_stream_and_differs_for_others) {
  const auto draw = [](std::uint64_t seed, std::uint64_t stream) {
    Random random(seed, stream);
    return std::array{random.normal(0, 1), random.uniform(), random.normal(0, 1)};
  };
  EXPECT_EQ(draw(1, 2), draw(1, 2));
  EXPECT_NE(draw(1, 2), draw(1, 3));
  EXPECT_NE(draw(1, 2), draw(2, 2));
  EXPECT_NE(draw(1, 2), draw(2, 1));
}

TEST(Random, normal_numbers_have_the_moments_and_the_tails_of_a_normal_distribution) {
  Random random(7);
  double sum = 0;
  double squares = 0;
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = (random.normal(3.0, 2.0) - 3.0) / 2.0;
    sum += x;
    squares += x * x;
    beyond_two += std::abs(x) > 2.0 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.02);
  EXPECT_NEAR(static_cast<double>(beyond_two) / kDraws, 0.0455, 0.003);
}

TEST(Random, uniform_numbers_stay_in_their_range_and_fill_it) {
  Random random(9);
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ++counts.at(random.below(counts.size()));
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7.0, 800);
}

TEST(Random, shuffles_into_a_permutation_with_every_first_element_equally_often) {
  Random random(11);
  std::array<int, 5> firsts{};
  for (int i = 0; i < 20'000; ++i) {
    std::vector<int> values(5);
    std::iota(values.begin(), values.end(), 0);
    random.shuffle(values);
    ++firsts.at(static_cast<std::size_t>(values[0]));
    std::ranges::sort(values);
    ASSERT_EQ(values, (std::vector{0, 1, 2, 3, 4}));
  }
  for (const int count : firsts) EXPECT_NEAR(count, 4000, 250);
}

}  // namespace
}  // namespace tally::sequencer::training
