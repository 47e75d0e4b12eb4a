// lib/fixed_point against integers without bounds: every small argument, dense samples of the rest, and the stated
// bounds.
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

// The value of an expression in x[k] for each x.
Values evaluate(const std::string& expression, const Values& xs) {
  const auto program = compile_text("program p\ndim K in 1..1<<20\nrecord x: i64\nuse fixed_point() as fixed\n" +
                                    ("table y[k in K]: i128 { return " + expression + " }\n"));
  World world;
  world.dims = {{"K", xs.size()}};
  world.fields = {{"x", xs}};
  return run_world(program, world).tables.at("y");
}

Values up_to_and_around_powers(i128 least, i128 dense, int bits) {
  Values xs;
  for (i128 x = least; x <= dense; ++x) xs.push_back(x);
  for (int bit = 2; bit < bits; ++bit) {
    for (int offset = -2; offset <= 2; ++offset) xs.push_back(std::max(least, (i128{1} << bit) + offset));
  }
  return xs;
}

TEST(FixedPoint, root_is_the_exact_floor) {
  const Values xs = up_to_and_around_powers(0, 20000, 63);
  for (const unsigned bits : {0U, 1U, 16U, 31U}) {
    const Values roots = evaluate("fixed.root(max(x[k], 0), " + std::to_string(bits) + ")", xs);
    for (std::size_t i = 0; i < xs.size(); ++i) {
      ASSERT_EQ(roots[i], from_big(floor_root(to_big(xs[i]) << (2 * bits)))) << static_cast<std::int64_t>(xs[i]);
    }
  }
}

TEST(FixedPoint, reciprocal_is_the_nearest_ties_to_even) {
  const Values xs = up_to_and_around_powers(1, 20000, 63);
  for (const unsigned bits : {0U, 1U, 30U, 100U}) {
    const Values values = evaluate("fixed.reciprocal(max(x[k], 1), " + std::to_string(bits) + ")", xs);
    for (std::size_t i = 0; i < xs.size(); ++i) {
      ASSERT_EQ(values[i], nearest_even(BigInt(1) << bits, to_big(xs[i]))) << static_cast<std::int64_t>(xs[i]);
    }
  }
}

constexpr unsigned kBits = 200;  // of the exact exponential's fraction

// e^(x / 2^32) with 200 fraction bits, to a few units of the last: the series, of x / 64 so that it is short, squared
// six times.
BigInt exact_exponential(i128 x) {
  const unsigned guard = 64;
  const BigInt one = BigInt(1) << (kBits + guard);
  const BigInt z = (to_big(x) << (kBits + guard)) / (BigInt(1) << 38);
  BigInt term = one;
  BigInt sum = one;
  for (int n = 1; term != 0; ++n) {
    term = term * z / one / n;
    sum += term;
  }
  for (int squaring = 0; squaring < 6; ++squaring) sum = sum * sum / one;
  return sum >> guard;
}

TEST(FixedPoint, exponential_is_within_its_stated_error) {
  const i128 one = i128{1} << 32;
  Values xs{-100 * one, -22 * one - 1, -22 * one, -one, -1, 0, 1, one, 22 * one - 1, 22 * one, 22 * one + 1, 100 * one};
  for (i128 x = -2000; x <= 2000; ++x) xs.push_back(x);
  for (i128 x = -22 * one; x <= 22 * one; x += 12345677) xs.push_back(x);
  // On both sides of each multiple of ln 2, where the power of two changes.
  for (i128 n = -31; n <= 31; ++n) {
    for (i128 offset = -2; offset <= 2; ++offset) xs.push_back(n * 2977044472 + offset);
  }
  const Values values = evaluate("fixed.exponential(x[k])", xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const BigInt exact = exact_exponential(std::clamp(xs[i], -22 * one, 22 * one));
    const BigInt error = abs(BigInt((to_big(values[i]) << (kBits - 32)) - exact));
    // 1/2 unit of 2^-32, and 2^-56 of the value.
    ASSERT_LE(error, (BigInt(1) << (kBits - 33)) + (exact >> 56) + 1) << static_cast<std::int64_t>(xs[i]);
  }
}

TEST(FixedPoint, exponential_never_falls_as_its_argument_rises) {
  Values xs;
  const i128 one = i128{1} << 32;
  for (i128 x = -22 * one; x <= 22 * one; x += 198765433) {
    xs.push_back(x);
    xs.push_back(x + 1);
  }
  const Values values = evaluate("fixed.exponential(x[k])", xs);
  EXPECT_TRUE(std::ranges::is_sorted(values));
}

}  // namespace
}  // namespace tally::test
