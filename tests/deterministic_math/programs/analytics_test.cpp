// Federated analytics: what contributors' sums give equals what all of their data in one place give, exactly.
#include <numeric>
#include <optional>

#include "tests/deterministic_math/programs/batches.h"
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

TEST(Moments, of_equal_counts_have_the_mean_of_the_means_and_larger_counts_weigh_more) {
  const auto program = compile_library_program("moments", {{"bound", 100}});
  const auto mean = [&](const Values& count, const Values& sum) {
    return run_tables(program, moments_world(count, sum, Values(count.size(), 1 << 20))).at("mean")[0];
  };
  EXPECT_EQ(mean({1000, 1000, 1000}, {3000, 6000, 0}), 3 << 16);
  EXPECT_EQ(mean({1000, 3000}, {0, 12000}), 3 << 16);
}

TEST(Moments, clamp_sums_to_their_ranges) {
  const auto program = compile_library_program("moments", {{"bound", 65536}});
  const auto tables = run_tables(program, moments_world({i128{1} << 40, -3}, {i128{1} << 60, 1}, {i128{1} << 60, -1}));
  EXPECT_EQ(tables.at("total_count"), Values{1 << 20});
  EXPECT_EQ(tables.at("total_sum"), Values{i128{1} << 36});
  EXPECT_EQ(tables.at("total_squares"), Values{i128{1} << 52});
}

TEST(Moments, are_exact_at_the_ends_of_their_ranges_and_zero_without_data) {
  const auto program = compile_library_program("moments", {{"bound", 65536}});
  for (const i128 sign : {-1, 1}) {
    const auto tables = run_tables(
        program,
        moments_world(Values(4096, i128{1} << 20), Values(4096, sign * (i128{1} << 36)), Values(4096, i128{1} << 52)));
    EXPECT_EQ(tables.at("mean"), Values{sign * (i128{1} << 32)});
    EXPECT_EQ(tables.at("variance"), Values{0});
  }
  for (const Values& none : {Values{}, Values{0}}) {
    const auto tables = run_tables(program, moments_world(none, none, none));
    EXPECT_EQ(tables.at("mean"), Values{0});
    EXPECT_EQ(tables.at("variance"), Values{0});
  }
}

World correlation_world(const Data& data) {
  World world;
  world.dims = {{"K", data.parts.size()}};
  world.fields = {{"n", data.sums(kCount)}, {"sx", data.sums(kX)},   {"sy", data.sums(kY)},
                  {"sxx", data.sums(kXX)},  {"sxy", data.sums(kXY)}, {"syy", data.sums(kYY)}};
  return world;
}

constexpr i128 kOne = i128{1} << 30;

math::CompiledProgram correlation_program(i128 bound = 65536) {
  return compile_library_program("correlation", {{"bound", bound}});
}

// The correlation r of last place 2^-30 is within 1/2 + 2^-15 of it of xy / sqrt(xx * yy): compared as squares.
void expect_correlation(i128 r, const BigInt& xy, const BigInt& xx, const BigInt& yy) {
  if (xx == 0 || yy == 0) {
    EXPECT_EQ(r, 0);
    return;
  }
  const BigInt size = to_big(r < 0 ? -r : r);
  if (size != 0) {
    EXPECT_EQ(r < 0, xy < 0);
  }
  const BigInt exact = (xy * xy) << 90;  // times 2^45, squared
  const BigInt high = (size << 15) + (1 << 14) + 1;
  const BigInt low = (size << 15) - (1 << 14) - 1;
  EXPECT_LE(exact, high * high * xx * yy);
  if (low > 0) {
    EXPECT_GE(exact, low * low * xx * yy);
  }
}

TEST(Correlation, is_within_half_a_last_place_of_the_exact_one) {
  const auto program = correlation_program();
  std::mt19937_64 random(4);
  for (int i = 0; i < 400; ++i) {
    const i128 bounds[] = {1, 3, 1000, 65536};
    const Data data(random, 1 + random() % 9, random() % (i % 3 == 0 ? 4 : 300), bounds[i % 4]);
    const auto tables = run_tables(program, correlation_world(data));
    const BigInt n = data.total(kCount);
    const BigInt xy = n * data.total(kXY) - data.total(kX) * data.total(kY);
    const BigInt xx = n * data.total(kXX) - data.total(kX) * data.total(kX);
    const BigInt yy = n * data.total(kYY) - data.total(kY) * data.total(kY);
    EXPECT_EQ(tables.at("covariance")[0], nearest_even(xy * 65536, n == 0 ? BigInt(1) : BigInt(n * n)));
    expect_correlation(tables.at("correlation")[0], xy, xx, yy);
  }
}

