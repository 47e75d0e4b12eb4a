#include "verifier/lab/dispute.h"

#include <gtest/gtest.h>

#include "deterministic_math/language/compile.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "tests/support/library_shapes.h"
#include "tests/support/memory_world.h"

namespace tally::verifier {
namespace {

class Disputes : public ::testing::Test {
 protected:
  DisputeCost measure(std::uint64_t clients, std::uint64_t parameters, std::uint16_t arity, std::uint32_t leaf = 1024) {
    return measure_dispute(program, {.dims = {clients, parameters}, .leaf_bytes = leaf, .arity = arity});
  }
  math::Program program = test::compile_library_program("fedavg").program;
};

// The figures that the design asks for.
TEST_F(Disputes, a_thousand_clients_cost_five_transactions_and_8_kib_whatever_the_models_size) {
  const DisputeCost small = measure(1000, 1'000, 32);
  const DisputeCost large = measure(1000, 10'000'000, 32);
  EXPECT_EQ(small.transactions, 5U);
  EXPECT_EQ(large.transactions, 5U);
  EXPECT_EQ(large.rounds, 2U);
  EXPECT_LE(large.bytes(), 8U * 1024);
  EXPECT_GT(large.bytes(), small.bytes());
}

TEST_F(Disputes, grow_with_the_logarithm_of_the_clients_alone) {
  EXPECT_EQ(measure(1, 100, 2).rounds, 1U);  // two transitions
  EXPECT_EQ(measure(1, 1, 64, 64).transactions, 3U);
  EXPECT_EQ(measure(63, 100, 64).rounds, 1U);
  EXPECT_EQ(measure(64, 100, 64).rounds, 2U);
  EXPECT_EQ(measure(255, 100, 2).rounds, 8U);
  EXPECT_EQ(measure(256, 100, 2).rounds, 9U);
}

TEST_F(Disputes, smaller_leaves_make_smaller_openings) {
  EXPECT_LT(measure(100, 100'000, 32, 256).bytes(), measure(100, 100'000, 32, 4096).bytes());
}

TEST_F(Disputes, are_won_in_every_program_but_those_that_read_the_seed) {
  std::size_t won = 0;
  for (const math::LibraryProgram& rule : math::library_programs()) {
    const math::CompiledProgram compiled =
        test::compile_library_program(std::string(rule.name), test::parameters_of(rule));
    const DisputeCase dispute{
        .dims = test::dims_of(compiled, {.records = 40, .length = 100'000}), .leaf_bytes = 256, .arity = 4};
    EXPECT_EQ(dearest_item(compiled.program, dispute).has_value(), !proof::reads_seed(compiled.program)) << rule.name;
    if (!dearest_item(compiled.program, dispute)) continue;
    NoNode node;
    LabChain chain(node);
    EXPECT_EQ(play_disputes(compiled.program, dispute, chain).size(), kAllFalseFrom.size()) << rule.name;
    ++won;
  }
  EXPECT_GT(won, 40U);
}

}  // namespace
}  // namespace tally::verifier
