#include "deterministic_math/numbers/quantiser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "deterministic_math/numbers/int128.h"

namespace tally::math {
namespace {

constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();

struct Widths {
  int exponent;
  int mantissa;
};

Widths widths_of(FloatType type) {
  switch (type) {
    case FloatType::kF16:
      return {5, 10};
    case FloatType::kBf16:
      return {8, 7};
    case FloatType::kF32:
      return {8, 23};
    case FloatType::kF64:
      return {11, 52};
  }
  return {};
}

struct Expected {
  std::optional<QuantiseReason> reason;
  std::int32_t value = 0;
};

// The reference: the number as a quotient of two integers, divided with a remainder.
Expected reference(FloatType type, std::uint64_t bits, const QuantiseOptions& options) {
  const Widths widths = widths_of(type);
  const int bias = (1 << (widths.exponent - 1)) - 1;
  const auto exponent = static_cast<int>((bits >> widths.mantissa) & ((1U << widths.exponent) - 1));
  const i128 mantissa = static_cast<i128>(bits & ((std::uint64_t{1} << widths.mantissa) - 1));
  const bool negative = ((bits >> (widths.exponent + widths.mantissa)) & 1) != 0;
  if (exponent == (1 << widths.exponent) - 1) {
    return {mantissa == 0 ? QuantiseReason::kInfinite : QuantiseReason::kNotANumber};
  }
  const i128 numerator = exponent == 0 ? mantissa : mantissa + (i128{1} << widths.mantissa);
  const int power = (exponent == 0 ? 1 : exponent) - bias - widths.mantissa + options.frac_bits;
  i128 magnitude = 0;
  if (power >= 0) {
    magnitude = numerator == 0 ? 0 : power > 60 ? i128{1} << 100 : numerator << power;
  } else if (power > -120) {
    const i128 divisor = i128{1} << -power;
    magnitude = numerator / divisor;
    const i128 twice_rest = 2 * (numerator % divisor);
    if (twice_rest > divisor || (twice_rest == divisor && magnitude % 2 == 1)) ++magnitude;
  }
  const i128 value = negative ? -magnitude : magnitude;
  if (value >= options.lo && value <= options.hi) return {std::nullopt, static_cast<std::int32_t>(value)};
  if (options.out_of_range == OutOfRangePolicy::kRefuse) return {QuantiseReason::kOutOfRange};
  return {std::nullopt, value < options.lo ? options.lo : options.hi};
}

std::vector<std::byte> pack(FloatType type, const std::vector<std::uint64_t>& elements) {
  const std::size_t width = element_bytes(type);
  std::vector<std::byte> bytes(elements.size() * width);
  for (std::size_t i = 0; i < elements.size(); ++i) std::memcpy(bytes.data() + i * width, &elements[i], width);
  return bytes;
}

// Elements that the reference accepts are converted in one bulk call; each of the others is put at the end of a run of
// good ones, so that its index is known.
void compare_with_reference(FloatType type, const std::vector<std::uint64_t>& elements,
                            const QuantiseOptions& options) {
  std::vector<std::uint64_t> good;
  std::vector<std::int32_t> expected;
  std::uint64_t clipped = 0;
  QuantiseOptions refusing = options;
  refusing.out_of_range = OutOfRangePolicy::kRefuse;
  for (const std::uint64_t bits : elements) {
    const Expected right = reference(type, bits, options);
    if (right.reason) {
      const std::vector<std::uint64_t> run = {0, 0, bits, bits};
      std::vector<std::int32_t> out(run.size());
      const auto result = quantise(type, pack(type, run), out, options);
      ASSERT_FALSE(result.has_value()) << std::hex << bits;
      ASSERT_EQ(result.error().reason, *right.reason) << std::hex << bits;
      ASSERT_EQ(result.error().index, 2U);
      continue;
    }
    good.push_back(bits);
    expected.push_back(right.value);
    if (reference(type, bits, refusing).reason) ++clipped;
  }
  std::vector<std::int32_t> out(good.size());
  const auto result = quantise(type, pack(type, good), out, options);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(result->clipped, clipped);
  for (std::size_t i = 0; i < good.size(); ++i) ASSERT_EQ(out[i], expected[i]) << std::hex << good[i];
}

class Sixteen : public testing::TestWithParam<FloatType> {};

TEST_P(Sixteen, every_value_equals_the_reference_at_every_precision) {
  std::vector<std::uint64_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (int frac_bits = 0; frac_bits <= kMaxFracBits; ++frac_bits) {
    compare_with_reference(GetParam(), all, {.frac_bits = frac_bits});
  }
  compare_with_reference(GetParam(), all, {.frac_bits = 10, .lo = -3000, .hi = 1});
  compare_with_reference(GetParam(), all,
                         {.frac_bits = 12, .lo = -5, .hi = 70000, .out_of_range = OutOfRangePolicy::kClip});
}

INSTANTIATE_TEST_SUITE_P(Quantiser, Sixteen, testing::Values(FloatType::kF16, FloatType::kBf16),
                         [](const auto& test) { return test.param == FloatType::kF16 ? "f16" : "bf16"; });

// Zeros, subnormals, halves, neighbours of 2^31 and the ends of the format, at the given precision.
std::vector<std::uint64_t> edges(FloatType type, int frac_bits) {
  const Widths widths = widths_of(type);
  const int bias = (1 << (widths.exponent - 1)) - 1;
  const std::uint64_t one = std::uint64_t{1} << widths.mantissa;
  const std::uint64_t infinity = ((std::uint64_t{1} << widths.exponent) - 1) << widths.mantissa;
  std::vector<std::uint64_t> found = {
      0, 1, 2, one - 1, one, one + 1, infinity, infinity - 1, infinity + 1, infinity + one - 1};
  for (int power = -3; power <= 33; ++power) {
    const std::uint64_t bits = static_cast<std::uint64_t>(power - frac_bits + bias) << widths.mantissa;
    for (const std::uint64_t offset : {one / 2, one / 4, std::uint64_t{3} * (one / 4), one >> 20, one >> 22}) {
      for (const std::uint64_t around : {bits, bits + offset}) {
        found.insert(found.end(), {around - 1, around, around + 1});
      }
    }
    // m + 1/2 for m below 2^power, where the format holds it.
    if (power >= 0 && power < widths.mantissa) {
      const std::uint64_t half = one >> (power + 1);
      for (const std::uint64_t odd : {1U, 3U, 5U, 7U}) found.push_back(bits + odd * half);
    }
  }
  const std::uint64_t sign = std::uint64_t{1} << (widths.exponent + widths.mantissa);
  const std::size_t count = found.size();
  for (std::size_t i = 0; i < count; ++i) found.push_back(found[i] | sign);
  return found;
}

TEST(Quantiser, agrees_with_the_reference_on_edges) {
  for (const FloatType type : {FloatType::kF32, FloatType::kF64}) {
    for (int frac_bits = 0; frac_bits <= kMaxFracBits; ++frac_bits) {
      const auto elements = edges(type, frac_bits);
      compare_with_reference(type, elements, {.frac_bits = frac_bits});
      compare_with_reference(type, elements, {.frac_bits = frac_bits, .lo = -1000, .hi = 7});
      compare_with_reference(type, elements, {.frac_bits = frac_bits, .out_of_range = OutOfRangePolicy::kClip});
      compare_with_reference(type, elements,
                             {.frac_bits = frac_bits, .lo = 5, .hi = 1 << 20, .out_of_range = OutOfRangePolicy::kClip});
    }
  }
}

TEST(Quantiser, agrees_with_the_reference_on_random_bits) {
  std::mt19937_64 random(20240607);
  for (const FloatType type : {FloatType::kF32, FloatType::kF64}) {
    const Widths widths = widths_of(type);
    const int bias = (1 << (widths.exponent - 1)) - 1;
    for (int round = 0; round < 40; ++round) {
      const QuantiseOptions options{.frac_bits = static_cast<int>(random() % (kMaxFracBits + 1))};
      std::vector<std::uint64_t> elements(5000);
      for (std::uint64_t& bits : elements) {
        const auto exponent =
            static_cast<std::uint64_t>(bias - options.frac_bits - 4 + static_cast<int>(random() % 36));
        bits = random();
        if (random() % 8 != 0) {
          const std::uint64_t kept = (std::uint64_t{1} << widths.mantissa) - 1;
          bits =
              (bits & kept) | (exponent << widths.mantissa) | ((random() & 1) << (widths.exponent + widths.mantissa));
        }
        if (type == FloatType::kF32) bits &= 0xffffffffU;
      }
      compare_with_reference(type, elements, options);
    }
  }
}

TEST(Quantiser, does_not_depend_on_the_rounding_mode) {
  const std::vector<float> values = {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.75F, -0.25F};
  const std::vector<std::int32_t> expected = {0, 2, 2, 0, -2, -2, 1, 0};
  for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    std::vector<std::int32_t> out(values.size());
    const auto result = quantise(FloatType::kF32, std::as_bytes(std::span(values)), out, {.frac_bits = 0});
    std::vector<float> back(1);
    const std::vector<std::int32_t> odd = {(1 << 24) + 1};
    const auto undone = dequantise(FloatType::kF32, odd, std::as_writable_bytes(std::span(back)), 0);
    std::fesetround(FE_TONEAREST);
    ASSERT_TRUE(result.has_value());
    ASSERT_TRUE(undone.has_value());
    EXPECT_EQ(out, expected);
    EXPECT_EQ(back[0], 16777216.0F);
  }
}

// Pitfall 35: one NaN among many is named, wherever it stands.
TEST(Quantiser, names_the_first_bad_element_wherever_it_stands) {
  RC_ASSERT(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(1, 9000);
    const auto place = *rc::gen::inRange<std::size_t>(0, size);
    const auto kind = *rc::gen::inRange(0, 3);
    const std::array<float, 3> bad = {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(),
                                      200.0F};
    const std::array<QuantiseReason, 3> reasons = {QuantiseReason::kNotANumber, QuantiseReason::kInfinite,
                                                   QuantiseReason::kOutOfRange};
    std::vector<float> values(size, 0.25F);
    values[place] = bad[static_cast<std::size_t>(kind)];
    values[size - 1] = bad[static_cast<std::size_t>(kind)];
    std::vector<std::int32_t> out(size);
    const auto result = quantise(FloatType::kF32, std::as_bytes(std::span(values)), out, {});
    RC_ASSERT(!result.has_value());
    RC_ASSERT(result.error().reason == reasons[static_cast<std::size_t>(kind)]);
    RC_ASSERT(result.error().index == place);
  }));
}