// Spreads from the smallest to the largest that the ranges hold, at and beside the powers at which they are scaled.
TEST(Correlation, keeps_its_precision_at_every_size_of_the_spreads) {
  const auto program = correlation_program();
  for (const i128 count : {1, 2, 64, 1 << 16, 1 << 20}) {
    for (const i128 x : {0, 1, 2, 255, 256, 65535, 65536}) {
      for (const i128 y : {1, 16, 4095, 65536}) {
        // Half of the data at (x, y), a quarter at (-x, -y), a quarter at (x, -y) in every one of some records.
        for (const std::size_t records : {std::size_t{1}, std::size_t{4096}}) {
          const i128 quarter = count / 4;
          const i128 half = count - 2 * quarter;
          const auto column = [&](i128 value) { return Values(records, value); };
          World world;
          world.dims = {{"K", records}};
          world.fields = {
              {"n", column(count)},           {"sx", column(x * half)},      {"sy", column(y * (half - 2 * quarter))},
              {"sxx", column(count * x * x)}, {"sxy", column(x * y * half)}, {"syy", column(count * y * y)}};
          const auto all = [&](const char* name) { return to_big(world.fields[name][0]) * BigInt(records); };
          const BigInt n = all("n");
          expect_correlation(run_tables(program, world).at("correlation")[0], n * all("sxy") - all("sx") * all("sy"),
                             n * all("sxx") - all("sx") * all("sx"), n * all("syy") - all("sy") * all("sy"));
        }
      }
    }
  }
}

TEST(Correlation, of_a_line_is_exactly_one_or_minus_one) {
  const auto program = correlation_program();
  std::mt19937_64 random(5);
  for (const i128 slope : {1, 3, -3, 60}) {
    for (const std::size_t size : {2U, 5U, 100U}) {
      Data data(random, 3, size, 1000);
      data.parts[0].emplace_back(0, 0);
      data.parts[0].emplace_back(1, 0);
      for (auto& part : data.parts) {
        for (auto& [x, y] : part) y = slope * x + 7;
      }
      EXPECT_EQ(run_tables(program, correlation_world(data)).at("correlation")[0], slope > 0 ? kOne : -kOne);
    }
  }
}

TEST(Correlation, ignores_sums_that_no_data_could_have) {
  const auto program = correlation_program(10);
  const auto with = [&](std::optional<std::array<i128, 6>> record) {
    World world;
    world.dims = {{"K", record ? 2 : 1}};
    world.fields = {{"n", {3}}, {"sx", {2}}, {"sy", {-1}}, {"sxx", {4}}, {"sxy", {1}}, {"syy", {5}}};
    if (record) {
      std::size_t i = 0;
      for (const char* name : {"n", "sx", "sy", "sxx", "sxy", "syy"}) world.fields[name].push_back((*record)[i++]);
    }
    return run_tables(program, world);
  };
  const Tables honest = with(std::nullopt);
  EXPECT_EQ(honest.at("count"), Values{3});
  const std::array<i128, 6> hostile[] = {{0, 0, 0, 0, 0, 1},
                                         {0, 0, 0, 1, 0, 0},
                                         {0, 0, 0, 0, 1, 0},
                                         {1, 11, 0, 100, 0, 0},
                                         {1, 0, 11, 0, 0, 100},
                                         {1, -11, 0, 100, 0, 0},
                                         {1, 0, 0, 101, 0, 0},
                                         {1, 0, 0, 0, 0, 101},
                                         {2, 4, 0, 7, 0, 0},
                                         {2, 0, 4, 0, 0, 7},
                                         {2, 0, 0, 4, 5, 4},
                                         {2, 0, 0, 4, -5, 4},
                                         {3, 3, 3, 4, 1, 4},  // every two of the three agree, all three do not
                                         {i128{1} << 20, i128{1} << 36, 0, 0, i128{1} << 52, i128{1} << 52}};
  for (const auto& record : hostile) EXPECT_EQ(with(record), honest) << math::to_string(record[0]);
  EXPECT_EQ(with(std::array<i128, 6>{1, 10, -10, 100, -100, 100}).at("count"), Values{4});
  EXPECT_EQ(with(std::array<i128, 6>{0, 0, 0, 0, 0, 0}), honest);
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

constexpr const char* kSums[] = {"n", "s1", "s2", "s11", "s12", "s22", "y", "y1", "y2"};

// Sums of points (features a and b, y), each dealt to one of some contributors.
struct Points {
  World world;

  explicit Points(std::size_t contributors) {
    world.dims = {{"K", contributors}};
    for (const char* name : kSums) world.fields[name] = Values(contributors);
  }

  void add(std::size_t k, i128 a, i128 b, i128 y, i128 times = 1) {
    const i128 terms[] = {1, a, b, a * a, a * b, b * b, y, y * a, y * b};
    for (std::size_t i = 0; i < std::size(kSums); ++i) world.fields[kSums[i]][k] += times * terms[i];
  }

  [[nodiscard]] BigInt sum(const char* name) const { return to_big(total(world.fields.at(name))); }
};

using Fraction = boost::multiprecision::cpp_rational;

// The normal equations by elimination with exact fractions; nothing where they are singular.
std::optional<std::array<Fraction, 3>> solve(const Points& points) {
  const char* rows[3][4] = {{"n", "s1", "s2", "y"}, {"s1", "s11", "s12", "y1"}, {"s2", "s12", "s22", "y2"}};
  std::array<std::array<Fraction, 4>, 3> m;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) m[i][j] = Fraction(points.sum(rows[i][j]));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t pivot = i;
    while (pivot < 3 && m[pivot][i] == 0) ++pivot;
    if (pivot == 3) return std::nullopt;
    std::swap(m[i], m[pivot]);
    for (std::size_t row = 0; row < 3; ++row) {
      if (row == i) continue;
      const Fraction factor = m[row][i] / m[i][i];
      for (std::size_t j = i; j < 4; ++j) m[row][j] -= factor * m[i][j];
    }
  }
  return std::array{Fraction(m[0][3] / m[0][0]), Fraction(m[1][3] / m[1][1]), Fraction(m[2][3] / m[2][2])};
}

