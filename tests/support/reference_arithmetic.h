// A second definition of the arithmetic opcodes, over unbounded integers: slow, plain, and sharing nothing with
// numbers/arithmetic.h. Results are taken modulo 2^128 into the signed range at the end.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include "deterministic_math/bytecode/program.h"

namespace tally::test {

using BigInt = boost::multiprecision::cpp_int;

inline BigInt to_big(math::i128 value) {
  const bool negative = value < 0;
  const math::u128 magnitude =
      negative ? math::u128{0} - static_cast<math::u128>(value) : static_cast<math::u128>(value);
  BigInt big = static_cast<std::uint64_t>(magnitude >> 64);
  big = (big << 64) + static_cast<std::uint64_t>(magnitude);
  return negative ? BigInt(-big) : big;
}

inline math::i128 from_big(BigInt value) {
  const BigInt modulus = BigInt(1) << 128;
  value %= modulus;
  if (value < 0) value += modulus;
  const BigInt word = (BigInt(1) << 64) - 1;
  const auto high = static_cast<std::uint64_t>(BigInt(value >> 64));
  const auto low = static_cast<std::uint64_t>(BigInt(value & word));
  return static_cast<math::i128>((static_cast<math::u128>(high) << 64) | low);
}

/// floor(a / b) for b > 0; cpp_int truncates.
inline BigInt big_floor(const BigInt& a, const BigInt& b) {
  BigInt quotient = a / b;
  if (quotient * b > a) quotient -= 1;
  return quotient;
}

/// The integer nearest to a / b, b > 0, the even one on a tie.
inline BigInt big_nearest(const BigInt& a, const BigInt& b) {
  const BigInt below = big_floor(a, b);
  const BigInt twice = 2 * (a - below * b);
  if (twice < b || (twice == b && below % 2 == 0)) return below;
  return below + 1;
}

/// What kAdd .. kSel compute (not kPrf) on any operands; `imm` is kWrap's width.
inline math::i128 reference_result(math::Op op, math::i128 a128, math::i128 b128, math::i128 c, std::int32_t imm) {
  using math::Op;
  const BigInt a = to_big(a128);
  const BigInt b = to_big(b128);
  const auto count = static_cast<unsigned>(static_cast<math::u128>(b128) % 128);
  const BigInt power = BigInt(1) << count;
  switch (op) {
    case Op::kMov:
      return a128;
    case Op::kAdd:
      return from_big(a + b);
    case Op::kSub:
      return from_big(a - b);
    case Op::kMul:
      return from_big(a * b);
    case Op::kMin:
      return from_big(a < b ? a : b);
    case Op::kMax:
      return from_big(a > b ? a : b);
    case Op::kDiv:
      return b < 1 ? 0 : from_big(big_floor(a, b));
    case Op::kMod:
      return b < 1 ? 0 : from_big(a - b * big_floor(a, b));
    case Op::kDivRound:
      return b < 1 ? 0 : from_big(big_nearest(a, b));
    case Op::kShl:
      return from_big(a * power);
    case Op::kShr:
      return from_big(big_floor(a, power));
    case Op::kShrRound:
      return from_big(big_nearest(a, power));
    case Op::kIsqrt:
      return a < 0 ? 0 : from_big(boost::multiprecision::sqrt(a));
    case Op::kWrap: {
      const BigInt modulus = BigInt(1) << static_cast<unsigned>(imm);
      BigInt residue = a - modulus * big_floor(a, modulus);
      if (residue * 2 >= modulus) residue -= modulus;
      return from_big(residue);
    }
    case Op::kLt:
      return a < b ? 1 : 0;
    case Op::kLe:
      return a <= b ? 1 : 0;
    case Op::kEq:
      return a == b ? 1 : 0;
    case Op::kSel:
      return c != 0 ? a128 : b128;
    case Op::kImm:
    case Op::kConst:
    case Op::kVar:
    case Op::kLoad:
    case Op::kPrf:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      break;
  }
  return 0;
}

}  // namespace tally::test
