#include "deterministic_math/numbers/quantiser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "deterministic_math/numbers/assert.h"

namespace tally::math {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are read in place as little-endian");

// Small enough for the second pass over a flagged block to find its data in the first-level cache.
constexpr std::size_t kBlock = 2048;

// A float format as the fast pass sees it: its bits in an unsigned lane, with the significand shifted up by kUp, which
// leaves the top bit free. A finite value then fits i32 (but for -2^31, which the scalar pass settles) only where its
// right shift is >= kLeastShift.
template <typename LaneType, typename StoredType, int kStoredShift, int kExponent, int kMantissa, int kShiftUp,
          int kLeast>
struct Format {
  using Lane = LaneType;
  using Stored = StoredType;
  static constexpr int kWidth = std::numeric_limits<Lane>::digits;
  static constexpr int kMantissaBits = kMantissa;
  static constexpr int kUp = kShiftUp;
  static constexpr int kLeastShift = kLeast;
  static constexpr Lane kExponentMax = (Lane{1} << kExponent) - 1;
  static constexpr Lane kImplicit = Lane{1} << kMantissa;
  static constexpr int kSignBit = kExponent + kMantissa;
  // value = significand * 2^(max(exponent, 1) - kBias)
  static constexpr int kBias = (1 << (kExponent - 1)) - 1 + kMantissa;

  static Lane load(const std::byte* source, std::size_t index) {
    Stored bits;
    std::memcpy(&bits, source + index * sizeof(Stored), sizeof(Stored));
    return static_cast<Lane>(static_cast<Lane>(bits) << kStoredShift);
  }
};

using F16 = Format<std::uint32_t, std::uint16_t, 0, 5, 10, 20, 0>;
using Bf16 = Format<std::uint32_t, std::uint16_t, 16, 8, 23, 7, 0>;
using F32 = Format<std::uint32_t, std::uint32_t, 0, 8, 23, 7, 0>;
using F64 = Format<std::uint64_t, std::uint64_t, 0, 11, 52, 0, 22>;

// Bound to one instruction set by the functions that inline it; true where some element needs the scalar pass.
template <typename F>
[[gnu::always_inline]] inline bool quantise_lanes(const std::byte* __restrict source, std::int32_t* __restrict out,
                                                  std::size_t count, const QuantiseOptions& options) {
  using Lane = typename F::Lane;
  using Signed = std::make_signed_t<Lane>;
  const Signed lo = options.lo;
  const Signed hi = options.hi;
  const Signed bias = F::kBias + F::kUp - options.frac_bits;
  Lane suspicious = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Lane bits = F::load(source, i);
    const Lane exponent = (bits >> F::kMantissaBits) & F::kExponentMax;
    const Lane implicit = exponent == 0 ? Lane{0} : F::kImplicit;
    const Lane significand = ((bits & (F::kImplicit - 1)) | implicit) << F::kUp;
    const Signed shift = bias - static_cast<Signed>(exponent == 0 ? Lane{1} : exponent);
    const Lane twice = shift >= F::kWidth ? Lane{0} : significand << 1;
    const Lane places = static_cast<Lane>(shift) & Lane{F::kWidth - 1};
    // The lowest bit of `doubled` is the half; it rounds up where something lies below it or the result would be odd.
    const Lane doubled = twice >> places;
    const Lane below = (doubled << places) != twice ? Lane{1} : Lane{0};
    const Lane magnitude = (doubled >> 1) + (doubled & 1 & ((doubled >> 1) | below));
    const Lane negative = Lane{0} - ((bits >> F::kSignBit) & 1);
    const Signed value = static_cast<Signed>((magnitude ^ negative) - negative);
    suspicious |= static_cast<Lane>(shift < F::kLeastShift) | static_cast<Lane>(exponent == F::kExponentMax) |
                  static_cast<Lane>(value < lo) | static_cast<Lane>(value > hi);
    out[i] = static_cast<std::int32_t>(value);
  }
  return suspicious != 0;
}

[[gnu::always_inline]] inline bool copy_lanes(const std::byte* __restrict source, std::int32_t* __restrict out,
                                              std::size_t count, const QuantiseOptions& options) {
  std::uint32_t suspicious = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t value;
    std::memcpy(&value, source + i * sizeof value, sizeof value);
    suspicious |= static_cast<std::uint32_t>(value < options.lo) | static_cast<std::uint32_t>(value > options.hi);
    out[i] = value;
  }
  return suspicious != 0;
}