math::CompiledProgram regression_program() { return compile_library_program("linear_regression", {{"bound", 4096}}); }

void expect_solution(const math::CompiledProgram& program, const Points& points) {
  const Tables tables = run_tables(program, points.world);
  const auto exact = solve(points);
  const char* names[] = {"constant", "slope_1", "slope_2"};
  for (std::size_t i = 0; i < 3; ++i) {
    const Fraction scaled = exact ? Fraction((*exact)[i] * 65536) : Fraction(0);
    EXPECT_EQ(tables.at(names[i])[0], nearest_even(numerator(scaled), denominator(scaled))) << names[i];
  }
}

TEST(Histogram, clamps_counts_to_their_range) {
  World world;
  world.dims = {{"K", 2}, {"B", 3}};
  world.rows = {{"counts", {{-5, kI32Hi, 1}, {2, 1, kI32Lo}}}};
  const auto tables = run_tables(compile_library_program("histogram", {{"parts", 2}, {"keep", 1}}), world);
  EXPECT_EQ(tables.at("total"), (Values{2, (1 << 20) + 1, 1}));
  EXPECT_EQ(tables.at("quantile"), Values{1});
  EXPECT_EQ(tables.at("fullest"), (Values{0, 1, 0}));
}

TEST(LinearRegression, equals_elimination_with_exact_fractions) {
  const auto program = regression_program();
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    const auto pick = [&](i128 bound) { return below(random, static_cast<std::uint64_t>(2 * bound + 1)) - bound; };
    Points points(1 + random() % 4);
    const i128 bounds[] = {1, 20, 700};
    const i128 bound = bounds[i % 3];
    const std::uint64_t count = random() % (i % 4 == 0 ? 5 : 60);
    const i128 slope = pick(2);
    for (std::uint64_t point = 0; point < count; ++point) {
      const i128 a = pick(bound);
      const i128 b = i % 5 == 0 ? a : pick(bound);  // singular where the features are one
      points.add(random() % points.world.dims["K"], a, b, slope * a - b + 7 + (i % 2 == 1 ? pick(bound / 2) : 0));
    }
    expect_solution(program, points);
  }
}

TEST(LinearRegression, recovers_a_plane) {
  Points points(2);
  for (i128 a = -5; a <= 5; ++a) {
    for (i128 b = -3; b <= 4; ++b) points.add(static_cast<std::size_t>((a + b) & 1), a, b, 11 + 3 * a - 7 * b);
  }
  const Tables tables = run_tables(regression_program(), points.world);
  EXPECT_EQ(tables.at("constant"), Values{11 << 16});
  EXPECT_EQ(tables.at("slope_1"), Values{3 << 16});
  EXPECT_EQ(tables.at("slope_2"), Values{-7 * 65536});
}

TEST(LinearRegression, is_exact_at_the_ends_of_its_ranges) {
  Points points(1024);
  for (std::size_t k = 0; k < 1024; ++k) {
    if (k % 3 == 0) points.add(k, 4096, -4096, k % 2 == 0 ? 4096 : -4096, 2);
    if (k % 3 == 1) points.add(k, 0, 4096, 4096, 2);
    if (k % 3 == 2) points.add(k, 4, 5, -6, (1 << 20) - 1);
  }
  for (const char* name : kSums) {
    for (const i128 sum : points.world.fields[name]) ASSERT_LE(sum < 0 ? -sum : sum, 1 << 25);
  }
  expect_solution(regression_program(), points);
}

