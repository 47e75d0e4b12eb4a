#include "deterministic_math/executor/lanes.h"

#include <bit>
#include <type_traits>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/numbers/arithmetic.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/prf.h"

namespace tally::math {

namespace {

template <class T>
constexpr unsigned kBits = sizeof(T) * 8;

template <class T>
TALLY_INLINE inline T wrapped(Unsigned<T> value) {
  return static_cast<T>(value);
}

template <class T>
TALLY_INLINE inline Unsigned<T> raw(T value) {
  return static_cast<Unsigned<T>>(value);
}

// Values of 128 bits go through the definition; the narrower ones are its restriction to operands whose result is
// proved to fit.
template <class T>
constexpr bool kWide = sizeof(T) == 16;

template <class T>
TALLY_INLINE inline T lane_div(T a, T b) {
  if constexpr (kWide<T>) {
    return floor_div(a, b);
  } else {
    if (b < 1) return 0;
    const T quotient = static_cast<T>(a / b);
    return static_cast<T>(a % b < 0 ? quotient - 1 : quotient);
  }
}

template <class T>
TALLY_INLINE inline T lane_mod(T a, T b) {
  if constexpr (kWide<T>) {
    return floor_mod(a, b);
  } else {
    if (b < 1) return 0;
    const T rest = static_cast<T>(a % b);
    return static_cast<T>(rest < 0 ? rest + b : rest);
  }
}

template <class T>
TALLY_INLINE inline T lane_div_round(T a, T b) {
  if constexpr (kWide<T>) {
    return div_round(a, b);
  } else {
    if (b < 1) return 0;
    T quotient = static_cast<T>(a / b);
    T rest = static_cast<T>(a % b);
    if (rest < 0) {
      rest = static_cast<T>(rest + b);
      --quotient;
    }
    const T other = static_cast<T>(b - rest);
    const bool up = rest > other || (rest == other && (quotient & 1) != 0);
    return wrapped<T>(raw(quotient) + (up ? 1U : 0U));
  }
}

template <class T>
TALLY_INLINE inline T lane_shl(T a, T b) {
  if constexpr (kWide<T>) {
    return shift_left(a, b);
  } else {
    const auto bits = static_cast<unsigned>(b) & 127U;
    return bits >= kBits<T> ? T{0} : wrapped<T>(raw(a) << bits);
  }
}

template <class T>
TALLY_INLINE inline T lane_shr(T a, T b) {
  if constexpr (kWide<T>) {
    return shift_right(a, b);
  } else {
    const auto bits = static_cast<unsigned>(b) & 127U;
    return static_cast<T>(a >> (bits >= kBits<T> ? kBits<T> - 1 : bits));
  }
}

template <class T>
TALLY_INLINE inline T lane_shr_round(T a, T b) {
  if constexpr (kWide<T>) {
    return shift_right_round(a, b);
  } else {
    const auto bits = static_cast<unsigned>(b) & 127U;
    // |a| <= 2^(bits-1), so the nearest is 0: at the only tie, -1/2, the even one of -1 and 0.
    if (bits >= kBits<T>) return 0;
    if (bits == 0) return a;
    const T quotient = static_cast<T>(a >> bits);
    const Unsigned<T> one = 1;
    const Unsigned<T> rest = raw(a) & ((one << bits) - one);
    const Unsigned<T> half = one << (bits - 1);
    const bool up = rest > half || (rest == half && (quotient & 1) != 0);
    return wrapped<T>(raw(quotient) + (up ? 1U : 0U));
  }
}

template <class T>
TALLY_INLINE inline T lane_isqrt(T a) {
  return static_cast<T>(isqrt(a));
}

template <class T>
TALLY_INLINE inline T lane_wrap(T a, std::int32_t bits) {
  if constexpr (kWide<T>) {
    return wrap_to_bits(a, bits);
  } else {
    if (bits < 1 || static_cast<unsigned>(bits) >= kBits<T>) return a;
    const unsigned spare = kBits<T> - static_cast<unsigned>(bits);
    return static_cast<T>(wrapped<T>(raw(a) << spare) >> spare);
  }
}

template <class T, class F>
TALLY_INLINE inline void zip(std::byte* dst, const LaneOperand& a, const LaneOperand& b, std::size_t count, F f) {
  const std::byte* const x = a.data;
  const std::byte* const y = b.data;
  if (a.spread == Spread::kUniform && b.spread == Spread::kUniform) {
    const T value = f(get_lane<T>(x, 0), get_lane<T>(y, 0));
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) put_lane<T>(dst, i, value);
  } else if (a.spread == Spread::kUniform) {
    const T value = get_lane<T>(x, 0);
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) put_lane<T>(dst, i, f(value, get_lane<T>(y, i)));
  } else if (b.spread == Spread::kUniform) {
    const T value = get_lane<T>(y, 0);
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) put_lane<T>(dst, i, f(get_lane<T>(x, i), value));
  } else {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) put_lane<T>(dst, i, f(get_lane<T>(x, i), get_lane<T>(y, i)));
  }
}

