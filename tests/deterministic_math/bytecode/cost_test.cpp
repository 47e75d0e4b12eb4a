#include "deterministic_math/bytecode/cost.h"

#include <gtest/gtest.h>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/validator.h"
#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::math {
namespace {

using test::small_program;

const TaskShape kShape{{8, 2, 4}, 64};

TEST(Cost, counts_a_record_and_a_row_as_the_chain_opens_them) {
  // next_model's step loads examples[k] and updates[k, d]: one record (address, member, nonce, one row, one field,
  // signature; 3 levels for 8 records), and one leaf of a 16-byte row. Each has a head.
  const SectionCost cost = section_cost(small_program(), kShape, 2, CodeSection::kStep);
  EXPECT_EQ(cost.instructions, 9U);
  EXPECT_EQ(cost.openings, 2U);
  EXPECT_EQ(cost.opening_bytes, 2 * kOpeningHeadBytes + (20 + 8 + 8 + 32 + 8 + 65) + 3 * 32 + 16U);
}

TEST(Cost, counts_a_leaf_and_its_path_for_a_table) {
  Program program = small_program();
  program.dims[2].hi = 1000;
  const TaskShape shape{{8, 2, 1000}, 64};
  // The finish loads total (one leaf of 8 bytes; one of 4 tables, 2 levels) and model[d]: 4000 bytes are 63 leaves, 6
  // levels; one of 2 states, 1 level.
  const SectionCost cost = section_cost(program, shape, 2, CodeSection::kFinish);
  EXPECT_EQ(cost.openings, 2U);
  EXPECT_EQ(cost.opening_bytes, 2 * kOpeningHeadBytes + (8 + 2 * 32) + (64 + (6 + 1) * 32));
}

TEST(Cost, grows_a_path_with_the_number_of_leaves) {
  Program program = small_program();
  program.dims[2].hi = kMaxDim;
  const auto bytes = [&](std::uint64_t length) {
    return section_cost(program, {{8, 2, length}, 64}, 2, CodeSection::kFinish).opening_bytes -
           (2 * kOpeningHeadBytes + (8 + 2 * 32) + 32);
  };
  EXPECT_EQ(bytes(1), 4U);
  EXPECT_EQ(bytes(16), 64U);
  EXPECT_EQ(bytes(17), 64 + 32U);
  EXPECT_EQ(bytes(32), 64 + 32U);
  EXPECT_EQ(bytes(33), 64 + 64U);
  EXPECT_EQ(bytes(kMaxDim), 64 + 24 * 32U);
}

TEST(Cost, opens_the_same_leaf_again_only_when_a_coordinate_was_written) {
  Program program = small_program();
  const auto openings = [&](std::vector<Instruction> finish) {
    program.items[3].body->finish = std::move(finish);
    return section_cost(program, kShape, 3, CodeSection::kFinish).openings;
  };
  const Instruction model{Op::kLoad, 2, 1, 0, test::kModel};
  const Instruction member{Op::kLoad, 2, 1, 0, kMemberObject};
  const Instruction nonce{Op::kLoad, 2, 1, 0, kNonceObject};
  const Instruction row{Op::kLoad, 2, 1, 1, test::kUpdates};
  const Instruction write{Op::kImm, 1, 0, 0, 3};
  EXPECT_EQ(openings({model, model}), 1U);
  EXPECT_EQ(openings({model, write, model}), 2U);
  EXPECT_EQ(openings({member, nonce, row}), 2U);
  EXPECT_EQ(openings({member, write, nonce}), 2U);
}

TEST(Cost, leads_each_table_to_the_header_but_once) {
  Program program = small_program();
  const auto bytes = [&](std::vector<Instruction> finish) {
    program.items[3].body->finish = std::move(finish);
    return section_cost(program, kShape, 3, CodeSection::kFinish).opening_bytes;
  };
  const Instruction write{Op::kImm, 1, 0, 0, 3};
  const Instruction model{Op::kLoad, 2, 1, 0, test::kModel};
  const Instruction credit{Op::kLoad, 2, 1, 0, test::kCredit};
  const std::uint64_t first = bytes({model});
  EXPECT_EQ(first, kOpeningHeadBytes + 4 * 4 + 32);
  EXPECT_EQ(bytes({model, write, model}), first + kOpeningHeadBytes + 4 * 4);
  EXPECT_EQ(bytes({model, credit}), first + kOpeningHeadBytes + 2 * 8 + 32);
}

constexpr std::uint64_t hash_gas(std::uint64_t words) { return kGasHash + 60 + 12 * words; }

std::uint64_t gas_of(const std::vector<Instruction>& code) {
  std::uint64_t gas = 0;
  for (const Instruction& op : code) gas += opcode_info(op.op).gas;
  return gas;
}

std::uint64_t gas_of_any_proof(const Program& program) {
  return kGasProof + kGasPart * (program.dims.size() + program.objects.size() + program.items.size());
}

TEST(Cost, prices_every_opcode_byte_opening_and_hash) {
  const Program program = small_program();
  // A record under 3 levels.
  const SectionCost step = section_cost(program, kShape, 0, CodeSection::kStep);
  const std::uint64_t record = 20 + 8 + 8 + 32 + 8 + 65;
  EXPECT_EQ(step.opening_bytes, kOpeningHeadBytes + record + 96);
  EXPECT_EQ(step.gas, gas_of_any_proof(program) + gas_of(program.items[0].body->step) + kGasByte * step.opening_bytes +
                          kGasOpening + hash_gas((record + 1 + 31) / 32) + 3 * hash_gas(3));
  // total and model[d]: each a leaf alone in its tree, its table's commitment, and that one's leaf and path, under 2
  // levels and 1.
  const SectionCost finish = section_cost(program, kShape, 2, CodeSection::kFinish);
  EXPECT_EQ(finish.gas, gas_of_any_proof(program) + gas_of(program.items[2].body->finish) +
                            kGasByte * finish.opening_bytes +
                            2 * (kGasOpening + hash_gas(1) + hash_gas(2) + hash_gas(2)) + 3 * hash_gas(3));
}

TEST(Cost, is_no_lower_than_the_floor_of_calldata) {
  Program program = small_program();
  program.dims[2].hi = kMaxDim;
  program.items[3].body->finish = {{Op::kLoad, 2, 1, 0, test::kModel}};
  const SectionCost cost = section_cost(program, {{8, 2, kMaxDim}, 4096}, 3, CodeSection::kFinish);
  EXPECT_EQ(cost.gas, gas_of_any_proof(program) + kGasFloorByte * cost.opening_bytes);
}

TEST(Cost, counts_work_as_entries_times_fold) {
  EXPECT_EQ(item_work(small_program(), kShape, 0), 8 * 3 + 1U);
  EXPECT_EQ(item_work(small_program(), kShape, 1), 4 * 7U);
  EXPECT_EQ(item_work(small_program(), kShape, 2), 4 * (8 * 9 + 12U));
  EXPECT_EQ(program_work(small_program(), kShape), 25 + 28 + 336 + 14U);
}

TEST(Cost, pitfall_9_counts_entries_and_steps_that_run_no_instruction) {
  // Executors walk every entry and every step of it, however little each does.
  const Extent large{ExtentKind::kConstant, std::uint64_t{1} << 19};
  const Extent longest{ExtentKind::kConstant, kMaxDim};
  Program program = small_program();
  const Body nothing{};
  Body idle{FoldKind::kFold, longest, {0}, {{0, 0}}, {}, {}};
  program.items.push_back({ItemKind::kCheck, kOutside, 2, {large, large}, {}, nothing});
  program.items.push_back({ItemKind::kCheck, kOutside, 1, {large, Extent{}}, {}, idle});
  ASSERT_TRUE(validate(program).has_value());
  EXPECT_EQ(item_work(program, kShape, 4), std::uint64_t{1} << 38);
  EXPECT_EQ(item_work(program, kShape, 5), (std::uint64_t{1} << 47) + (std::uint64_t{1} << 19));
  const auto refused = validate_for_task(program, kShape, std::uint64_t{1} << 40);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, ValidationReason::kTaskWork);
}

