// What the machine does on records that it did not write itself: where they contradict each other it throws, and writes
// nothing; where money would not fit 128 bits it refuses.
#include "tests/support/altered_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/settlement/money.h"
#include "fraud_proof/settlement/settlement.h"
#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::AlteredState;
using test::game_after;
using test::opening;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

constexpr OpeningKey kLeaf{math::kMemberObject, 1, 0};
constexpr Wei kMost{~math::u128{0}};

class AlteredStateTest : public testing::Test {
 protected:
  using Alteration = std::function<void(AlteredState&)>;

  OrRefused<Effects> apply(const Alteration& alter, const PrivateKey& sender, const Transaction& transaction,
                           const Wei& value = {}) {
    return apply_in(world.chain().next_block(), alter, sender, transaction, value);
  }
  /// By a machine that has seen nothing.
  OrRefused<Effects> apply_in(const BlockContext& block, const Alteration& alter, const PrivateKey& sender,
                              const Transaction& transaction, const Wei& value = {}) {
    AlteredState altered(world.state());
    alter(altered);
    return Settlement().apply(altered, block, {.sender = sender.address(), .value = value, .transaction = transaction});
  }
  /// Accepted as things are, and thrown out on the altered records.
  void expect_broken(const Transaction& transaction, const std::string& message, const Alteration& alter,
                     const Wei& value = {}) {
    EXPECT_TRUE(accepted(apply([](AlteredState&) {}, world.challenger(), transaction, value))) << message;
    try {
      const auto done = apply(alter, world.challenger(), transaction, value);
      ADD_FAILURE() << message << ": " << (done ? "accepted" : done.error().message);
    } catch (const BrokenState& broken) {
      EXPECT_NE(std::string(broken.what()).find(message), std::string::npos) << broken.what();
    }
  }
  void expect_overflow(const PrivateKey& sender, const Transaction& transaction,
                       const std::function<std::vector<std::uint8_t>()>& key, const Wei& held = kMost) {
    EXPECT_TRUE(accepted(apply([](AlteredState&) {}, sender, transaction)));
    EXPECT_TRUE(refused(apply([&](AlteredState& state) { state.put(key(), held); }, sender, transaction),
                        Reason::kMoneyOverflow));
  }
  [[nodiscard]] static std::function<std::vector<std::uint8_t>()> credit(const PrivateKey& key) {
    return [&key] { return credit_key(key.address()); };
  }

  [[nodiscard]] Alteration node(const WorldBatch& batch, const std::function<void(NodeRecord&)>& change) {
    return [this, id = batch.id(), change](AlteredState& state) {
      NodeRecord node = world.node(id);
      change(node);
      state.put_node(id, node);
    };
  }
  [[nodiscard]] static Alteration without(std::vector<std::uint8_t> key) {
    return [key = std::move(key)](AlteredState& state) { state.remove(key); };
  }
  [[nodiscard]] RequestLeaf request(const WorldBatch& batch) { return {.header = batch.header(), .leaf = kLeaf}; }
  [[nodiscard]] AnswerRequest answer(WorldBatch& batch) {
    OpeningWriter writer(batch.committed().batch(), batch.committed());
    writer.open(kLeaf);
    return {.header = batch.header(), .leaf = kLeaf, .openings = writer.take()};
  }
  void ask(const WorldBatch& batch) {
    ASSERT_TRUE(accepted(world.send(world.challenger(), request_bond(), request(batch))));
  }
  Game play(WorldBatch& batch) {
    return game_after(world.send(world.challenger(), challenger_bond(), opening(batch, test::kTotalItem, 0)));
  }
  [[nodiscard]] Wei request_bond() const { return std::get<LeafRequests>(world.settings().availability).request_bond; }
  [[nodiscard]] Wei challenger_bond() const { return world.settings().challenger_bond; }

  SettlementWorld world;
};