// floor(a / d) for one divisor and many dividends, by a multiplication. With n = a or -a-1, whichever is not negative,
// floor(a / d) is n / d or its complement. With 2^(l-1) < d <= 2^l and m = ceil(2^(w+l) / d), w one less than the bits
// of a lane, n * m / 2^(w+l) exceeds n / d by less than 1 / d, as m * d - 2^(w+l) < d <= 2^l and n < 2^w.
// (T. Granlund and P. L. Montgomery, Division by invariant integers using multiplication, 1994.)
template <class T>
class Divisor {
 public:
  using U = Unsigned<T>;
  using Wide = std::conditional_t<sizeof(T) == 4, std::uint64_t, u128>;

  explicit Divisor(T d) : x_divisor(d) {
    unsigned bits = 0;
    while ((Wide{1} << bits) < static_cast<Wide>(raw(d))) ++bits;
    x_shift = kBits<T> - 1 + bits;
    const Wide power = Wide{1} << x_shift;
    x_multiplier = static_cast<U>((power + raw(d) - 1) / raw(d));
  }

  TALLY_INLINE T floor(T a) const {
    const U sign = raw(static_cast<T>(a >> (kBits<T> - 1)));
    const Wide product = Wide{x_multiplier} * static_cast<U>(raw(a) ^ sign);
    return wrapped<T>(static_cast<U>(product >> x_shift) ^ sign);
  }

  TALLY_INLINE T rest(T a) const { return wrapped<T>(raw(a) - raw(floor(a)) * raw(x_divisor)); }

  TALLY_INLINE T round(T a) const {
    const T quotient = floor(a);
    const U rest = raw(a) - raw(quotient) * raw(x_divisor);
    const U other = raw(x_divisor) - rest;
    const U up = static_cast<U>(rest > other) | (static_cast<U>(rest == other) & raw(quotient) & 1U);
    return wrapped<T>(raw(quotient) + up);
  }

 private:
  T x_divisor;
  unsigned x_shift = 0;
  U x_multiplier = 0;
};

// By 2^bits, in plain shifts.
template <class T>
TALLY_INLINE inline void divide_by_power(Op op, std::byte* dst, const LaneOperand& a, unsigned bits,
                                         std::size_t count) {
  const Unsigned<T> mask = static_cast<Unsigned<T>>((Unsigned<T>{1} << bits) - 1);
  if (op == Op::kDiv) {
    zip<T>(dst, a, a, count, [=](T x, T) TALLY_INLINE { return static_cast<T>(x >> bits); });
  } else if (op == Op::kMod) {
    zip<T>(dst, a, a, count, [=](T x, T) TALLY_INLINE { return wrapped<T>(raw(x) & mask); });
  } else {
    zip<T>(dst, a, a, count, [=](T x, T) TALLY_INLINE {
      // Adding half less one, and the quotient's last bit, carries into the quotient where it is to be rounded up.
      const Unsigned<T> quotient = raw(static_cast<T>(x >> bits));
      const Unsigned<T> carry = (raw(x) & mask) + (mask >> 1) + (bits == 0 ? 0 : quotient & 1);
      return wrapped<T>(quotient + (carry >> bits));
    });
  }
}

template <class T>
TALLY_INLINE inline void divide(Op op, std::byte* dst, const LaneOperand& a, const LaneOperand& b, std::size_t count) {
  if constexpr (!kWide<T>) {
    const T d = get_lane<T>(b.data, 0);
    if (a.spread == Spread::kLanes && b.spread == Spread::kUniform && d >= 1) {
      if (std::has_single_bit(raw(d))) {
        divide_by_power<T>(op, dst, a, static_cast<unsigned>(std::countr_zero(raw(d))), count);
        return;
      }
      const Divisor<T> divisor(d);
      if (op == Op::kDiv) {
        zip<T>(dst, a, b, count, [&](T x, T) TALLY_INLINE { return divisor.floor(x); });
      } else if (op == Op::kMod) {
        zip<T>(dst, a, b, count, [&](T x, T) TALLY_INLINE { return divisor.rest(x); });
      } else {
        zip<T>(dst, a, b, count, [&](T x, T) TALLY_INLINE { return divisor.round(x); });
      }
      return;
    }
  }
  if (op == Op::kDiv) {
    zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_div<T>(x, y); });
  } else if (op == Op::kMod) {
    zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_mod<T>(x, y); });
  } else {
    zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_div_round<T>(x, y); });
  }
}

template <class T>
TALLY_INLINE inline void select(std::byte* dst, const LaneOperand& a, const LaneOperand& b, const LaneOperand& c,
                                std::size_t count) {
  const std::size_t step_a = a.spread == Spread::kUniform ? 0 : 1;
  const std::size_t step_b = b.spread == Spread::kUniform ? 0 : 1;
  const std::size_t step_c = c.spread == Spread::kUniform ? 0 : 1;
  if (step_a + step_b + step_c == 3) {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) {
      const T x = get_lane<T>(a.data, i);
      const T y = get_lane<T>(b.data, i);
      put_lane<T>(dst, i, get_lane<T>(c.data, i) != 0 ? x : y);
    }
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const T x = get_lane<T>(a.data, i * step_a);
    const T y = get_lane<T>(b.data, i * step_b);
    put_lane<T>(dst, i, get_lane<T>(c.data, i * step_c) != 0 ? x : y);
  }
}