TEST(Quantiser, says_what_is_wrong_with_an_element) {
  const std::vector<double> values = {0.0, -1e300, std::numeric_limits<double>::infinity(), std::nan(""), 5e-324};
  std::vector<std::int32_t> one(1);
  const auto message = [&](std::size_t index) {
    const auto result =
        quantise(FloatType::kF64, std::as_bytes(std::span(values)).subspan(index * 8, 8), one, QuantiseOptions{});
    return result ? std::string("fine") : result.error().message();
  };
  EXPECT_EQ(message(0), "fine");
  EXPECT_EQ(message(1), "element 0 is -1e+300, out of range");
  EXPECT_EQ(message(2), "element 0 is +infinity");
  EXPECT_EQ(message(3), "element 0 is NaN");
  EXPECT_EQ(message(4), "fine");
}

TEST(Quantiser, clips_finite_values_only_and_counts_them) {
  std::vector<float> values(5000, 0.5F);
  values[3] = 1e9F;
  values[2900] = -1e30F;
  values[4999] = 1.25F;
  const QuantiseOptions options{
      .frac_bits = 24, .lo = -(1 << 24), .hi = 1 << 24, .out_of_range = OutOfRangePolicy::kClip};
  std::vector<std::int32_t> out(values.size());
  const auto result = quantise(FloatType::kF32, std::as_bytes(std::span(values)), out, options);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->clipped, 3U);
  EXPECT_EQ(out[3], 1 << 24);
  EXPECT_EQ(out[2900], -(1 << 24));
  EXPECT_EQ(out[4999], 1 << 24);
  EXPECT_EQ(out[0], 1 << 23);
  values[4000] = std::numeric_limits<float>::infinity();
  const auto infinite = quantise(FloatType::kF32, std::as_bytes(std::span(values)), out, options);
  ASSERT_FALSE(infinite.has_value());
  EXPECT_EQ(infinite.error().reason, QuantiseReason::kInfinite);
  EXPECT_EQ(infinite.error().index, 4000U);
}

