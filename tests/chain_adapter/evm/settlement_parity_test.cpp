// Random sequences of transactions through the settlement machine of C++ and the contracts on a node: each is taken by
// both or refused by both for the same reason, with equal events, and the contract holds what the machine holds.
// TALLY_SETTLEMENT_SEQUENCES: how many. TALLY_BAD_CALLS: how many changes of each kind of transaction are tried.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "tests/support/evm_mirror.h"
#include "tests/support/settlement_driver.h"
#include "tests/support/settlement_samples.h"
#include "tests/support/wanted_count.h"

namespace tally::chain {
namespace {

using test::EvmMirror;
using test::SettlementDriver;
using test::SettlementWorld;

std::uint64_t number_of_sequences() { return test::wanted_count("TALLY_SETTLEMENT_SEQUENCES", 3); }
std::uint64_t number_of_bad_calls() { return test::wanted_count("TALLY_BAD_CALLS", 40); }

TEST(SettlementParity, contracts_and_cpp_judge_random_sequences_alike) {
  std::map<std::string, std::uint64_t> refusals;
  std::map<std::string, EvmMirror::Gas> gas;
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= number_of_sequences(); ++seed) {
    const auto mirror = std::make_shared<EvmMirror>();
    SettlementWorld world({.members = 1, .chain = mirrored(mirror)});
    std::mt19937_64 rng(seed);
    SettlementDriver driver(world, [&rng](std::uint64_t limit) { return rng() % limit; });
    for (int i = 0; i < 80 && !HasFailure(); ++i) driver.step();
    if (!HasFailure()) driver.settle();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    EXPECT_GT(mirror->compared(), 0U) << "seed " << seed;
    compared += mirror->compared();
    for (const auto& [reason, count] : mirror->refusals()) refusals[reason] += count;
    for (const auto& [kind, used] : mirror->gas()) {
      gas[kind].most = std::max(gas[kind].most, used.most);
      gas[kind].count += used.count;
    }
  }
  std::cout << compared << " transactions, " << refusals.size() << " reasons\n";
  for (const auto& [kind, used] : gas)
    std::cout << "  " << kind << ": " << used.count << ", at most " << used.most << " gas\n";
}

TEST(SettlementParity, contracts_refuse_what_is_no_transaction) {
  const auto mirror = std::make_shared<EvmMirror>();
  std::mt19937_64 rng(10);
  std::uint64_t malformed = 0;
  const auto try_bytes = [&](const std::vector<std::uint8_t>& bytes) {
    if (proof::decode_transaction(bytes)) return;
    const std::string refusal = mirror->refusal_of(bytes);
    // The bytes of a game are known by their hash alone.
    const bool is_unknown_game = refusal == EvmMirror::error_of(proof::Reason::kNoSuchGame);
    EXPECT_TRUE(refusal == EvmMirror::error_of(proof::Reason::kMalformed) || is_unknown_game)
        << refusal << " for " << math::to_hex(bytes);
    if (!is_unknown_game) ++malformed;
  };
  try_bytes({});
  try_bytes({0});
  try_bytes({25});
  for (const proof::Transaction& sample : test::sample_transactions()) {
    const std::vector<std::uint8_t> right = encode(sample);
    for (std::uint64_t i = 0; i < number_of_bad_calls() && !HasFailure(); ++i) {
      std::vector<std::uint8_t> changed = right;
      if (rng() % 4 == 0)
        changed.resize(rng() % (right.size() + 40));
      else
        changed[rng() % right.size()] ^= static_cast<std::uint8_t>(1U << (rng() % 8));
      try_bytes(changed);
    }
  }
  EXPECT_GT(malformed, 200U);
}

}  // namespace
}  // namespace tally::chain