TEST(Cost, pitfall_9_counts_advice_that_nothing_checks) {
  // A poster must make it, keepers store it, watchtowers hash it.
  Program program = small_program();
  program.items[1].body.reset();
  EXPECT_EQ(item_work(program, kShape, 1), 4U);
}

TEST(Cost, saturates) {
  Program program = small_program();
  program.dims[2].hi = kMaxDim;
  program.items[2].body->length = {ExtentKind::kDim, 2};
  program.items[2].body->step.resize(300, {Op::kImm, 1, 0, 0, 0});
  EXPECT_EQ(item_work(program, {{8, 2, kMaxDim}, 64}, 2), ~std::uint64_t{0});
}

/// table[m in M] fold e in K where member[e] == m: n + 1.
Program bucket_program() {
  Program program = small_program();
  const Extent members{ExtentKind::kDim, 1};
  const Extent one{};
  Body count{FoldKind::kFold,
             Extent{ExtentKind::kDim, 0},
             {0},
             {{0, 8}},
             {{Op::kVar, 1, 0, 0, static_cast<std::int32_t>(Variable::kFold)},
              {Op::kLoad, 2, 1, 0, kMemberObject},
              {Op::kVar, 3, 0, 0, 0},
              {Op::kEq, 4, 2, 3, 0},
              {Op::kSkipZ, 0, 4, 0, 0},
              {Op::kImm, 5, 0, 0, 1},
              {Op::kAdd, 0, 0, 5, 0}},
             {{Op::kRet, 0, 0, 0, 0}}};
  program.objects.push_back(
      {ObjectKind::kComputed, ElementType::kI64, 1, {members, one}, RangeOrigin::kProved, {0, 8}});
  program.items.push_back({ItemKind::kTable, kOutside, 1, {members, one}, {10}, count});
  return program;
}