TEST(Quantiser, checks_integers_that_are_fixed_point_already) {
  std::vector<std::int32_t> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i) - 1500;
  std::vector<std::int32_t> out(values.size());
  ASSERT_TRUE(copy_fixed(std::as_bytes(std::span(values)), out, {}).has_value());
  EXPECT_EQ(out, values);
  const auto refused = copy_fixed(std::as_bytes(std::span(values)), out, {.lo = -1500, .hi = 1000});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, QuantiseReason::kOutOfRange);
  EXPECT_EQ(refused.error().index, 2501U);
  EXPECT_EQ(refused.error().value, 1001.0);
  const auto clipped = copy_fixed(std::as_bytes(std::span(values)), out,
                                  {.lo = -10, .hi = 1000, .out_of_range = OutOfRangePolicy::kClip});
  ASSERT_TRUE(clipped.has_value());
  EXPECT_EQ(clipped->clipped, 1490U + 499U);
  EXPECT_EQ(out.front(), -10);
  EXPECT_EQ(out.back(), 1000);
}

std::vector<std::int32_t> interesting_integers() {
  std::vector<std::int32_t> found = {kMin, kMin + 1, kMax, 0};
  for (int power = 0; power < 31; ++power) {
    for (int low = 0; low < power; ++low) {
      for (const std::int32_t near : {-1, 0, 1}) {
        found.push_back((std::int32_t{1} << power) + (std::int32_t{1} << low) + near);
        found.push_back(-found.back());
      }
    }
  }
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) found.push_back(static_cast<std::int32_t>(random() >> (random() % 32)));
  return found;
}