TEST_F(AlteredStateTest, without_a_task_its_program_or_its_status_is_broken) {
  WorldBatch batch = world.posted();
  const Digest hash = math::sha256(world.creation().bytecode);
  const OpenGame open = opening(batch, test::kTotalItem, 0);
  std::vector<std::uint8_t> bad = *world.state().read(program_key(hash));  // its length, then the bytecode
  bad.back() ^= 1;
  expect_broken(open, "without its task", without(task_key(world.task())), challenger_bond());
  expect_broken(open, "program is not there", without(program_key(hash)), challenger_bond());
  expect_broken(
      open, "not the one of its hash", [&](AlteredState& state) { state.put_bytes(program_key(hash), bad); },
      challenger_bond());
  expect_broken(
      open, "a program that is not valid",
      [&](AlteredState& state) {
        const Digest other = math::sha256(math::Bytes(bad).subspan(4));
        std::vector<std::uint8_t> task = *world.state().read(task_key(world.task()));
        std::ranges::copy(other.bytes, std::ranges::search(task, hash.bytes).begin());
        state.put_bytes(task_key(world.task()), task);
        state.put_bytes(program_key(other), bad);
      },
      challenger_bond());
  expect_broken(Fund{.task = world.task()}, "without its status", without(task_status_key(world.task())), {1});
}

TEST_F(AlteredStateTest, of_a_tree_whose_batches_are_missing_is_broken) {
  WorldBatch first = world.posted(test::forged());
  WorldBatch second = world.posted({.parent = &first, .random_seed = 2});
  expect_broken(opening(second, test::kTotalItem, 0), "parent is not there",
                without(node_key(world.task(), first.id())), challenger_bond());
  WorldBatch third = world.make_batch({.random_seed = 3});
  expect_broken(third.post(), "tree names is not there", without(node_key(world.task(), kGenesisParent)),
                world.settings().sequencer_bond);
  test::disprove(world, first);
  const SkipInvalid skip{.task = world.task()};
  expect_broken(skip, "tree names is not there", without(node_key(world.task(), first.id())));
  expect_broken(skip, "child of a batch is not there", without(child_key(world.task(), kGenesisParent, 0)));
  EXPECT_TRUE(signer_term(world.state(), world.task(), world.wallet(0).address()).has_value());
  AlteredState state(world.state());
  state.remove(member_key(world.task(), 0));
  EXPECT_THROW(static_cast<void>(signer_term(state, world.task(), world.wallet(0).address())), BrokenState);
}

TEST_F(AlteredStateTest, of_a_block_without_the_hash_that_seals_is_broken) {
  const SealSeed seal{.task = world.task()};
  world.chain().mine(3);
  EXPECT_TRUE(accepted(apply([](AlteredState&) {}, world.other(), seal)));
  BlockContext block = world.chain().next_block();
  block.block_hash = [](std::uint64_t) { return std::nullopt; };
  EXPECT_THROW(static_cast<void>(apply_in(block, [](AlteredState&) {}, world.other(), seal)), BrokenState);
}

TEST_F(AlteredStateTest, of_disputes_that_their_batch_does_not_count_is_broken) {
  WorldBatch batch = world.posted();
  const Game game = play(batch);
  ask(batch);
  world.chain().advance(world.settings().game_clock_s + 1);
  const ClaimTimeout timeout{.game = game};
  const std::string uncounted = "an open game that its batch does not count";
  expect_broken(timeout, uncounted, without(node_key(world.task(), batch.id())));
  expect_broken(timeout, uncounted, without(task_key(world.task())));
  expect_broken(timeout, uncounted, node(batch, [](NodeRecord& node) { node.open_games = 0; }));
  expect_broken(timeout, uncounted, node(batch, [](NodeRecord& node) { node.state = NodeState::kFinal; }));
  const ClaimWithheld withheld{.header = batch.header(), .leaf = kLeaf};
  const std::string unasked = "an open request that its batch does not count";
  expect_broken(withheld, unasked, node(batch, [](NodeRecord& node) { node.open_requests = 0; }));
  expect_broken(withheld, unasked, node(batch, [](NodeRecord& node) { node.state = NodeState::kFinal; }));
  expect_broken(withheld, "has not the bond of its post", node(batch, [](NodeRecord& node) { node.bond.value -= 1; }));
}