// Shifts by a different count in each lane came with AVX2; without them the loop stays scalar, and equally right.
template <typename F>
bool quantise_portable(const std::byte* source, std::int32_t* out, std::size_t count, const QuantiseOptions& options) {
  return quantise_lanes<F>(source, out, count, options);
}

#if defined(__x86_64__)
// GCC keeps to 256 bits by default.
#if defined(__clang__)
#define TALLY_WIDE_VECTORS
#else
#define TALLY_WIDE_VECTORS ",prefer-vector-width=512"
#endif

template <typename F>
[[gnu::target("avx2")]] bool quantise_avx2(const std::byte* source, std::int32_t* out, std::size_t count,
                                           const QuantiseOptions& options) {
  return quantise_lanes<F>(source, out, count, options);
}

template <typename F>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl" TALLY_WIDE_VECTORS)]] bool quantise_avx512(
    const std::byte* source, std::int32_t* out, std::size_t count, const QuantiseOptions& options) {
  return quantise_lanes<F>(source, out, count, options);
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}
#endif

using BlockFunction = bool (*)(const std::byte*, std::int32_t*, std::size_t, const QuantiseOptions&);

template <typename F>
BlockFunction fastest() {
#if defined(__x86_64__)
  if (has_avx512()) return quantise_avx512<F>;
  if (__builtin_cpu_supports("avx2") != 0) return quantise_avx2<F>;
#endif
  return quantise_portable<F>;
}

// Stands for every finite magnitude far beyond i32.
constexpr std::int64_t kHuge = std::int64_t{1} << 40;

std::int64_t scaled_magnitude(std::uint64_t significand, int exponent) {
  if (exponent >= 0) {
    if (significand != 0 && static_cast<int>(std::bit_width(significand)) + exponent > 40) return kHuge;
    return static_cast<std::int64_t>(significand == 0 ? 0 : significand << exponent);
  }
  const int places = -exponent;
  if (places > 60) return 0;
  const std::uint64_t below_half = (std::uint64_t{1} << (places - 1)) - 1;
  const std::uint64_t rounded = (significand + below_half + ((significand >> places) & 1)) >> places;
  return static_cast<std::int64_t>(std::min(rounded, static_cast<std::uint64_t>(kHuge)));
}

// The value of a finite element as a double, whose significand and exponent hold every format.
double as_double(bool negative, std::uint64_t significand, int exponent) {
  std::uint64_t bits = 0;
  if (significand != 0) {
    const int top = static_cast<int>(std::bit_width(significand)) - 1;
    const int biased = top + exponent + 1023;
    bits = biased > 0 ? (significand << (52 - top)) + (static_cast<std::uint64_t>(biased - 1) << 52) : significand;
  }
  return std::bit_cast<double>(bits | (static_cast<std::uint64_t>(negative) << 63));
}

/// Settles elements one by one: the exact reason, or the clipped value.
class ScalarPass {
 public:
  ScalarPass(const QuantiseOptions& options, std::uint64_t first, QuantiseStats& stats)
      : x_options(options), x_first(first), x_stats(stats) {}

