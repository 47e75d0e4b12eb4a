// Lane arithmetic against the definition, at the ends of every lane type.
#include "deterministic_math/executor/lanes.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <vector>

#include "deterministic_math/numbers/arithmetic.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::Rng;
using test::ValueStyle;

constexpr std::size_t kLanes = 37;

Range range_of(LaneType type) { return type_range(static_cast<ElementType>(type)); }

std::vector<std::byte> to_lanes(LaneType type, std::span<const i128> values) {
  std::vector<std::byte> lanes(values.size() * lane_bytes(type));
  for (std::size_t i = 0; i < values.size(); ++i)
    put_element(static_cast<ElementType>(type), lanes.data(), i, values[i]);
  return lanes;
}

i128 operand(Op op, bool second, LaneType type, Rng& rng) {
  const bool divides = op == Op::kDiv || op == Op::kMod || op == Op::kDivRound;
  const bool shifts = op == Op::kShl || op == Op::kShr || op == Op::kShrRound;
  Range range = range_of(type);
  if (second && divides) range.lo = 1;
  if (second && shifts) range = {0, 126};
  if (op == Op::kIsqrt) range.lo = 0;
  // Divisors next to powers of two are where a multiplication in place of a division would first go wrong.
  if (second && divides && test::pick(rng, 0, 1) == 0) {
    const auto bits = static_cast<int>(test::pick(rng, 0, 8 * lane_bytes(type) - 2));
    return range.clamp((i128{1} << bits) + static_cast<i128>(test::pick(rng, 0, 2)) - 1);
  }
  return test::pick_value(rng, range, ValueStyle::kExtreme);
}

/// Whether a * 2^count is the mathematical product.
bool is_exact_shift(i128 a, i128 count) { return shift_right(shift_left(a, count), count) == a; }

void check(Op op, LaneType type, bool uniform_a, bool uniform_b, Rng& rng) {
  std::vector<i128> a(kLanes);
  std::vector<i128> b(kLanes);
  for (std::size_t i = 0; i < kLanes; ++i) {
    a[i] = uniform_a && i > 0 ? a[0] : operand(op, false, type, rng);
    b[i] = uniform_b && i > 0 ? b[0] : operand(op, true, type, rng);
  }
  const std::vector<std::byte> a_lanes = to_lanes(type, a);
  const std::vector<std::byte> b_lanes = to_lanes(type, b);
  const auto as_operand = [](bool uniform, const i128& value, const std::vector<std::byte>& lanes) -> LaneOperand {
    if (!uniform) return {lanes.data(), Spread::kLanes};
    return {std::as_bytes(std::span(&value, 1)).data(), Spread::kUniform};
  };
  std::vector<std::byte> result(kLanes * lane_bytes(type));
  const std::int32_t bits = op == Op::kWrap ? static_cast<std::int32_t>(test::pick(rng, 1, 127)) : 0;
  compute_lanes(op, type, result.data(), as_operand(uniform_a, a[0], a_lanes), as_operand(uniform_b, b[0], b_lanes), {},
                bits, kLanes);
  for (std::size_t i = 0; i < kLanes; ++i) {
    const i128 expected = compute_scalar(op, a[i], b[i], 0, bits);
    // Lanes have this type only where the result is proved to fit it.
    const bool exact = op != Op::kShl || is_exact_shift(a[i], b[i]);
    if (!exact || !range_of(type).contains(expected)) continue;
    ASSERT_EQ(to_string(read_lane(type, result.data(), i)), to_string(expected))
        << "op " << static_cast<int>(op) << " of " << to_string(a[i]) << ", " << to_string(b[i]) << ", imm " << bits;
  }
}

TEST(LaneArithmetic, computes_what_the_definition_says_wherever_the_result_fits) {
  constexpr std::array kOps{Op::kAdd,      Op::kSub,      Op::kMul,   Op::kMin,  Op::kMax, Op::kDiv, Op::kMod, Op::kShr,
                            Op::kDivRound, Op::kShrRound, Op::kIsqrt, Op::kWrap, Op::kLt,  Op::kLe,  Op::kShl, Op::kEq};
  for (std::uint64_t seed = 0; seed < 2000 && !HasFatalFailure(); ++seed) {
    Rng rng(seed);
    for (const Op op : kOps) {
      for (const LaneType type : {LaneType::k32, LaneType::k64, LaneType::k128}) {
        check(op, type, test::pick(rng, 0, 2) == 0, test::pick(rng, 0, 1) == 0, rng);
      }
    }
  }
}

}  // namespace
}  // namespace tally::math
