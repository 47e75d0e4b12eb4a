// Attacks the range proof with random programs on random and extreme inputs.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/ranges/range_proof.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::RandomBatch;
using test::Rng;
using test::ValueStyle;

TEST(RangeAttack, random_programs_use_every_opcode_and_element_type) {
  std::set<Op> ops;
  std::set<ElementType> types;
  std::set<ItemKind> kinds;
  std::size_t loops = 0;
  std::size_t several_results = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng);
    loops += program.loops.size();
    for (const Object& object : program.objects) types.insert(object.type);
    for (const Item& item : program.items) {
      kinds.insert(item.kind);
      several_results += item.results.size() > 1 ? 1U : 0U;
      if (!item.body) continue;
      for (const Instruction& op : item.body->step) ops.insert(op.op);
      for (const Instruction& op : item.body->finish) ops.insert(op.op);
    }
  }
  EXPECT_EQ(ops.size(), kOpcodes.size());
  EXPECT_EQ(types.size(), 5U);
  EXPECT_EQ(kinds.size(), 3U);
  EXPECT_GT(loops, 20U);
  EXPECT_GT(several_results, 50U);
}

TEST(RangeAttack, random_batches_compute) {
  std::uint64_t entries = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng);
    RandomBatch batch(program, rng, {seed % 2 == 0 ? ValueStyle::kUniform : ValueStyle::kExtreme, 5});
    failed += test::compute_tables(program, batch);
    for (const Item& item : program.items) entries += item.body ? element_count(item.extents, batch.values()) : 0;
  }
  EXPECT_GT(entries, 1000U);
  EXPECT_LT(failed, entries / 2);
}

}  // namespace
}  // namespace tally::math
