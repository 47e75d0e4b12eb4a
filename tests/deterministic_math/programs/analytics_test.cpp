// Federated analytics: what contributors' sums give equals what all of their data in one place give, exactly.
#include <cmath>
#include <numeric>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

// Pairs of numbers, dealt to some contributors at random.
struct Data {
  std::vector<std::vector<std::pair<i128, i128>>> parts;

  Data(std::mt19937_64& random, std::size_t contributors, std::size_t size, i128 bound) : parts(contributors) {
    const auto value = [&] { return static_cast<i128>(random() % static_cast<std::uint64_t>(2 * bound + 1)) - bound; };
    for (std::size_t i = 0; i < size; ++i) {
      const i128 x = value();
      parts[random() % contributors].emplace_back(x, (x + value()) / 2);
    }
  }

  template <class Term>
  [[nodiscard]] Values sums(Term term) const {
    Values result;
    for (const auto& part : parts) {
      i128 sum = 0;
      for (const auto& [x, y] : part) sum += term(x, y);
      result.push_back(sum);
    }
    return result;
  }

  template <class Term>
  [[nodiscard]] BigInt total(Term term) const {
    BigInt sum = 0;
    for (const i128 part : sums(term)) sum += to_big(part);
    return sum;
  }
};

World moments_world(const Values& count, const Values& sum, const Values& squares) {
  World world;
  world.dims = {{"K", count.size()}};
  world.fields = {{"count", count}, {"sum", sum}, {"squares", squares}};
  return world;
}

constexpr auto kCount = [](i128, i128) -> i128 { return 1; };
constexpr auto kX = [](i128 x, i128) { return x; };
constexpr auto kY = [](i128, i128 y) { return y; };
constexpr auto kXX = [](i128 x, i128) { return x * x; };
constexpr auto kXY = [](i128 x, i128 y) { return x * y; };
constexpr auto kYY = [](i128, i128 y) { return y * y; };

TEST(Moments, equal_those_of_all_data_in_one_place_whatever_the_partition) {
  const auto program = compile_library_program("moments", {{"bound", 65536}});
  std::mt19937_64 random(3);
  for (int i = 0; i < 200; ++i) {
    const Data data(random, 1 + random() % 9, random() % 300, i % 2 == 0 ? 3 : 65536);
    const auto tables = run_tables(program, moments_world(data.sums(kCount), data.sums(kX), data.sums(kXX)));
    const BigInt n = data.total(kCount);
    const BigInt s = data.total(kX);
    EXPECT_EQ(to_big(tables.at("total_count")[0]), n);
    EXPECT_EQ(to_big(tables.at("total_sum")[0]), s);
    const BigInt divisor = n == 0 ? BigInt(1) : n;
    EXPECT_EQ(tables.at("mean")[0], nearest_even(s * 65536, divisor));
    EXPECT_EQ(tables.at("variance")[0], nearest_even((n * data.total(kXX) - s * s) * 65536, divisor * divisor));
  }
}

TEST(Moments, ignore_sums_that_no_data_could_have) {
  const auto program = compile_library_program("moments", {{"bound", 100}});
  const Values honest = run_tables(program, moments_world({2}, {6}, {20})).at("mean");
  EXPECT_EQ(honest, Values{3 << 16});
  EXPECT_EQ(run_tables(program, moments_world({2, 3}, {200, -300}, {20000, 30000})).at("total_sum"),
            Values{-100});  // at the bound
  for (const auto& [count, sum, squares] :
       {std::tuple<i128, i128, i128>{1, 101, 10201}, {0, 1, 1}, {0, 0, 1}, {1, 5, 24}, {2, 0, 20001}}) {
    const auto tables = run_tables(program, moments_world({2, count}, {6, sum}, {20, squares}));
    EXPECT_EQ(tables.at("mean"), honest);
    EXPECT_EQ(tables.at("total_squares"), Values{20});
  }
}

World correlation_world(const Data& data) {
  World world;
  world.dims = {{"K", data.parts.size()}};
  world.fields = {{"n", data.sums(kCount)}, {"sx", data.sums(kX)},   {"sy", data.sums(kY)},
                  {"sxx", data.sums(kXX)},  {"sxy", data.sums(kXY)}, {"syy", data.sums(kYY)}};
  return world;
}

