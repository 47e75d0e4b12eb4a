// Random sequences of transactions: what must always hold is asserted by the driver, after each of them.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <random>

#include "tests/support/settlement_driver.h"
#include "tests/support/settlement_samples.h"

namespace tally::proof {
namespace {

using test::SettlementDriver;
using test::SettlementWorld;
using test::SettlementWorldOptions;

std::map<std::size_t, std::uint64_t> drive(std::uint64_t seed, std::size_t steps) {
  SettlementWorld world(SettlementWorldOptions{.members = 1});
  std::mt19937_64 rng(seed);
  SettlementDriver driver(world, [&rng](std::uint64_t limit) { return rng() % limit; });
  for (std::size_t i = 0; i < steps; ++i) driver.step();
  driver.settle();
  return driver.accepted();
}

RC_GTEST_PROP(Sequences, keep_every_invariant_and_leave_no_money_behind, (std::uint64_t seed)) { drive(seed, 60); }

TEST(Sequences, reach_every_kind_of_transaction) {
  std::map<std::size_t, std::uint64_t> accepted;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    for (const auto& [kind, count] : drive(seed, 80)) accepted[kind] += count;
  }
  const std::vector<Transaction> samples = test::sample_transactions();
  for (const Transaction& transaction : samples) {
    EXPECT_GT(accepted[transaction.index()], 0U) << name_of(transaction);
  }
}

}  // namespace
}  // namespace tally::proof
