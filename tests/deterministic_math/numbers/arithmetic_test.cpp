// Arithmetic against unbounded integers, and the interpreter on crafted code against both.
#include "deterministic_math/numbers/arithmetic.h"

#include <gtest/gtest.h>

#include <array>

#include "deterministic_math/interpreter/interpreter.h"
#include "tests/support/random_program.h"
#include "tests/support/reference_arithmetic.h"

namespace tally::math {
namespace {

using test::Rng;
using test::ValueStyle;

constexpr std::array kArithmetic = {Op::kMov,   Op::kAdd,  Op::kSub,      Op::kMul, Op::kMin, Op::kMax,
                                    Op::kDiv,   Op::kMod,  Op::kDivRound, Op::kShl, Op::kShr, Op::kShrRound,
                                    Op::kIsqrt, Op::kWrap, Op::kLt,       Op::kLe,  Op::kEq,  Op::kSel};

struct NoLoads {
  i128 load(ObjectId, std::uint64_t) { return 0; }
};

/// Runs one instruction with registers 1, 2, 3 = a, b, c.
i128 run_one(Op op, i128 a, i128 b, i128 c, std::int32_t imm) {
  Program program;
  program.items.resize(1);
  const BatchValues values;
  const std::array<i128, 3> constants = {a, b, c};
  const std::array<Instruction, 5> code = {{{Op::kConst, 1, 0, 0, 0},
                                            {Op::kConst, 2, 0, 0, 1},
                                            {Op::kConst, 3, 0, 0, 2},
                                            {op, 4, 1, 2, op == Op::kWrap ? imm : 3},
                                            {Op::kRet, 0, 4, 0, 0}}};
  NoLoads access;
  std::array<i128, 1> result{};
  const SectionContext context{program, values, 0, 0, 0, SectionKind::kHint, constants};
  EXPECT_EQ(run_section(context, code, access, {}, result), SectionOutcome::kDone);
  return result[0];
}

std::vector<i128> corner_values() {
  std::vector<i128> corners = {0, 1, -1, 2, -2, 3, -3, 63, 64, 126, 127, 128, 129, -127, -128, kI128Max, kI128Min};
  for (const int bit : {31, 32, 62, 63, 64, 65, 125, 126}) {
    for (const int delta : {-1, 0, 1}) {
      corners.push_back((i128{1} << bit) + delta);
      corners.push_back(-(i128{1} << bit) + delta);
    }
  }
  corners.push_back(kI128Max - 1);
  corners.push_back(kI128Min + 1);
  return corners;
}

TEST(Arithmetic, pitfall_7_agrees_with_unbounded_integers_at_every_pair_of_corners) {
  const std::vector<i128> corners = corner_values();
  for (const Op op : kArithmetic) {
    for (const i128 a : corners) {
      for (const i128 b : corners) {
        ASSERT_EQ(run_one(op, a, b, b, 1), test::reference_result(op, a, b, b, 1))
            << opcode_info(op).mnemonic << " " << to_string(a) << " " << to_string(b);
      }
    }
  }
}

TEST(Arithmetic, pitfall_7_agrees_with_unbounded_integers_on_random_operands) {
  Rng rng(7);
  const Range all{kI128Min, kI128Max};
  for (int round = 0; round < 3000; ++round) {
    const auto operand = [&] {
      return test::pick_value(rng, all, round % 4 == 0 ? ValueStyle::kExtreme : ValueStyle::kUniform) >>
             static_cast<int>(test::pick(rng, 0, 127));
    };
    const i128 a = operand();
    const i128 b = operand();
    const i128 c = operand();
    const auto bits = static_cast<std::int32_t>(test::pick(rng, 1, 127));
    for (const Op op : kArithmetic) {
      ASSERT_EQ(run_one(op, a, b, c, bits), test::reference_result(op, a, b, c, bits))
          << opcode_info(op).mnemonic << " " << to_string(a) << " " << to_string(b) << " " << bits;
    }
  }
}

TEST(Arithmetic, roots_are_exact_around_every_square) {
  Rng rng(9);
  for (int round = 0; round < 5000; ++round) {
    const i128 root = test::pick_value(rng, {1, 0xB504F333F9DE6484}, ValueStyle::kUniform) >> test::pick(rng, 0, 60);
    if (root == 0) continue;
    EXPECT_EQ(isqrt(root * root), root);
    EXPECT_EQ(isqrt(root * root - 1), root - 1);
    EXPECT_EQ(isqrt(root * root + 2 * root), root);
  }
}

TEST(Arithmetic, widths_outside_1_to_127_leave_the_value) {
  for (const std::int32_t bits : {0, -1, 128, 1000}) EXPECT_EQ(wrap_to_bits(kI128Min, bits), kI128Min);
}

/// Straight-line code of arithmetic on 8 registers, of no proof at all.
TEST(Arithmetic, crafted_code_gives_what_its_definition_says) {
  Program program;
  program.items.resize(1);
  const BatchValues values;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    std::vector<i128> constants;
    std::array<i128, 8> expected{};
    std::vector<Instruction> code;
    for (std::uint8_t reg = 0; reg < 8; ++reg) {
      constants.push_back(test::pick_value(rng, {kI128Min, kI128Max}, ValueStyle::kExtreme));
      expected[reg] = constants.back();
      code.push_back({Op::kConst, reg, 0, 0, reg});
    }
    const auto any = [&] { return static_cast<std::uint8_t>(test::pick(rng, 0, 7)); };
    for (int i = 0; i < 100; ++i) {
      const Op op = kArithmetic[test::pick(rng, 0, kArithmetic.size() - 1)];
      const std::uint8_t c = any();
      const auto imm = op == Op::kWrap ? static_cast<std::int32_t>(test::pick(rng, 1, 127)) : std::int32_t{c};
      const Instruction made{op, any(), any(), any(), imm};
      code.push_back(made);
      expected[made.dst] = test::reference_result(op, expected[made.a], expected[made.b], expected[c], imm);
    }
    for (std::uint8_t reg = 0; reg < 8; ++reg) code.push_back({Op::kRet, 0, reg, 0, reg});
    NoLoads access;
    std::array<i128, 8> results{};
    const SectionContext context{program, values, 0, 0, 0, SectionKind::kHint, constants};
    ASSERT_EQ(run_section(context, code, access, {}, results), SectionOutcome::kDone);
    ASSERT_EQ(results, expected) << seed;
  }
}

}  // namespace
}  // namespace tally::math