TEST(LinearRegression, gives_zeros_where_the_features_do_not_determine_it) {
  const auto program = regression_program();
  for (const std::size_t contributors : {0U, 1U, 3U}) expect_solution(program, Points(contributors));
  Points line(1);
  line.add(0, 1, 2, 5);
  line.add(0, 3, 6, 1);
  EXPECT_FALSE(solve(line).has_value());
  expect_solution(program, line);
}

// Moments with the smallest determinant, and sums of y that belong to no data.
TEST(LinearRegression, stays_within_its_range_whatever_y_is_said_to_be) {
  const auto program = regression_program();
  Points simplex(1);
  simplex.add(0, 0, 0, 3);
  simplex.add(0, 1, 0, 5);
  simplex.add(0, 0, 1, -4);
  expect_solution(program, simplex);  // a determinant of 1
  Points line(1);
  line.add(0, 1, 2, 5);
  line.add(0, 3, 6, 1);
  line.world.fields["y1"] = {1};  // on no line
  expect_solution(program, line);
  // Three Fibonacci numbers: s11 * s22 - s12^2 = 1.
  Points steep(1);
  const i128 values[] = {2, 0, 0, 24157817, 14930352, 9227465, 0, 1 << 24, -(1 << 24)};
  for (std::size_t i = 0; i < std::size(kSums); ++i) steep.world.fields[kSums[i]][0] = values[i];
  const Tables tables = run_tables(program, steep.world);
  EXPECT_EQ(tables.at("whole"), Values{2});
  EXPECT_EQ(tables.at("slope_1"), Values{i128{1} << 62});
  EXPECT_EQ(tables.at("slope_2"), Values{-(i128{1} << 62)});
}

TEST(LinearRegression, ignores_sums_that_no_data_could_have) {
  const auto program = compile_library_program("linear_regression", {{"bound", 10}});
  Points points(2);
  for (const auto& [a, b, y] : {std::tuple<i128, i128, i128>{1, 2, 3}, {4, -5, 9}, {0, 7, -2}, {3, 3, 3}}) {
    points.add(0, a, b, y);
  }
  const Tables honest = run_tables(program, points.world);
  const std::array<i128, 9> hostile[] = {
      // n, s1, s2, s11, s12, s22, y, y1, y2
      {0, 0, 0, 0, 0, 0, 1, 0, 0},    {0, 0, 0, 0, 0, 0, 0, 1, 0},     {0, 0, 0, 0, 0, 0, 0, 0, -1},
      {1, 11, 0, 121, 0, 0, 0, 0, 0}, {1, 0, -11, 0, 0, 121, 0, 0, 0}, {1, 0, 0, 101, 0, 0, 0, 0, 0},
      {1, 0, 0, 0, 0, 101, 0, 0, 0},  {1, 1, 1, 1, 1, 1, 11, 0, 0},    {1, 1, 1, 1, 1, 1, 1, 101, 0},
      {1, 1, 1, 1, 1, 1, 1, 0, 101},  {2, 4, 0, 7, 0, 0, 0, 0, 0},     {2, 0, 4, 0, 0, 7, 0, 0, 0},
      {2, 0, 0, 4, 5, 4, 0, 0, 0},    {3, 3, 3, 4, 1, 4, 0, 0, 0},     {1, 0, 0, 0, 0, 0, 0, 100, 0},
      {1, 0, 0, 0, 0, 0, 0, 0, -100}, {1, 3, 0, 9, 0, 0, 10, 31, 0},   {1, 0, 3, 0, 0, 9, 10, 0, -31}};
  for (const auto& record : hostile) {
    Points poisoned = points;
    for (std::size_t i = 0; i < record.size(); ++i) poisoned.world.fields[kSums[i]][1] = record[i];
    EXPECT_EQ(run_tables(program, poisoned.world), honest);
  }
}

// One point with y at the bound: sums of products with it are the largest that its features allow.
TEST(LinearRegression, takes_sums_of_products_up_to_what_the_features_allow) {
  const auto program = compile_library_program("linear_regression", {{"bound", 10}});
  for (const i128 y : {-10, 10}) {
    Points points(1);
    points.add(0, 3, -7, y);
    EXPECT_EQ(run_tables(program, points.world).at("a"), Values{1});
  }
}

TEST(KMeansStep, takes_a_lone_point_whole_and_the_lower_centre_on_a_tie) {
  World world;
  world.dims = {{"K", 3}, {"D", 1}, {"C", 4}};
  world.rows = {{"points", {{7}, {101}, {50}}}};
  world.fields = {{"weight", {1, 3, 0}}};
  world.states = {{"centres", {6, 100, 102, 50}}};
  EXPECT_EQ(run_tables(compile_library_program("k_means_step"), world).at("next_centres"), (Values{7, 101, 102, 50}));
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
