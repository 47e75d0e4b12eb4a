#include "deterministic_math/ranges/interval.h"

#include <algorithm>

#include "deterministic_math/numbers/arithmetic.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {
namespace {

constexpr End kBelow{-1, 0};
constexpr End kAbove{1, 0};
constexpr i128 kMaxShift = 126;

End exactly(i128 value) { return {0, value}; }

int sign(const End& a) { return a.beyond != 0 ? a.beyond : a.value > 0 ? 1 : a.value < 0 ? -1 : 0; }

End smaller(const End& a, const End& b) { return less(b, a) ? b : a; }
End larger(const End& a, const End& b) { return less(a, b) ? b : a; }

u128 magnitude(i128 value) { return value < 0 ? u128{0} - static_cast<u128>(value) : static_cast<u128>(value); }

/// The operand cut to [lo, hi]; an operand wholly outside becomes the nearer end.
Range cut_to(const Interval& a, const Range& domain) {
  const Range cut = a.cut();
  return {domain.clamp(cut.lo), domain.clamp(cut.hi)};
}

Interval multiply_intervals(const Interval& a, const Interval& b) {
  const End corners[] = {multiply(a.lo, b.lo), multiply(a.lo, b.hi), multiply(a.hi, b.lo), multiply(a.hi, b.hi)};
  End lo = corners[0];
  End hi = corners[0];
  for (const End& corner : corners) {
    lo = smaller(lo, corner);
    hi = larger(hi, corner);
  }
  return make_interval(lo, hi);
}

/// Division by `function(a, b)`, which grows with a, and towards 0 (floor: -1) as b grows.
template <class Function>
Interval divide(const Interval& a, const Interval& divisor, Function function) {
  const Range b = cut_to(divisor, {1, kI128Max});
  const auto quotient = [&](const End& end) {
    if (end.beyond != 0) return end;
    const bool towards_zero = &end == &a.lo ? end.value >= 0 : end.value < 0;
    return exactly(function(end.value, towards_zero ? b.hi : b.lo));
  };
  return make_interval(quotient(a.lo), quotient(a.hi));
}

Interval modulo(const Interval& a, const Interval& divisor) {
  const Range b = cut_to(divisor, {1, kI128Max});
  if (a.lo.beyond != 0 || a.lo.value < 0) return to_interval({0, b.hi - 1});
  if (less(a.hi, exactly(b.lo))) return a;
  return make_interval(exactly(0), smaller(a.hi, exactly(b.hi - 1)));
}

Interval powers_of_two(const Interval& count) {
  const Range n = cut_to(count, {0, kMaxShift});
  return to_interval({i128{1} << static_cast<int>(n.lo), i128{1} << static_cast<int>(n.hi)});
}

Interval truth(bool surely, bool never) { return to_interval({surely ? 1 : 0, never ? 0 : 1}); }

Interval equal(const Interval& a, const Interval& b) {
  const bool one_point = a.finite() && a.lo == a.hi && a == b;
  return truth(one_point, less(a.hi, b.lo) || less(b.hi, a.lo));
}

}  // namespace

bool less(const End& a, const End& b) {
  if (a.beyond != b.beyond) return a.beyond < b.beyond;
  return a.beyond == 0 && a.value < b.value;
}

End add(const End& a, const End& b) {
  if (a.beyond != 0) return a;
  if (b.beyond != 0) return b;
  if (b.value > 0 && a.value > kI128Max - b.value) return kAbove;
  if (b.value < 0 && a.value < kI128Min - b.value) return kBelow;
  return exactly(a.value + b.value);
}

End multiply(const End& a, const End& b) {
  const int product_sign = sign(a) * sign(b);
  if (product_sign == 0) return exactly(0);
  const End overflow = product_sign > 0 ? kAbove : kBelow;
  if (a.beyond != 0 || b.beyond != 0) return overflow;
  const u128 limit = static_cast<u128>(kI128Max) + (product_sign < 0 ? 1U : 0U);
  if (magnitude(a.value) > limit / magnitude(b.value)) return overflow;
  return exactly(wrapping_mul(a.value, b.value));
}

End negate(const End& a) {
  if (a.beyond != 0) return {-a.beyond, 0};
  return a.value == kI128Min ? kAbove : exactly(-a.value);
}

bool Interval::within(const Range& range) const { return finite() && range.contains(Range{lo.value, hi.value}); }

Range Interval::cut() const { return {lo.beyond != 0 ? kI128Min : lo.value, hi.beyond != 0 ? kI128Max : hi.value}; }

Interval to_interval(const Range& range) { return {exactly(range.lo), exactly(range.hi)}; }

Interval make_interval(const End& lo, const End& hi) {
  return {lo.beyond > 0 ? exactly(kI128Max) : lo, hi.beyond < 0 ? exactly(kI128Min) : hi};
}

Interval join(const Interval& a, const Interval& b) { return {smaller(a.lo, b.lo), larger(a.hi, b.hi)}; }

Interval intersect(const Interval& a, const Interval& b) {
  const Interval both{larger(a.lo, b.lo), smaller(a.hi, b.hi)};
  return less(both.hi, both.lo) ? a : both;
}

Interval square(const Interval& a) {
  const End lowest = negate(a.lo);
  const End farthest = larger(lowest, a.hi);
  const End nearest = sign(a.lo) > 0 ? a.lo : sign(a.hi) < 0 ? negate(a.hi) : exactly(0);
  return make_interval(multiply(nearest, nearest), multiply(farthest, farthest));
}

Interval wrap_interval(const Interval& a, std::int32_t bits) {
  if (bits < 1 || bits > 127) return a;
  const i128 half = i128{1} << (bits - 1);
  const Range residues{-half, half - 1};
  return a.within(residues) ? a : to_interval(residues);
}

Interval apply(Op op, const Interval& a, const Interval& b) {
  switch (op) {
    case Op::kAdd:
      return make_interval(add(a.lo, b.lo), add(a.hi, b.hi));
    case Op::kSub:
      return make_interval(add(a.lo, negate(b.hi)), add(a.hi, negate(b.lo)));
    case Op::kMul:
      return multiply_intervals(a, b);
    case Op::kMin:
      return {smaller(a.lo, b.lo), smaller(a.hi, b.hi)};
    case Op::kMax:
      return {larger(a.lo, b.lo), larger(a.hi, b.hi)};
    case Op::kDiv:
      return divide(a, b, floor_div);
    case Op::kMod:
      return modulo(a, b);
    case Op::kDivRound:
      return divide(a, b, div_round);
    case Op::kShl:
      return multiply_intervals(a, powers_of_two(b));
    case Op::kShr:
      return divide(a, powers_of_two(b), floor_div);
    case Op::kShrRound:
      return divide(a, powers_of_two(b), div_round);
    case Op::kIsqrt: {
      const Range cut = cut_to(a, {0, kI128Max});
      return to_interval({isqrt(cut.lo), isqrt(cut.hi)});
    }
    case Op::kLt:
      return truth(less(a.hi, b.lo), !less(a.lo, b.hi));
    case Op::kLe:
      return truth(!less(b.lo, a.hi), less(b.hi, a.lo));
    case Op::kEq:
      return equal(a, b);
    case Op::kImm:
    case Op::kConst:
    case Op::kMov:
    case Op::kVar:
    case Op::kLoad:
    case Op::kWrap:
    case Op::kSel:
    case Op::kPrf:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      break;
  }
  TALLY_ASSERT(false);
  return kAnything;
}

}  // namespace tally::math