template <class T>
TALLY_INLINE inline void compute(Op op, std::byte* dst, const LaneOperand& a, const LaneOperand& b,
                                 const LaneOperand& c, std::int32_t imm, std::size_t count) {
  switch (op) {
    case Op::kAdd:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return wrapped<T>(raw(x) + raw(y)); });
      break;
    case Op::kSub:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return wrapped<T>(raw(x) - raw(y)); });
      break;
    case Op::kMul:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return wrapped<T>(raw(x) * raw(y)); });
      break;
    case Op::kMin:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return x < y ? x : y; });
      break;
    case Op::kMax:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return x < y ? y : x; });
      break;
    case Op::kDiv:
    case Op::kMod:
    case Op::kDivRound:
      divide<T>(op, dst, a, b, count);
      break;
    case Op::kShl:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_shl<T>(x, y); });
      break;
    case Op::kShr:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_shr<T>(x, y); });
      break;
    case Op::kShrRound:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return lane_shr_round<T>(x, y); });
      break;
    case Op::kIsqrt:
      zip<T>(dst, a, a, count, [](T x, T) TALLY_INLINE { return lane_isqrt<T>(x); });
      break;
    case Op::kWrap:
      zip<T>(dst, a, a, count, [imm](T x, T) TALLY_INLINE { return lane_wrap<T>(x, imm); });
      break;
    case Op::kLt:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return static_cast<T>(x < y); });
      break;
    case Op::kLe:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return static_cast<T>(x <= y); });
      break;
    case Op::kEq:
      zip<T>(dst, a, b, count, [](T x, T y) TALLY_INLINE { return static_cast<T>(x == y); });
      break;
    case Op::kSel:
      select<T>(dst, a, b, c, count);
      break;
    case Op::kImm:
    case Op::kConst:
    case Op::kMov:
    case Op::kVar:
    case Op::kLoad:
    case Op::kPrf:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      TALLY_ASSERT(false);
      break;
  }
}

TALLY_CLONES void compute_32(Op op, std::byte* dst, const LaneOperand& a, const LaneOperand& b, const LaneOperand& c,
                             std::int32_t imm, std::size_t count) {
  compute<std::int32_t>(op, dst, a, b, c, imm, count);
}

TALLY_CLONES void compute_64(Op op, std::byte* dst, const LaneOperand& a, const LaneOperand& b, const LaneOperand& c,
                             std::int32_t imm, std::size_t count) {
  compute<std::int64_t>(op, dst, a, b, c, imm, count);
}

}  // namespace

LaneType lane_type(const Range& range) {
  if (type_range(ElementType::kI32).contains(range)) return LaneType::k32;
  if (type_range(ElementType::kI64).contains(range)) return LaneType::k64;
  return LaneType::k128;
}

void compute_lanes(Op op, LaneType type, std::byte* dst, const LaneOperand& a, const LaneOperand& b,
                   const LaneOperand& c, std::int32_t imm, std::size_t count) {
  switch (type) {
    case LaneType::k32:
      compute_32(op, dst, a, b, c, imm, count);
      break;
    case LaneType::k64:
      compute_64(op, dst, a, b, c, imm, count);
      break;
    case LaneType::k128:
      compute<i128>(op, dst, a, b, c, imm, count);
      break;
  }
}

i128 compute_scalar(Op op, i128 a, i128 b, i128 c, std::int32_t imm) {
  switch (op) {
    case Op::kAdd:
      return wrapping_add(a, b);
    case Op::kSub:
      return wrapping_sub(a, b);
    case Op::kMul:
      return wrapping_mul(a, b);
    case Op::kMin:
      return a < b ? a : b;
    case Op::kMax:
      return a < b ? b : a;
    case Op::kDiv:
      return floor_div(a, b);
    case Op::kMod:
      return floor_mod(a, b);
    case Op::kDivRound:
      return div_round(a, b);
    case Op::kShl:
      return shift_left(a, b);
    case Op::kShr:
      return shift_right(a, b);
    case Op::kShrRound:
      return shift_right_round(a, b);
    case Op::kIsqrt:
      return isqrt(a);
    case Op::kWrap:
      return wrap_to_bits(a, imm);
    case Op::kLt:
      return a < b ? 1 : 0;
    case Op::kLe:
      return a <= b ? 1 : 0;
    case Op::kEq:
      return a == b ? 1 : 0;
    case Op::kSel:
      return c != 0 ? a : b;
    case Op::kPrf:
      return prf(a, b, c);
    case Op::kImm:
    case Op::kConst:
    case Op::kMov:
    case Op::kVar:
    case Op::kLoad:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      break;
  }
  TALLY_ASSERT(false);
  return 0;
}

}  // namespace tally::math
