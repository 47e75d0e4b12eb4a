#include "deterministic_math/bytecode/disassemble.h"

#include <gtest/gtest.h>

#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::math {
namespace {

ProgramNames small_names() {
  ProgramNames names;
  names.program = "small";
  names.dims = {"K", "M", "D"};
  names.objects = {"member", "nonce", "examples", "updates",    "model",
                   "credit", "total", "middle",   "next_model", "walk"};
  names.items = {"total", "middle", "next_model", "walk"};
  names.accumulators = {{"n"}, {}, {"s"}, {}};
  return names;
}

TEST(Disassemble, writes_each_kind_of_operand) {
  const Program program = test::small_program();
  const ProgramNames names = small_names();
  const auto line = [&](Instruction op) { return disassemble(program, &names, op); };
  EXPECT_EQ(line({Op::kImm, 1, 0, 0, -5}), "imm r1, -5");
  EXPECT_EQ(line({Op::kConst, 1, 0, 0, 0}), "const r1, 1099511627776");
  EXPECT_EQ(line({Op::kVar, 1, 0, 0, 2}), "var r1, fold");
  EXPECT_EQ(line({Op::kVar, 1, 0, 0, kFirstDimVariable + 2}), "var r1, D");
  EXPECT_EQ(line({Op::kLoad, 1, 0, 0, test::kTotal}), "ld r1, total");
  EXPECT_EQ(line({Op::kLoad, 1, 2, 0, test::kModel}), "ld r1, model[r2]");
  EXPECT_EQ(line({Op::kLoad, 1, 2, 3, test::kUpdates}), "ld r1, updates[r2, r3]");
  EXPECT_EQ(line({Op::kAdd, 1, 2, 3, 0}), "add r1, r2, r3");
  EXPECT_EQ(line({Op::kIsqrt, 1, 2, 0, 0}), "isqrt r1, r2");
  EXPECT_EQ(line({Op::kWrap, 1, 2, 0, 32}), "wrap r1, r2, 32");
  EXPECT_EQ(line({Op::kSel, 1, 2, 3, 4}), "sel r1, r4, r2, r3");
  EXPECT_EQ(line({Op::kPrf, 1, 2, 3, 4}), "prf r1, r2, r3, r4");
  EXPECT_EQ(line({Op::kSkipZ, 0, 2, 0, 0}), "skipz r2");
  EXPECT_EQ(line({Op::kReq, 0, 2, 0, 0}), "req r2");
  EXPECT_EQ(line({Op::kRet, 0, 2, 0, 1}), "ret r2, column 1");
  EXPECT_EQ(line({static_cast<Op>(0xee), 0, 0, 0, 0}), "unknown 238");
  EXPECT_EQ(disassemble(program, nullptr, {Op::kLoad, 1, 2, 0, test::kModel}), "ld r1, object 4[r2]");
}

TEST(Disassemble, lists_a_whole_program) {
  const ProgramNames names = small_names();
  const std::string text = disassemble(test::small_program(), &names);
  for (const char* part :
       {"program small\n", "dim K in 1..8\n", "row updates[K, D]: i32 in -2147483648..2147483647\n",
        "table total: i64 proved in 0..800\n", "constant 0 = 1099511627776\n",
        "item 0: table total\n  r0 = n from 0 in 0..800\n  step, fold over K\n    0  var r1, fold\n",
        "item 3: table walk[2] in loop 0\n", "next model = next_model\n", "payable credit to member\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Disassemble, is_total_on_random_programs) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    test::Rng rng(seed);
    const Program program = test::random_program(rng);
    const std::string text = disassemble(program, nullptr);
    EXPECT_EQ(text.find("unknown"), std::string::npos);
    EXPECT_NE(text.find("item 0: "), std::string::npos);
  }
}

}  // namespace
}  // namespace tally::math