TEST(Cost, counts_a_bucket_as_entries_and_length) {
  const Program program = bucket_program();
  const auto bucket = find_bucket(program, 4);
  ASSERT_TRUE(bucket.has_value());
  EXPECT_EQ(bucket->skip, 4U);
  EXPECT_EQ(bucket->equal, 3U);
  EXPECT_EQ(bucket->key, 2U);
  EXPECT_EQ(item_work(program, kShape, 4), (2 + 8) * 7 + 2U);
  for (std::size_t item = 0; item < 4; ++item) EXPECT_FALSE(find_bucket(program, item).has_value());
}

TEST(Cost, takes_no_key_that_depends_on_the_entry_or_on_accumulators) {
  Program program = bucket_program();
  std::vector<Instruction>& step = program.items[4].body->step;
  const std::vector<Instruction> original = step;
  step[1] = {Op::kLoad, 2, 3, 0, kMemberObject};
  EXPECT_TRUE(find_bucket(program, 4).has_value());  // register 3 is still 0 there
  step[1] = {Op::kVar, 2, 0, 0, 0};
  EXPECT_FALSE(find_bucket(program, 4).has_value());
  step[1] = {Op::kAdd, 2, 0, 1, 0};
  EXPECT_FALSE(find_bucket(program, 4).has_value());
  step[1] = {Op::kLoad, 2, 1, 0, 10};  // its own table: what it sees depends on the entry
  EXPECT_FALSE(find_bucket(program, 4).has_value());
  step = original;
  step[3].op = Op::kLe;
  EXPECT_FALSE(find_bucket(program, 4).has_value());
}

TEST(Cost, is_finite_for_every_random_program_at_its_bounds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    test::Rng rng(seed);
    const Program program = test::random_program(rng);
    TaskShape shape;
    for (const Dim& dim : program.dims) shape.dims.push_back(dim.hi);
    for (std::size_t item = 0; item < program.items.size(); ++item) {
      const SectionCost cost = section_cost(program, shape, item, CodeSection::kFinish);
      EXPECT_GE(cost.gas, kGasProof + kGasFloorByte * cost.opening_bytes);
    }
  }
}

}  // namespace
}  // namespace tally::math
