// Intervals of exact integers with ends in i128 or unbounded, and what each opcode does to them.
//
// A lower end is an i128 or minus infinity, an upper end an i128 or plus infinity. A result beyond i128 makes its end
// infinite. Operands are cut to the domain where an opcode is defined (a divisor to >= 1, a count to 0..126, an isqrt
// argument to >= 0): range_proof.cpp reports the violation in its last pass.
#pragma once

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

/// An integer of i128, or beyond it.
struct End {
  int beyond = 0;  // -1: below every i128, 1: above, 0: `value`
  i128 value = 0;
  bool operator==(const End&) const = default;
};

[[nodiscard]] bool less(const End& a, const End& b);
[[nodiscard]] End add(const End& a, const End& b);
[[nodiscard]] End multiply(const End& a, const End& b);
[[nodiscard]] End negate(const End& a);

/// lo is never above every i128, hi never below; lo <= hi.
struct Interval {
  End lo{-1, 0};
  End hi{1, 0};
  bool operator==(const Interval&) const = default;
  [[nodiscard]] bool finite() const { return lo.beyond == 0 && hi.beyond == 0; }
  [[nodiscard]] bool within(const Range& range) const;
  /// The ends, cut to i128.
  [[nodiscard]] Range cut() const;
};

inline constexpr Interval kAnything{};

[[nodiscard]] Interval to_interval(const Range& range);
[[nodiscard]] Interval make_interval(const End& lo, const End& hi);
[[nodiscard]] Interval join(const Interval& a, const Interval& b);
/// Where both bounds are sound they overlap; a disjoint pair gives `a`.
[[nodiscard]] Interval intersect(const Interval& a, const Interval& b);

/// The result of an opcode of two operands (kAdd .. kShrRound, kLt, kLe, kEq) or, ignoring b, kIsqrt.
[[nodiscard]] Interval apply(Op op, const Interval& a, const Interval& b);
[[nodiscard]] Interval square(const Interval& a);
[[nodiscard]] Interval wrap_interval(const Interval& a, std::int32_t bits);

}  // namespace tally::math