TEST_F(AlteredStateTest, of_a_batch_from_the_future_is_broken) {
  WorldBatch batch = world.posted();
  expect_broken(opening(batch, test::kTotalItem, 0), "later time than the block's",
                node(batch, [](NodeRecord& node) { node.posted_s += 1'000; }), challenger_bond());
}

TEST_F(AlteredStateTest, with_more_money_than_128_bits_refuses_the_end_of_a_batch) {
  WorldBatch final = world.posted();
  WorldBatch dead = world.posted({.random_seed = 2});
  world.chain().advance(world.settings().challenge_period_s);
  expect_overflow(world.other(), Finalize{.header = final.header()}, credit(world.poster()));
  ASSERT_TRUE(accepted(finalize(world, final)));
  expect_overflow(world.other(), ReleaseBond{.header = dead.header()}, credit(world.poster()), {kMost.value - 1});
}

TEST_F(AlteredStateTest, with_more_money_than_128_bits_refuses_the_end_of_a_game) {
  WorldBatch batch = world.posted();
  const Game game = play(batch);
  WorldBatch other = world.posted({.random_seed = 2});
  const Game answered = game_after(world.send(world.poster(), test::next_move(world, other, play(other))));
  world.chain().advance(world.settings().game_clock_s + 1);
  const ClaimTimeout by_poster{.game = game};
  expect_overflow(world.other(), by_poster, burned_key);
  expect_overflow(world.other(), by_poster, credit(world.challenger()));
  // Its own bond fits, the reward does not.
  expect_overflow(world.other(), by_poster, credit(world.challenger()), {kMost.value - challenger_bond().value});
  const ClaimTimeout by_challenger{.game = answered};
  expect_overflow(world.other(), by_challenger, burned_key);
  expect_overflow(world.other(), by_challenger, credit(world.poster()));
}

TEST_F(AlteredStateTest, with_more_money_than_128_bits_refuses_the_end_of_a_request) {
  WorldBatch batch = world.posted();
  ask(batch);
  expect_overflow(world.other(), answer(batch), burned_key);
  expect_overflow(world.other(), answer(batch), credit(world.other()));
  expect_overflow(world.other(), answer(batch), credit(world.challenger()));
  world.chain().advance(world.settings().challenge_period_s);
  expect_overflow(world.other(), ClaimWithheld{.header = batch.header(), .leaf = kLeaf}, credit(world.challenger()));
}

TEST_F(AlteredStateTest, with_more_money_than_128_bits_refuses_a_stake_back) {
  ASSERT_TRUE(accepted(world.send(world.wallet(0), RequestExit{.task = world.task(), .member = 0})));
  world.chain().advance(world.settings().exit_delay_s);
  expect_overflow(world.wallet(0), WithdrawStake{.task = world.task(), .member = 0}, credit(world.wallet(0)));
}

// The fee is what the bond leaves, and not the gas at a price that no number holds.
TEST_F(AlteredStateTest, of_a_block_with_the_highest_base_fee_pays_an_answer_what_there_is) {
  WorldBatch batch = world.posted();
  ask(batch);
  BlockContext block = world.chain().next_block();
  block.base_fee = kMost;
  AlteredState state(world.state());
  const auto done =
      Settlement().apply(state, block, {.sender = world.other().address(), .value = {}, .transaction = answer(batch)});
  ASSERT_TRUE(accepted(done));
  for (const Write& write : done->writes) {
    if (write.key == credit_key(world.other().address())) {
      EXPECT_EQ(decode_record_as<Wei>(write.record), split_bond(request_bond(), world.settings().burn_bps).reward);
      return;
    }
  }
  ADD_FAILURE() << "nothing was paid";
}

}  // namespace
}  // namespace tally::proof
