#include "fraud_proof/commitments/batch_shape.h"

#include <gtest/gtest.h>

#include "tests/support/small_program.h"

namespace tally::proof {
namespace {

using test::small_program;

TEST(BatchValues, have_k_before_the_dims_of_the_task) {
  EXPECT_EQ(batch_dims({.dims = {7, 9}}, 3), (std::vector<std::uint64_t>{3, 7, 9}));
}

TEST(BatchValues, have_the_halves_of_the_seed_as_signed_numbers) {
  Digest seed;
  seed.bytes.fill(0xff);
  seed.bytes.back() = 0xfe;
  const math::BatchValues values = batch_values({3}, 5, seed);
  EXPECT_EQ(values.batch, 5U);
  EXPECT_EQ(values.seed_high, -1);
  EXPECT_EQ(values.seed_low, -2);
}

TEST(ReadsSeed, finds_either_half_in_any_section) {
  EXPECT_FALSE(reads_seed(small_program()));
  for (const auto half : {math::Variable::kSeedHigh, math::Variable::kSeedLow}) {
    const math::Instruction read{math::Op::kVar, 1, 0, 0, static_cast<std::int32_t>(half)};
    math::Program in_step = small_program();
    in_step.items[0].body->step.push_back(read);
    EXPECT_TRUE(reads_seed(in_step));
    math::Program in_finish = small_program();
    in_finish.items.back().body->finish.push_back(read);
    EXPECT_TRUE(reads_seed(in_finish));
  }
  math::Program unchecked = small_program();
  for (math::Item& item : unchecked.items) {
    if (item.kind == math::ItemKind::kAdvice) item.body.reset();
  }
  EXPECT_FALSE(reads_seed(unchecked));
  // The same immediate under another opcode is no variable.
  math::Program imm = small_program();
  imm.items[0].body->step.push_back({math::Op::kImm, 1, 0, 0, static_cast<std::int32_t>(math::Variable::kSeedHigh)});
  EXPECT_FALSE(reads_seed(imm));
}

}  // namespace
}  // namespace tally::proof