TEST(Dequantiser, is_exact_in_f64_and_correctly_rounded_in_f32) {
  const auto source = interesting_integers();
  for (int frac_bits = 0; frac_bits <= kMaxFracBits; ++frac_bits) {
    std::vector<double> wide(source.size());
    std::vector<float> narrow(source.size());
    ASSERT_TRUE(dequantise(FloatType::kF64, source, std::as_writable_bytes(std::span(wide)), frac_bits).has_value());
    ASSERT_TRUE(dequantise(FloatType::kF32, source, std::as_writable_bytes(std::span(narrow)), frac_bits).has_value());
    for (std::size_t i = 0; i < source.size(); ++i) {
      const double exact = std::ldexp(static_cast<double>(source[i]), -frac_bits);
      ASSERT_EQ(std::bit_cast<std::uint64_t>(wide[i]), std::bit_cast<std::uint64_t>(exact));
      ASSERT_EQ(std::bit_cast<std::uint32_t>(narrow[i]), std::bit_cast<std::uint32_t>(static_cast<float>(exact)));
    }
  }
}

// All non-negative finite values of a 16-bit format in order; the index is the bit pattern.
std::vector<double> finite_values(FloatType type) {
  const Widths widths = widths_of(type);
  const int bias = (1 << (widths.exponent - 1)) - 1;
  std::vector<double> values;
  for (int bits = 0; bits >> widths.mantissa < (1 << widths.exponent) - 1; ++bits) {
    const int exponent = bits >> widths.mantissa;
    const int mantissa = bits & ((1 << widths.mantissa) - 1);
    values.push_back(std::ldexp(exponent == 0 ? mantissa : mantissa + (1 << widths.mantissa),
                                std::max(exponent, 1) - bias - widths.mantissa));
  }
  return values;
}

