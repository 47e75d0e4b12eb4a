// What transactions cost on a node, by the rules of its newest fork. Gas follows from the bytes alone, so the figures
// are the same on every machine. TALLY_GAS_SWEEP=1: whole disputes over clients, arity and leaf size, as CSV.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "tests/support/batch_life.h"
#include "tests/support/evm_mirror.h"
#include "tests/support/memory_world.h"
#include "tests/support/wanted_count.h"
#include "verifier/lab/dispute.h"

namespace tally::chain {
namespace {

using test::EvmMirror;
using test::SettlementWorld;
using test::WorldBatch;
using verifier::DisputeCase;

using Spent = std::vector<std::pair<std::string, std::uint64_t>>;

/// Sends what the laboratory does to a node.
class OnNode final : public verifier::DisputeObserver {
 public:
  explicit OnNode(EvmMirror& mirror) : x_mirror(mirror) {}
  proof::BlockContext next_block() override { return x_mirror.next_block(); }
  void applied(const proof::StateReader& before, const proof::BlockContext& block, const proof::Message& message,
               const proof::OrRefused<proof::Effects>& effects) override {
    x_mirror.watch(EvmMirror::Asked::kSend, before, block, message, effects);
  }

 private:
  EvmMirror& x_mirror;
};

std::uint64_t most(const Spent& spent, const std::string& name) {
  std::uint64_t gas = 0;
  for (const auto& [what, used] : spent) gas = what == name ? std::max(gas, used) : gas;
  return gas;
}

class GasTest : public ::testing::Test {
 protected:
  /// A dispute's transactions behind the post, of the dearest game. It is not the first that the contract sees, nor
  /// that the challenger wins: words that were 0 are dearer, once.
  Spent dispute(const DisputeCase& which) {
    Spent dearest;
    for (const verifier::FalseFrom from : verifier::kAllFalseFrom) {
      mirror->reset();
      OnNode node(*mirror);
      static_cast<void>(play_dispute(fedavg, {.shape = {1, 1, 64}, .arity = 2}, from, node));
      const auto before = static_cast<std::ptrdiff_t>(mirror->spent().size());
      static_cast<void>(play_dispute(fedavg, which, from, node));
      const Spent spent(mirror->spent().begin() + before + 2, mirror->spent().end());
      if (total(spent) > total(dearest)) dearest = spent;
    }
    return dearest;
  }
  static std::uint64_t total(const Spent& spent) {
    std::uint64_t gas = 0;
    for (const auto& [name, used] : spent) gas += used;
    return gas;
  }
  static void print(const std::string& title, const Spent& spent) {
    std::cout << title << '\n';
    for (const auto& [name, used] : spent) std::cout << "  " << name << ": " << used << '\n';
    std::cout << "  all: " << total(spent) << '\n';
  }

  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  math::Program fedavg = test::compile_library_program("fedavg").program;
};

// Moves by the numbers of their kinds.
constexpr const char* kRespond = "make_move 3";
constexpr const char* kNarrow = "make_move 4";
constexpr const char* kNarrowAndProve = "make_move 6";

constexpr std::uint64_t kClients = 1000;
constexpr std::uint64_t kParameters = 10'000'000;

TEST_F(GasTest, a_whole_dispute_over_a_thousand_clients_and_ten_million_parameters) {
  const Spent spent = dispute({.shape = {kClients, kParameters, 1024}, .arity = 32});
  print("fedavg, K = 1000, D = 10^7, leaves of 1 KiB, arity 32", spent);
  EXPECT_LE(most(spent, "open_game"), 132'000U);
  EXPECT_LE(most(spent, kRespond), 53'000U);
  EXPECT_LE(most(spent, kNarrow), 49'000U);
  EXPECT_LE(most(spent, kNarrowAndProve), 203'000U);
  EXPECT_LE(total(spent), 488'000U);
}

TEST_F(GasTest, a_post_of_five_tables_and_its_end) {
  const std::string text = R"(program five
dim K in 1..1000
dim D <= 1<<28
record weight: i64 in 1..1000
row    updates: i32[D]
state  model: i32[D]
table a[d in D]: i64 { fold k in K { s = s + updates[k, d] } from s = 0 return s }
table b[d in D]: i64 { return a[d] + 1 }
table c[d in D]: i64 { return b[d] + 1 }
table e[d in D]: i64 { return c[d] + 1 }
table f[d in D]: i32 { return clamp(e[d], i32) }
next model = f
)";
  SettlementWorld world({.program = test::compile_text(text).program, .dims = {40}, .chain = mirrored(mirror)});
  WorldBatch first = world.posted();
  WorldBatch sibling = world.posted({.random_seed = 2});
  world.chain().advance(world.settings().challenge_period_s);
  ASSERT_TRUE(finalize(world, first).has_value());
  WorldBatch child = world.posted({.parent = &first});
  WorldBatch second = world.posted({.parent = &first, .random_seed = 3});
  ASSERT_TRUE(world.send(world.poster(), proof::Withdraw{}).has_value());
  print("five tables", mirror->spent());
  EXPECT_LE(most(mirror->spent(), "post"), 111'000U);
  EXPECT_LE(most(mirror->spent(), "finalize"), 75'000U);
  EXPECT_LE(most(mirror->spent(), "withdraw"), 41'000U);
}

TEST_F(GasTest, sweep) {
  if (test::wanted_count("TALLY_GAS_SWEEP", 0) == 0) GTEST_SKIP() << "TALLY_GAS_SWEEP=1 prints it";
  std::cout << "clients,parameters,arity,leaf_bytes,transactions,gas\n";
  for (const std::uint64_t clients : {10U, 100U, 1000U, 10'000U}) {
    for (const std::uint16_t arity : std::array<std::uint16_t, 8>{2, 4, 8, 16, 24, 32, 48, 64}) {
      for (const std::uint32_t leaf : {64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) {
        const Spent spent = dispute({.shape = {clients, kParameters, leaf}, .arity = arity});
        std::cout << clients << ',' << kParameters << ',' << arity << ',' << leaf << ',' << spent.size() << ','
                  << total(spent) << std::endl;
      }
    }
  }
}

}  // namespace
}  // namespace tally::chain