TEST(Correlation, is_within_two_last_places_of_the_exact_one) {
  const auto program = compile_library_program("correlation");
  std::mt19937_64 random(4);
  for (int i = 0; i < 200; ++i) {
    const Data data(random, 1 + random() % 9, random() % 300, i % 2 == 0 ? 3 : 65536);
    const auto tables = run_tables(program, correlation_world(data));
    const BigInt n = data.total(kCount);
    const BigInt xy = n * data.total(kXY) - data.total(kX) * data.total(kY);
    const BigInt xx = n * data.total(kXX) - data.total(kX) * data.total(kX);
    const BigInt yy = n * data.total(kYY) - data.total(kY) * data.total(kY);
    EXPECT_EQ(tables.at("covariance")[0], nearest_even(xy * 65536, n == 0 ? BigInt(1) : BigInt(n * n)));
    if (xx == 0 || yy == 0) {
      EXPECT_EQ(tables.at("correlation")[0], 0);
      continue;
    }
    const double exact =
        xy.convert_to<double>() / std::sqrt(xx.convert_to<double>()) / std::sqrt(yy.convert_to<double>());
    // Roots of small spreads have few bits: 2^-12 of a root of at least 1.
    const double root_error = std::ldexp(1, -12) / std::sqrt(std::min(xx, yy).convert_to<double>());
    EXPECT_NEAR(static_cast<double>(tables.at("correlation")[0]) / (1 << 30), exact,
                2 * root_error + std::ldexp(1, -29));
  }
}

TEST(Correlation, of_a_line_is_one_or_minus_one) {
  const auto program = compile_library_program("correlation");
  for (const i128 slope : {3, -3}) {
    std::mt19937_64 random(5);
    Data data(random, 3, 100, 1000);
    for (auto& part : data.parts) {
      for (auto& [x, y] : part) y = slope * x + 7;
    }
    const i128 expected = slope > 0 ? i128{1} << 30 : -(i128{1} << 30);
    EXPECT_NEAR(static_cast<double>(run_tables(program, correlation_world(data)).at("correlation")[0]),
                static_cast<double>(expected), 4096);
  }
}

TEST(Histogram, adds_counts_and_finds_quantiles_and_fullest_bins) {
  const auto program = compile_library_program("histogram", {{"parts", 4}, {"keep", 3}});
  std::mt19937_64 random(6);
  for (int i = 0; i < 100; ++i) {
    const std::size_t bins = 1 + random() % 20;
    std::vector<Values> counts(random() % 5, Values(bins));
    for (Values& row : counts) {
      std::ranges::generate(row, [&] { return static_cast<i128>(random() % (i % 3 == 0 ? 2 : 1000)); });
    }
    World world;
    world.dims = {{"K", counts.size()}, {"B", bins}};
    world.rows = {{"counts", counts}};
    const auto tables = run_tables(program, world);
    Values total(bins);
    std::vector<std::size_t> data;  // every datum's bin, in order
    for (std::size_t b = 0; b < bins; ++b) {
      for (const Values& row : counts) total[b] += row[b];
      data.insert(data.end(), static_cast<std::size_t>(total[b]), b);
    }
    EXPECT_EQ(tables.at("total"), total);
    for (std::size_t q = 1; q < 4; ++q) {
      const std::size_t rank = (q * data.size() + 3) / 4;  // of the datum that makes up the share
      EXPECT_EQ(tables.at("quantile")[q - 1], data.empty() ? 0 : static_cast<i128>(data[rank == 0 ? 0 : rank - 1]));
    }
    std::vector<std::size_t> order(bins);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return total[a] > total[b]; });
    Values fullest(bins);
    for (std::size_t r = 0; r < std::min<std::size_t>(3, bins); ++r) fullest[order[r]] = 1;
    EXPECT_EQ(tables.at("fullest"), fullest);
  }
}

