// Floats at the border: IEEE 754 arrays to fixed point and back.
//
// A fixed-point value q stands for x = q * 2^-frac_bits. This is the only place of the core that knows floats, and even
// here no float is ever computed with: an IEEE number is its bits, a significand times a power of two, and rounding is
// a shift with ties to even. The result therefore depends on nothing but the bytes: not on the rounding mode, not on
// flush-to-zero, not on compiler flags.
//
// Bulk work runs in blocks. The fast pass computes every element of a block and gathers one flag; only where the flag
// is set does a second, scalar pass find the index and the reason, or clip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>

namespace tally::math {

/// IEEE 754 binary16, the upper half of binary32, binary32, binary64. All little-endian.
enum class FloatType : std::uint8_t { kF16, kBf16, kF32, kF64 };

[[nodiscard]] constexpr std::size_t element_bytes(FloatType type) {
  switch (type) {
    case FloatType::kF16:
    case FloatType::kBf16:
      return 2;
    case FloatType::kF32:
      return 4;
    case FloatType::kF64:
      return 8;
  }
  return 0;
}

inline constexpr int kMaxFracBits = 30;
inline constexpr int kDefaultFracBits = 24;

/// What to do with a finite value outside lo..hi. NaN and infinity are errors under either policy.
enum class OutOfRangePolicy : std::uint8_t { kRefuse, kClip };

struct QuantiseOptions {
  int frac_bits = kDefaultFracBits;                            // 0..kMaxFracBits
  std::int32_t lo = std::numeric_limits<std::int32_t>::min();  // in fixed point, after rounding
  std::int32_t hi = std::numeric_limits<std::int32_t>::max();
  OutOfRangePolicy out_of_range = OutOfRangePolicy::kRefuse;
};

struct QuantiseStats {
  std::uint64_t clipped = 0;
};

enum class QuantiseReason : std::uint8_t {
  kNotANumber,
  kInfinite,
  kOutOfRange,        // the rounded value lies outside lo..hi
  kNotRepresentable,  // back to floats: beyond the largest finite f16
};

/// The first offending element: its index in the span and its value as a float.
struct QuantiseError {
  QuantiseReason reason{};
  std::uint64_t index = 0;
  double value = 0;

  /// "element 7 is NaN" and the like.
  [[nodiscard]] std::string message() const;
};

/// Rounds each float of `source`, times 2^frac_bits, to the nearest integer, ties to even. `source` holds exactly
/// out.size() elements and needs no alignment. After an error the contents of `out` are unspecified.
[[nodiscard]] std::expected<QuantiseStats, QuantiseError> quantise(FloatType type, std::span<const std::byte> source,
                                                                   std::span<std::int32_t> out,
                                                                   const QuantiseOptions& options);

/// Checks integers that are fixed point already against lo..hi, and copies them; clips where that is the policy.
[[nodiscard]] std::expected<QuantiseStats, QuantiseError> copy_fixed(std::span<const std::byte> source,
                                                                     std::span<std::int32_t> out,
                                                                     const QuantiseOptions& options);

/// The float nearest to each q * 2^-frac_bits, ties to even; exact for f64. `out` holds exactly source.size() elements.
[[nodiscard]] std::expected<void, QuantiseError> dequantise(FloatType type, std::span<const std::int32_t> source,
                                                            std::span<std::byte> out, int frac_bits);

}  // namespace tally::math