  template <typename F>
  std::optional<QuantiseError> run(const std::byte* source, std::int32_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = F::load(source, i);
      const bool negative = ((bits >> F::kSignBit) & 1) != 0;
      const auto exponent = static_cast<int>((bits >> F::kMantissaBits) & F::kExponentMax);
      const std::uint64_t mantissa = bits & (F::kImplicit - 1);
      if (exponent == static_cast<int>(F::kExponentMax)) {
        const double infinity = std::bit_cast<double>((std::uint64_t{negative} << 63) | 0x7ff0000000000000U);
        if (mantissa == 0) return QuantiseError{QuantiseReason::kInfinite, x_first + i, infinity};
        return QuantiseError{QuantiseReason::kNotANumber, x_first + i,
                             std::bit_cast<double>(std::uint64_t{0x7ff8000000000000U})};
      }
      const std::uint64_t significand = exponent == 0 ? mantissa : mantissa | F::kImplicit;
      const int power = std::max(exponent, 1) - F::kBias;
      const std::int64_t magnitude = scaled_magnitude(significand, power + x_options.frac_bits);
      const std::int64_t value = negative ? -magnitude : magnitude;
      const std::optional<std::int32_t> settled = settle(value);
      if (!settled) {
        return QuantiseError{QuantiseReason::kOutOfRange, x_first + i, as_double(negative, significand, power)};
      }
      out[i] = *settled;
    }
    return std::nullopt;
  }

  std::optional<QuantiseError> run_fixed(const std::byte* source, std::int32_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::int32_t value;
      std::memcpy(&value, source + i * sizeof value, sizeof value);
      const std::optional<std::int32_t> settled = settle(value);
      if (!settled) return QuantiseError{QuantiseReason::kOutOfRange, x_first + i, static_cast<double>(value)};
      out[i] = *settled;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::int32_t> settle(std::int64_t value) {
    const std::int64_t inside = std::clamp<std::int64_t>(value, x_options.lo, x_options.hi);
    if (inside != value) {
      if (x_options.out_of_range == OutOfRangePolicy::kRefuse) return std::nullopt;
      ++x_stats.clipped;
    }
    return static_cast<std::int32_t>(inside);
  }

  const QuantiseOptions& x_options;
  std::uint64_t x_first;
  QuantiseStats& x_stats;
};

template <typename F>
std::expected<QuantiseStats, QuantiseError> quantise_blocks(const std::byte* source, std::span<std::int32_t> out,
                                                            const QuantiseOptions& options) {
  static const BlockFunction block_function = fastest<F>();
  QuantiseStats stats;
  for (std::size_t first = 0; first < out.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, out.size() - first);
    const std::byte* const from = source + first * sizeof(typename F::Stored);
    if (!block_function(from, out.data() + first, count, options)) continue;
    const auto error = ScalarPass(options, first, stats).run<F>(from, out.data() + first, count);
    if (error) return std::unexpected(*error);
  }
  return stats;
}

void assert_options(const QuantiseOptions& options) {
  TALLY_ASSERT(options.frac_bits >= 0 && options.frac_bits <= kMaxFracBits);
  TALLY_ASSERT(options.lo <= options.hi);
}

double value_of(std::int32_t q, int frac_bits) {
  return static_cast<double>(q) * std::bit_cast<double>(static_cast<std::uint64_t>(1023 - frac_bits) << 52);
}

// The bits of the 16-bit float with the given field widths nearest to q * 2^-frac_bits; nothing where it overflows.
// Where rounding carries out of the significand, the addition carries into the exponent, as it should.
template <int kExponent, int kMantissa>
std::optional<std::uint16_t> nearest_bits(std::int32_t q, int frac_bits) {
  constexpr int kLeastExponent = 2 - (1 << (kExponent - 1));
  constexpr std::uint64_t kInfinity = ((std::uint64_t{1} << kExponent) - 1) << kMantissa;
  const auto sign = static_cast<std::uint64_t>(q < 0) << (kExponent + kMantissa);
  const auto magnitude = static_cast<std::uint64_t>(q < 0 ? -std::int64_t{q} : std::int64_t{q});
  if (magnitude == 0) return std::uint16_t{0};
  const int exponent = std::max(static_cast<int>(std::bit_width(magnitude)) - 1 - frac_bits, kLeastExponent);
  const int places = exponent - kMantissa + frac_bits;
  std::uint64_t significand = magnitude;
  if (places > 0) {
    const std::uint64_t below_half = (std::uint64_t{1} << (places - 1)) - 1;
    significand = (magnitude + below_half + ((magnitude >> places) & 1)) >> places;
  } else {
    significand <<= -places;
  }
  const std::uint64_t bits = (static_cast<std::uint64_t>(exponent - kLeastExponent) << kMantissa) + significand;
  if (bits >= kInfinity) return std::nullopt;
  return static_cast<std::uint16_t>(sign | bits);
}

template <int kExponent, int kMantissa>
std::expected<void, QuantiseError> dequantise_16(std::span<const std::int32_t> source, std::byte* out, int frac_bits) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::optional<std::uint16_t> bits = nearest_bits<kExponent, kMantissa>(source[i], frac_bits);
    if (!bits) {
      return std::unexpected(QuantiseError{QuantiseReason::kNotRepresentable, i, value_of(source[i], frac_bits)});
    }
    std::memcpy(out + i * sizeof *bits, &*bits, sizeof *bits);
  }
  return {};
}

