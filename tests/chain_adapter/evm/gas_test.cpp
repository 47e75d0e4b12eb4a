// What transactions cost on a node, by the rules of its newest fork. Gas follows from the bytes alone, so the figures
// are the same on every machine. `tally lab gas` shows them.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>

#include "tests/support/anvil.h"
#include "tests/support/memory_world.h"
#include "verifier/lab/gas_node.h"
#include "verifier/lab/transactions.h"

namespace tally::chain {
namespace {

using verifier::DisputeCase;
using verifier::DisputeSteps;
using verifier::TransactionCost;

constexpr std::uint64_t kClients = 1000;
constexpr std::uint64_t kParameters = 10'000'000;

/// What was measured, and no more than a little above it: a change that costs gas is seen.
const std::map<std::string, std::uint64_t> kCeilings = {
    {"post, the first child of genesis", 76'000},
    {"post, a later child of genesis", 76'000},
    {"post, the first child of a batch", 80'000},
    {"post, a later child of a batch", 80'000},
    {"a keeper's signature in a post", 7'000},
    {"finalize, the poster's first", 69'000},
    {"finalize", 52'000},
    {"withdraw", 37'500},
    {"finalize and withdraw", 89'500},
    {"open_game", 110'000},
    {"respond", 43'000},
    {"narrow", 43'500},
    {"narrow and prove", 136'000},
    {"record order", 88'000},
    {"record signer", 76'000},
    {"record signature", 80'000},
    {"advice range", 104'500},
    {"commit to a proof", 53'000},
};

/// Of a level in one path: 32 bytes of calldata, and their hash.
constexpr std::uint64_t kGasOfLevel = 1'300;

struct DisputeCeiling {
  std::uint32_t leaf_bytes = 0;
  std::uint64_t gas = 0;
};
constexpr std::array kDisputeCeilings = {DisputeCeiling{1024, 368'000}, DisputeCeiling{256, 345'500},
                                         DisputeCeiling{64, 342'500}};

class GasTest : public ::testing::Test {
 protected:
  DisputeSteps dearest(const DisputeCase& dispute) { return dearest_dispute(fedavg, dispute, chain); }
  void expect_below_ceilings(const std::vector<TransactionCost>& costs) {
    for (const TransactionCost& cost : costs) {
      std::cout << cost.name << ": " << cost.gas << '\n';
      ASSERT_TRUE(kCeilings.contains(cost.name)) << cost.name;
      EXPECT_LE(cost.gas, kCeilings.at(cost.name)) << cost.name;
    }
  }

  test::Anvil anvil{test::History::kLatest};
  verifier::GasNode node{anvil.rpc()};
  verifier::LabChain chain{node};
  math::Program fedavg = test::compile_library_program("fedavg").program;
};

TEST_F(GasTest, a_whole_dispute_over_a_thousand_clients_and_ten_million_parameters) {
  break_in(fedavg, chain);
  for (const DisputeCeiling& ceiling : kDisputeCeilings) {
    const DisputeSteps steps =
        dearest({.dims = {kClients, kParameters}, .leaf_bytes = ceiling.leaf_bytes, .arity = 32});
    std::cout << "fedavg, K = 1000, D = 10^7, arity 32, leaves of " << ceiling.leaf_bytes << " bytes\n";
    for (const verifier::DisputeStep& step : steps) std::cout << "  " << step.name << ": " << step.gas << '\n';
    std::cout << "  all: " << total_gas(steps) << '\n';
    EXPECT_LE(total_gas(steps), ceiling.gas);
  }
}

// What it pays for a model of any size is one path in the disputed table and one in a row.
TEST_F(GasTest, grows_with_the_paths_of_a_larger_model_alone) {
  break_in(fedavg, chain);
  std::uint64_t last = 0;
  std::size_t last_levels = 0;
  for (std::uint64_t parameters = 1'000; parameters <= 100'000'000; parameters *= 10) {
    const std::uint64_t gas = total_gas(dearest({.dims = {kClients, parameters}, .leaf_bytes = 256, .arity = 32}));
    const std::uint64_t leaves = (4 * parameters + 255) / 256;
    const std::size_t levels = proof::inclusion_path_length({.index = parameters / 2 * 4 / 256, .count = leaves});
    std::cout << "D = " << parameters << ": " << levels << " levels, " << gas << " gas\n";
    if (last > 0) {
      EXPECT_GT(gas, last);
      EXPECT_LE(gas - last, 2 * (levels - last_levels) * kGasOfLevel);
    }
    last = gas;
    last_levels = levels;
  }
}

TEST_F(GasTest, posts_and_their_end) { expect_below_ceilings(measure_posts(chain)); }

TEST_F(GasTest, moves_over_leaves_of_one_kib_under_twenty_levels) {
  break_in(fedavg, chain);
  expect_below_ceilings(measure_moves(fedavg, chain));
}

TEST_F(GasTest, proofs_over_a_thousand_records) {
  break_in(fedavg, chain);
  expect_below_ceilings(measure_proofs(chain));
}

}  // namespace
}  // namespace tally::chain
