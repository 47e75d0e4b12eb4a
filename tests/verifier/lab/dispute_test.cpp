#include "verifier/lab/dispute.h"

#include <gtest/gtest.h>

#include "deterministic_math/language/compile.h"
#include "tests/support/memory_world.h"

namespace tally::verifier {
namespace {

class Disputes : public ::testing::Test {
 protected:
  DisputeCost measure(std::uint64_t clients, std::uint64_t parameters, std::uint16_t arity, std::uint32_t leaf = 1024) {
    return measure_dispute(program, {.shape = {clients, parameters, leaf}, .arity = arity});
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

}  // namespace
}  // namespace tally::verifier