// i32 to double is exact, so only bits are left to round; no f32 here is subnormal, since |q| 2^-30 >= 2^-30.
std::uint32_t nearest_f32_bits(std::int32_t q, int frac_bits) {
  const auto wide = std::bit_cast<std::uint64_t>(static_cast<double>(q));
  const auto sign = static_cast<std::uint32_t>(wide >> 63) << 31;
  const std::uint64_t rounded = ((wide & ~(std::uint64_t{1} << 63)) + 0x0fffffffU + ((wide >> 29) & 1)) >> 29;
  const std::uint32_t rebias = static_cast<std::uint32_t>(1023 - 127 + frac_bits) << 23;
  return q == 0 ? 0 : sign | (static_cast<std::uint32_t>(rounded) - rebias);
}

template <typename Stored, typename Convert>
void store_all(std::span<const std::int32_t> source, std::byte* out, Convert convert) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Stored bits = convert(source[i]);
    std::memcpy(out + i * sizeof(Stored), &bits, sizeof(Stored));
  }
}

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace

std::string QuantiseError::message() const {
  const std::string element = "element " + std::to_string(index);
  switch (reason) {
    case QuantiseReason::kNotANumber:
      return element + " is NaN";
    case QuantiseReason::kInfinite:
      return element + " is " + (std::bit_cast<std::int64_t>(value) < 0 ? "-" : "+") + "infinity";
    case QuantiseReason::kOutOfRange:
      return element + " is " + shortest(value) + ", out of range";
    case QuantiseReason::kNotRepresentable:
      return element + " is " + shortest(value) + ", beyond the largest finite float of this type";
  }
  return element;
}

std::expected<QuantiseStats, QuantiseError> quantise(FloatType type, std::span<const std::byte> source,
                                                     std::span<std::int32_t> out, const QuantiseOptions& options) {
  assert_options(options);
  TALLY_ASSERT(source.size() == out.size() * element_bytes(type));
  switch (type) {
    case FloatType::kF16:
      return quantise_blocks<F16>(source.data(), out, options);
    case FloatType::kBf16:
      return quantise_blocks<Bf16>(source.data(), out, options);
    case FloatType::kF32:
      return quantise_blocks<F32>(source.data(), out, options);
    case FloatType::kF64:
      return quantise_blocks<F64>(source.data(), out, options);
  }
  TALLY_ASSERT(false);
  return {};
}

std::expected<QuantiseStats, QuantiseError> copy_fixed(std::span<const std::byte> source, std::span<std::int32_t> out,
                                                       const QuantiseOptions& options) {
  assert_options(options);
  TALLY_ASSERT(source.size() == out.size() * sizeof(std::int32_t));
  QuantiseStats stats;
  for (std::size_t first = 0; first < out.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, out.size() - first);
    const std::byte* const from = source.data() + first * sizeof(std::int32_t);
    if (!copy_lanes(from, out.data() + first, count, options)) continue;
    const auto error = ScalarPass(options, first, stats).run_fixed(from, out.data() + first, count);
    if (error) return std::unexpected(*error);
  }
  return stats;
}

std::expected<void, QuantiseError> dequantise(FloatType type, std::span<const std::int32_t> source,
                                              std::span<std::byte> out, int frac_bits) {
  TALLY_ASSERT(frac_bits >= 0 && frac_bits <= kMaxFracBits);
  TALLY_ASSERT(out.size() == source.size() * element_bytes(type));
  switch (type) {
    case FloatType::kF16:
      return dequantise_16<5, 10>(source, out.data(), frac_bits);
    case FloatType::kBf16:
      return dequantise_16<8, 7>(source, out.data(), frac_bits);
    case FloatType::kF32:
      store_all<std::uint32_t>(source, out.data(), [=](std::int32_t q) { return nearest_f32_bits(q, frac_bits); });
      return {};
    case FloatType::kF64:
      store_all<std::uint64_t>(source, out.data(),
                               [=](std::int32_t q) { return std::bit_cast<std::uint64_t>(value_of(q, frac_bits)); });
      return {};
  }
  TALLY_ASSERT(false);
  return {};
}

}  // namespace tally::math