class SixteenBack : public testing::TestWithParam<FloatType> {};

TEST_P(SixteenBack, gives_the_nearest_value_with_ties_to_even) {
  const auto values = finite_values(GetParam());
  // The value that would follow the largest one: at half the way to it, rounding overflows.
  const double beyond = 2 * values.back() - values[values.size() - 2];
  for (int frac_bits = 0; frac_bits <= kMaxFracBits; ++frac_bits) {
    for (const std::int32_t q : interesting_integers()) {
      const double exact = std::ldexp(std::abs(static_cast<double>(q)), -frac_bits);
      std::uint16_t bits = 0;
      const std::vector<std::int32_t> source = {q};
      const auto result = dequantise(GetParam(), source, std::as_writable_bytes(std::span(&bits, 1)), frac_bits);
      const auto above = std::lower_bound(values.begin(), values.end(), exact) - values.begin();
      auto nearest = static_cast<std::size_t>(above);
      const double upper = nearest == values.size() ? beyond : values[nearest];
      if (nearest > 0) {
        const double down = exact - values[nearest - 1];
        const double up = upper - exact;
        if (down < up || (down == up && (nearest - 1) % 2 == 0)) --nearest;
      }
      if (nearest == values.size()) {
        ASSERT_FALSE(result.has_value()) << q << " at " << frac_bits;
        ASSERT_EQ(result.error().reason, QuantiseReason::kNotRepresentable);
        continue;
      }
      ASSERT_TRUE(result.has_value()) << q << " at " << frac_bits;
      ASSERT_EQ(bits, nearest | (q < 0 ? 0x8000U : 0U)) << q << " at " << frac_bits;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dequantiser, SixteenBack, testing::Values(FloatType::kF16, FloatType::kBf16),
                         [](const auto& test) { return test.param == FloatType::kF16 ? "f16" : "bf16"; });

TEST(Dequantiser, names_the_element_that_f16_cannot_hold) {
  const std::vector<std::int32_t> source = {65519, -65504, 70000};
  std::vector<std::uint16_t> out(source.size());
  const auto result = dequantise(FloatType::kF16, source, std::as_writable_bytes(std::span(out)), 0);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, QuantiseReason::kNotRepresentable);
  EXPECT_EQ(result.error().index, 2U);
  EXPECT_EQ(result.error().message(), "element 2 is 70000, beyond the largest finite float of this type");
  EXPECT_EQ(out[0], 0x7bffU);
  EXPECT_EQ(out[1], 0xfbffU);
}

TEST(Quantiser, undoes_the_dequantiser) {
  const auto source = interesting_integers();
  for (int frac_bits = 0; frac_bits <= kMaxFracBits; ++frac_bits) {
    std::vector<double> wide(source.size());
    std::vector<std::int32_t> back(source.size());
    ASSERT_TRUE(dequantise(FloatType::kF64, source, std::as_writable_bytes(std::span(wide)), frac_bits).has_value());
    ASSERT_TRUE(quantise(FloatType::kF64, std::as_bytes(std::span(wide)), back, {.frac_bits = frac_bits}).has_value());
    ASSERT_EQ(back, source);
  }
}

}  // namespace
}  // namespace tally::math