TEST(LinearRegression, recovers_a_plane_and_meets_the_normal_equations) {
  const auto program = compile_library_program("linear_regression");
  std::mt19937_64 random(7);
  for (int i = 0; i < 50; ++i) {
    const auto pick = [&] { return static_cast<i128>(random() % 41) - 20; };
    const i128 constant = pick();
    const i128 slope_1 = pick();
    const i128 slope_2 = pick();
    World world;
    const std::size_t contributors = 1 + random() % 4;
    world.dims = {{"K", contributors}};
    for (const char* name : {"n", "s1", "s2", "s11", "s12", "s22", "y", "y1", "y2"}) {
      world.fields[name] = Values(contributors);
    }
    const bool noisy = i % 2 == 1;
    for (int point = 0; point < 60; ++point) {
      const std::size_t k = random() % contributors;
      const i128 a = pick();
      const i128 b = pick();
      const i128 y = constant + slope_1 * a + slope_2 * b + (noisy ? pick() : 0);
      const auto add = [&](const char* name, i128 term) { world.fields[name][k] += term; };
      add("n", 1);
      add("s1", a);
      add("s2", b);
      add("s11", a * a);
      add("s12", a * b);
      add("s22", b * b);
      add("y", y);
      add("y1", y * a);
      add("y2", y * b);
    }
    const auto tables = run_tables(program, world);
    const auto sum = [&](const char* name) {
      const Values& parts = world.fields[name];
      return static_cast<double>(std::accumulate(parts.begin(), parts.end(), i128{0}));
    };
    const double c0 = static_cast<double>(tables.at("constant")[0]) / 65536;
    const double c1 = static_cast<double>(tables.at("slope_1")[0]) / 65536;
    const double c2 = static_cast<double>(tables.at("slope_2")[0]) / 65536;
    if (!noisy) {
      EXPECT_EQ(c0, static_cast<double>(constant));
      EXPECT_EQ(c1, static_cast<double>(slope_1));
      EXPECT_EQ(c2, static_cast<double>(slope_2));
    }
    // Each coefficient is off by half a last place at most, and sums are below 60 * 400.
    EXPECT_NEAR(sum("n") * c0 + sum("s1") * c1 + sum("s2") * c2, sum("y"), 1);
    EXPECT_NEAR(sum("s1") * c0 + sum("s11") * c1 + sum("s12") * c2, sum("y1"), 1);
    EXPECT_NEAR(sum("s2") * c0 + sum("s12") * c1 + sum("s22") * c2, sum("y2"), 1);
  }
}

TEST(LinearRegression, gives_zeros_where_the_features_do_not_determine_it) {
  World world;
  world.dims = {{"K", 1}};
  world.fields = {{"n", {2}},    {"s1", {4}}, {"s2", {8}},  {"s11", {8}}, {"s12", {16}},
                  {"s22", {32}}, {"y", {5}},  {"y1", {10}}, {"y2", {20}}};
  const auto tables = run_tables(compile_library_program("linear_regression"), world);
  EXPECT_EQ(tables.at("constant")[0], 0);
  EXPECT_EQ(tables.at("slope_1")[0], 0);
  EXPECT_EQ(tables.at("slope_2")[0], 0);
}

TEST(KMeansStep, moves_each_centre_to_the_weighted_mean_of_its_points) {
  const auto program = compile_library_program("k_means_step");
  for_each_case({1, 5, 30}, [&](const Case& c) {
    constexpr std::size_t kCentres = 4;
    World world;
    world.dims = {{"K", c.records}, {"D", c.length}, {"C", kCentres}};
    world.rows = {{"points", c.updates}};
    world.fields = {{"weight", c.examples}};
    world.fields["weight"][0] = 0;
    std::mt19937_64 random(c.records);
    const Case places = random_case(random, kCentres, c.length, Spread::kSmall);
    for (const Values& place : places.updates) {
      world.states["centres"].insert(world.states["centres"].end(), place.begin(), place.end());
    }
    std::vector<BigInt> volume(kCentres);
    std::vector<std::vector<BigInt>> sums(kCentres, std::vector<BigInt>(c.length));
    for (std::size_t k = 0; k < c.records; ++k) {
      std::size_t best = 0;
      for (std::size_t centre = 1; centre < kCentres; ++centre) {
        if (squared_distance(c.updates[k], places.updates[centre]) <
            squared_distance(c.updates[k], places.updates[best])) {
          best = centre;
        }
      }
      const BigInt weight = to_big(world.fields["weight"][k]);
      volume[best] += weight;
      for (std::size_t d = 0; d < c.length; ++d) sums[best][d] += weight * to_big(c.updates[k][d]);
    }
    Values expected;
    for (std::size_t centre = 0; centre < kCentres; ++centre) {
      for (std::size_t d = 0; d < c.length; ++d) {
        expected.push_back(volume[centre] == 0 ? places.updates[centre][d]
                                               : nearest_even(sums[centre][d], volume[centre]));
      }
    }
    EXPECT_EQ(run_tables(program, world).at("next_centres"), expected);
  });
}

}  // namespace
}  // namespace tally::test
