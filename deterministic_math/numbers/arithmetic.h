// The arithmetic of programs on signed 128-bit integers: total, exact where the mathematical result fits, and wrapped
// to two's complement where it does not.
//
// Proved programs never wrap and never meet the special cases; these functions define what unproved bytecode gives, and
// the contracts agree on every input. docs/spec.md, "Opcodes", states each one in words.
#pragma once

#include "deterministic_math/numbers/int128.h"

namespace tally::math {

[[nodiscard]] constexpr i128 wrapping_add(i128 a, i128 b) {
  return static_cast<i128>(static_cast<u128>(a) + static_cast<u128>(b));
}

[[nodiscard]] constexpr i128 wrapping_sub(i128 a, i128 b) {
  return static_cast<i128>(static_cast<u128>(a) - static_cast<u128>(b));
}

[[nodiscard]] constexpr i128 wrapping_mul(i128 a, i128 b) {
  return static_cast<i128>(static_cast<u128>(a) * static_cast<u128>(b));
}

/// floor(a / b); 0 where b < 1.
[[nodiscard]] constexpr i128 floor_div(i128 a, i128 b) {
  if (b < 1) return 0;
  const i128 quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/// a - b * floor(a / b), in 0 .. b-1; 0 where b < 1.
[[nodiscard]] constexpr i128 floor_mod(i128 a, i128 b) {
  if (b < 1) return 0;
  const i128 remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}

/// The quotient of floor division rounded to nearest, ties to even. `remainder` is below `divisor`, at most 2^127.
[[nodiscard]] constexpr i128 round_quotient(i128 quotient, u128 remainder, u128 divisor) {
  const u128 rest = divisor - remainder;
  const bool up = remainder > rest || (remainder == rest && (quotient & 1) != 0);
  return up ? quotient + 1 : quotient;
}

/// a / b to the nearest integer, ties to the even quotient; 0 where b < 1.
[[nodiscard]] constexpr i128 div_round(i128 a, i128 b) {
  if (b < 1) return 0;
  return round_quotient(floor_div(a, b), static_cast<u128>(floor_mod(a, b)), static_cast<u128>(b));
}

/// Shift counts are taken modulo 128: the low seven bits of the two's complement.
[[nodiscard]] constexpr unsigned shift_count(i128 count) {
  return static_cast<unsigned>(static_cast<u128>(count) & 127);
}

/// a * 2^count.
[[nodiscard]] constexpr i128 shift_left(i128 a, i128 count) {
  return static_cast<i128>(static_cast<u128>(a) << shift_count(count));
}

/// floor(a / 2^count).
[[nodiscard]] constexpr i128 shift_right(i128 a, i128 count) { return a >> shift_count(count); }

/// a / 2^count to the nearest integer, ties to even; exact for a count of 127 too.
[[nodiscard]] constexpr i128 shift_right_round(i128 a, i128 count) {
  const unsigned n = shift_count(count);
  const u128 divisor = u128{1} << n;
  return round_quotient(a >> n, static_cast<u128>(a) & (divisor - 1), divisor);
}

/// floor(sqrt(a)); 0 where a < 0. Newton's method from above on unsigned integers.
[[nodiscard]] constexpr i128 isqrt(i128 a) {
  if (a < 1) return 0;
  const u128 value = static_cast<u128>(a);
  unsigned bits = 0;
  while (bits < 128 && (value >> bits) != 0) ++bits;
  u128 root = u128{1} << ((bits + 1) / 2);
  // The root is at least 1 throughout: value is, and the start is above the result.
  u128 next = (root + value / root) >> 1;
  while (next != 0 && next < root) {
    root = next;
    next = (root + value / root) >> 1;
  }
  return static_cast<i128>(root);
}

/// The signed residue of a modulo 2^bits, in -2^(bits-1) .. 2^(bits-1)-1. Outside 1..127 bits: a itself.
[[nodiscard]] constexpr i128 wrap_to_bits(i128 a, std::int32_t bits) {
  if (bits < 1 || bits > 127) return a;
  const unsigned unused = 128U - static_cast<unsigned>(bits);
  return static_cast<i128>(static_cast<u128>(a) << unused) >> unused;
}

static_assert(floor_div(-7, 2) == -4 && floor_mod(-7, 2) == 1 && floor_div(kI128Min, 1) == kI128Min);
static_assert(floor_div(5, 0) == 0 && floor_mod(5, -3) == 0 && div_round(5, 0) == 0);
static_assert(div_round(5, 2) == 2 && div_round(7, 2) == 4 && div_round(-5, 2) == -2 && div_round(-7, 2) == -4);
static_assert(shift_right_round(kI128Min, 127) == -1 && shift_right_round(i128{1} << 126, 127) == 0);
static_assert(shift_right_round((i128{1} << 126) + 1, 127) == 1 && shift_left(1, -1) == kI128Min);
static_assert(isqrt(kI128Max) == (static_cast<i128>(0xB504F333F9DE6484)) && isqrt(15) == 3 && isqrt(16) == 4);
static_assert(wrap_to_bits(128, 8) == -128 && wrap_to_bits(1, 1) == -1 && wrap_to_bits(kI128Min, 127) == 0);

}  // namespace tally::math
