// What transactions cost on a node, by the rules of its newest fork. Gas follows from the bytes alone, so the figures
// are the same on every machine. TALLY_GAS_SWEEP=1: whole disputes over clients, arity and leaf size, as CSV.
#include <gtest/gtest.h>

#include <algorithm>
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

// Moves by the numbers of their kinds.
constexpr const char* kRespond = "make_move 3";
constexpr const char* kNarrow = "make_move 4";
constexpr const char* kNarrowAndProve = "make_move 6";

std::uint64_t most(const Spent& spent, const std::string& name) {
  std::uint64_t gas = 0;
  for (const auto& [what, used] : spent) gas = what == name ? std::max(gas, used) : gas;
  return gas;
}

std::uint64_t total(const Spent& spent) {
  std::uint64_t gas = 0;
  for (const auto& [name, used] : spent) gas += used;
  return gas;
}

void print(const std::string& title, const Spent& spent) {
  std::cout << title << '\n';
  for (const auto& [name, used] : spent) std::cout << "  " << name << ": " << used << '\n';
  std::cout << "  all: " << total(spent) << '\n';
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
  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  math::Program fedavg = test::compile_library_program("fedavg").program;
};

constexpr std::uint64_t kClients = 1000;
constexpr std::uint64_t kParameters = 10'000'000;

struct Ceilings {
  std::uint64_t open = 0;
  std::uint64_t respond = 0;
  std::uint64_t narrow = 0;
  std::uint64_t prove = 0;
  std::uint64_t all = 0;
};

void expect_at_most(const Ceilings& ceilings, const Spent& spent) {
  EXPECT_LE(most(spent, "open_game"), ceilings.open);
  EXPECT_LE(most(spent, kRespond), ceilings.respond);
  EXPECT_LE(most(spent, kNarrow), ceilings.narrow);
  EXPECT_LE(most(spent, kNarrowAndProve), ceilings.prove);
  EXPECT_LE(total(spent), ceilings.all);
}

TEST_F(GasTest, a_whole_dispute_over_a_thousand_clients_and_ten_million_parameters) {
  const Spent large = dispute({.shape = {kClients, kParameters, 1024}, .arity = 32});
  print("fedavg, K = 1000, D = 10^7, leaves of 1 KiB, arity 32", large);
  expect_at_most({.open = 123'000, .respond = 53'000, .narrow = 50'000, .prove = 154'000, .all = 430'000}, large);
  const Spent middle = dispute({.shape = {kClients, kParameters, 256}, .arity = 32});
  print("the same, leaves of 256 bytes", middle);
  expect_at_most({.open = 113'000, .respond = 53'000, .narrow = 50'000, .prove = 137'000, .all = 402'000}, middle);
  const Spent small = dispute({.shape = {kClients, kParameters, 64}, .arity = 32});
  print("the same, leaves of 64 bytes", small);
  expect_at_most({.open = 113'000, .respond = 53'000, .narrow = 50'000, .prove = 137'000, .all = 400'000}, small);
}

// From 8 levels of a tree to 18: of the disputed table's leaf, and of the row's.
TEST_F(GasTest, grows_with_the_paths_of_a_larger_model_alone) {
  const std::uint64_t small = total(dispute({.shape = {kClients, 10'000, 256}, .arity = 32}));
  const std::uint64_t large = total(dispute({.shape = {kClients, kParameters, 256}, .arity = 32}));
  EXPECT_GT(large, small);
  EXPECT_LE(large - small, std::uint64_t{2 * 10 * 1300});
}

TEST_F(GasTest, a_keepers_signature_in_a_post) {
  const auto post_with = [&](std::uint16_t signatures) {
    mirror->reset();
    std::vector<proof::PrivateKey> keepers;
    for (std::uint8_t i = 40; i < 45; ++i) keepers.push_back(test::small_key(i));
    std::ranges::sort(keepers, {}, [](const proof::PrivateKey& key) { return key.address(); });
    proof::KeeperQuorum quorum{.threshold = signatures};
    for (const proof::PrivateKey& key : keepers) quorum.keepers.push_back(key.address());
    proof::TaskSettings settings = test::quick_settings();
    settings.availability = quorum;
    SettlementWorld world({.settings = settings, .chain = mirrored(mirror)});
    WorldBatch batch = world.make_batch();
    for (std::uint16_t i = 0; i < signatures; ++i)
      batch.post().keepers.push_back(
          {.position = i, .signature = sign(keepers[i], proof::keeper_message(batch.id()).bytes)});
    EXPECT_TRUE(world.post(batch).has_value());
    return mirror->spent().back().second;
  };
  const std::uint64_t each = (post_with(5) - post_with(1)) / 4;
  std::cout << "a keeper's signature: " << each << '\n';
  EXPECT_LE(each, 7'000U);
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
  EXPECT_LE(most(mirror->spent(), "post"), 107'000U);
  EXPECT_LE(most(mirror->spent(), "finalize"), 75'000U);
  EXPECT_LE(most(mirror->spent(), "withdraw"), 41'000U);
}

/// All of it where TALLY_GAS_SWEEP says so.
TEST_F(GasTest, sweep) {
  const bool is_whole = test::wanted_count("TALLY_GAS_SWEEP", 0) > 0;
  using Clients = std::vector<std::uint64_t>;
  using Arities = std::vector<std::uint16_t>;
  using Leaves = std::vector<std::uint32_t>;
  const Clients all_clients = is_whole ? Clients{10, 100, 1000, 10'000} : Clients{10};
  const Arities arities = is_whole ? Arities{2, 4, 8, 16, 24, 32, 48, 64} : Arities{4, 16};
  const Leaves leaves = is_whole ? Leaves{64, 128, 256, 512, 1024, 2048, 4096} : Leaves{64};
  std::cout << "clients,parameters,arity,leaf_bytes,transactions,gas\n";
  for (const std::uint64_t clients : all_clients) {
    for (const std::uint16_t arity : arities) {
      for (const std::uint32_t leaf : leaves) {
        const Spent spent = dispute({.shape = {clients, kParameters, leaf}, .arity = arity});
        std::cout << clients << ',' << kParameters << ',' << arity << ',' << leaf << ',' << spent.size() << ','
                  << total(spent) << std::endl;
        EXPECT_LT(total(spent), 100'000 * spent.size());
      }
    }
  }
}

}  // namespace
}  // namespace tally::chain
