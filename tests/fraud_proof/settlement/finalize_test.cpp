#include <gtest/gtest.h>

#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::forged;
using test::game_after;
using test::has_ended;
using test::kMiddleItem;
using test::kTotalItem;
using test::opening;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

constexpr std::uint64_t kPeriod = 1000;
constexpr std::uint64_t kClock = 2000;

class FinalizeTest : public testing::Test {
 protected:
  OrRefused<Effects> skip(const BatchId& parent) {
    return world.send(world.other(), SkipInvalid{.task = world.task(), .parent = parent});
  }
  Game open(WorldBatch& batch, std::uint16_t item = kMiddleItem) {
    return game_after(world.send(world.challenger(), world.settings().challenger_bond, opening(batch, item, 0)));
  }
  void request(WorldBatch& batch) {
    const auto& requests = std::get<LeafRequests>(world.settings().availability);
    ASSERT_TRUE(accepted(world.send(world.other(), requests.request_bond, RequestLeaf{.header = batch.header()})));
  }
  [[nodiscard]] Wei bond() const { return world.settings().sequencer_bond; }

  SettlementWorld world;
};

// Pitfall 13: no time that was never set ends a period. Pitfall 19: the end is where clients count it.
TEST_F(FinalizeTest, makes_a_batch_final_when_its_period_is_over_and_not_before) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kPeriodRunning));
  world.chain().advance(kPeriod - 1);
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kPeriodRunning));
  world.chain().advance(1);
  const auto effects = finalize(world, batch);
  ASSERT_TRUE(accepted(effects));
  EXPECT_EQ(std::get<Finalized>(effects->events.at(0)).batch, batch.id());
  EXPECT_EQ(status_of(world, batch), BatchStatus::kFinal);
  EXPECT_EQ(world.node(batch.id()).bond, Wei{});
  EXPECT_EQ(credit_of(world, world.poster()), bond());
  EXPECT_EQ(world.node(kGenesisParent).final_child, batch.id());
  EXPECT_EQ(world.status().final_batch, batch.id());
  EXPECT_EQ(world.status().final_number, 1U);
  EXPECT_EQ(world.status().final_state, batch.header().next_state_root);
}

// Pitfall 20: what is final is not settled again.
TEST_F(FinalizeTest, pays_the_bond_once) {
  WorldBatch batch = world.posted();
  world.chain().advance(kPeriod);
  ASSERT_TRUE(accepted(finalize(world, batch)));
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kBatchFinal));
  EXPECT_TRUE(refused(release(world, batch), Reason::kBatchFinal));
  EXPECT_EQ(credit_of(world, world.poster()), bond());
}

TEST_F(FinalizeTest, refuses_a_batch_that_is_not_there) {
  WorldBatch batch = world.make_batch();
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(release(world, batch), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(skip(batch.id()), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(world.send(world.other(), SkipInvalid{.task = {{.bytes = {1}}}}), Reason::kNoSuchTask));
}

TEST_F(FinalizeTest, waits_for_the_parent) {
  WorldBatch first = world.posted();
  WorldBatch second = world.posted({.parent = &first});
  world.chain().advance(kPeriod);
  EXPECT_TRUE(refused(finalize(world, second), Reason::kParentNotFinal));
  ASSERT_TRUE(accepted(finalize(world, first)));
  EXPECT_TRUE(accepted(finalize(world, second)));
  EXPECT_EQ(world.status().final_batch, second.id());
}

// Pitfall 18: a game may outlive the period, and the batch waits for its verdict.
TEST_F(FinalizeTest, waits_for_games_that_outlive_the_period) {
  WorldBatch batch = world.posted(forged());
  world.chain().advance(kPeriod - 1);
  Game game = open(batch, kTotalItem);
  world.chain().advance(kClock);
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kGamesOpen));
  auto effects = world.send(world.poster(), next_move(world, batch, game));
  ASSERT_TRUE(accepted(effects));
  world.chain().advance(kClock);
  effects = world.send(world.challenger(), next_move(world, batch, game_after(effects)));
  ASSERT_TRUE(accepted(effects));
  EXPECT_TRUE(has_ended(effects));
  EXPECT_EQ(status_of(world, batch), BatchStatus::kInvalid);
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kBatchLost));
}

TEST_F(FinalizeTest, waits_for_requests) {
  WorldBatch batch = world.posted();
  request(batch);
  world.chain().advance(kPeriod);
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kRequestsOpen));
}

TEST_F(FinalizeTest, waits_for_earlier_siblings_and_supersedes_later_ones) {
  WorldBatch first = world.posted();
  WorldBatch second = world.posted({.random_seed = 2});
  WorldBatch nephew = world.posted({.parent = &second});
  world.chain().advance(kPeriod);
  EXPECT_TRUE(refused(finalize(world, second), Reason::kEarlierSibling));
  ASSERT_TRUE(accepted(finalize(world, first)));
  EXPECT_EQ(status_of(world, second), BatchStatus::kSuperseded);
  EXPECT_EQ(status_of(world, nephew), BatchStatus::kSuperseded);
  EXPECT_TRUE(refused(finalize(world, second), Reason::kBatchDead));
  EXPECT_TRUE(refused(finalize(world, nephew), Reason::kBatchDead));
}

TEST_F(FinalizeTest, passes_an_invalid_sibling_however_much_later_the_next_is_posted) {
  WorldBatch bad = world.posted(forged());
  WorldBatch orphan = world.posted({.parent = &bad});
  disprove(world, bad);
  EXPECT_EQ(status_of(world, orphan), BatchStatus::kOrphaned);
  world.chain().advance(50 * kPeriod);
  EXPECT_TRUE(refused(finalize(world, bad), Reason::kBatchLost));
  EXPECT_TRUE(refused(finalize(world, orphan), Reason::kBatchDead));
  WorldBatch good = world.posted({.random_seed = 2});
  EXPECT_TRUE(refused(finalize(world, good), Reason::kPeriodRunning));
  world.chain().advance(kPeriod);
  EXPECT_TRUE(accepted(finalize(world, good)));
}

// Pitfall 21: no call walks more than 16 siblings, however many an attacker pays for.
TEST_F(FinalizeTest, passes_16_siblings_a_call_and_any_number_with_more_calls) {
  std::vector<WorldBatch> bad;
  for (std::uint64_t i = 0; i < 2 * kMaxSkipped + 3; ++i) {
    bad.push_back(world.posted(forged({.random_seed = 100 + i})));
    disprove(world, bad.back());
  }
  WorldBatch good = world.posted();
  world.chain().advance(kPeriod);
  EXPECT_TRUE(refused(finalize(world, good), Reason::kEarlierSibling));
  EXPECT_EQ(world.node(kGenesisParent).first_live, 0U);  // what is refused leaves no trace
  const auto skipped = skip(kGenesisParent);
  ASSERT_TRUE(accepted(skipped));
  EXPECT_EQ(std::get<Skipped>(skipped->events.at(0)).first_live, kMaxSkipped);
  EXPECT_EQ(world.node(kGenesisParent).first_live, kMaxSkipped);
  EXPECT_TRUE(refused(finalize(world, good), Reason::kEarlierSibling));
  ASSERT_TRUE(accepted(skip(kGenesisParent)));
  EXPECT_EQ(world.node(kGenesisParent).first_live, 2 * kMaxSkipped);
  ASSERT_TRUE(accepted(finalize(world, good)));  // passes the last three itself
  EXPECT_EQ(world.node(kGenesisParent).first_live, 2 * kMaxSkipped + 3);
}

TEST_F(FinalizeTest, skips_only_children_that_are_there_and_invalid) {
  EXPECT_TRUE(refused(skip(kGenesisParent), Reason::kNothingToSkip));
  WorldBatch first = world.posted();
  EXPECT_TRUE(refused(skip(kGenesisParent), Reason::kNothingToSkip));
  WorldBatch bad = world.posted(forged({.parent = &first}));
  WorldBatch next = world.posted({.parent = &first, .random_seed = 2});
  disprove(world, bad);
  ASSERT_TRUE(accepted(skip(first.id())));
  EXPECT_EQ(world.node(first.id()).first_live, 1U);
  EXPECT_TRUE(refused(skip(first.id()), Reason::kNothingToSkip));
}

TEST_F(FinalizeTest, gives_the_bonds_of_dead_batches_back_once_their_period_is_over) {
  WorldBatch bad = world.posted(forged());
  WorldBatch orphan = world.posted({.parent = &bad});
  WorldBatch first = world.posted({.random_seed = 2});
  EXPECT_TRUE(refused(release(world, orphan), Reason::kNotReleasable));
  disprove(world, bad);
  EXPECT_TRUE(refused(release(world, bad), Reason::kBatchLost));
  world.chain().advance(kPeriod - 1);
  EXPECT_TRUE(refused(release(world, orphan), Reason::kPeriodRunning));
  world.chain().advance(1);
  const auto effects = release(world, orphan);
  ASSERT_TRUE(accepted(effects));
  const auto& released = std::get<BondReleased>(effects->events.at(0));
  EXPECT_EQ(released.poster, world.poster().address());
  EXPECT_EQ(released.amount, bond());
  EXPECT_TRUE(refused(release(world, orphan), Reason::kBondReleased));
  EXPECT_EQ(credit_of(world, world.poster()), bond());
}

// Whoever is superseded still answers for what it posted.
TEST_F(FinalizeTest, holds_the_bond_of_a_dead_batch_while_a_game_or_request_is_open) {
  WorldBatch first = world.posted();
  WorldBatch second = world.posted({.random_seed = 2});
  WorldBatch third = world.posted(forged({.random_seed = 3}));
  const Game idle = open(second);
  Game lost = open(third, kTotalItem);
  request(third);
  world.chain().advance(kPeriod);
  ASSERT_TRUE(accepted(finalize(world, first)));
  EXPECT_TRUE(refused(release(world, second), Reason::kGamesOpen));
  EXPECT_TRUE(refused(release(world, third), Reason::kGamesOpen));

  world.chain().advance(kClock + 1 - kPeriod);
  // A game of a check starts with the challenger, and one over a fold with the poster.
  ASSERT_TRUE(accepted(world.send(world.other(), ClaimTimeout{.game = idle})));
  EXPECT_TRUE(accepted(release(world, second)));
  ASSERT_TRUE(accepted(world.send(world.other(), ClaimTimeout{.game = lost})));
  EXPECT_EQ(status_of(world, third), BatchStatus::kInvalid);
  EXPECT_EQ(world.node(third.id()).bond, Wei{});
  EXPECT_TRUE(refused(release(world, third), Reason::kBatchLost));
}

TEST_F(FinalizeTest, holds_the_bond_of_a_superseded_batch_while_a_leaf_is_demanded) {
  WorldBatch first = world.posted();
  WorldBatch second = world.posted({.random_seed = 2});
  request(second);
  world.chain().advance(kPeriod);
  ASSERT_TRUE(accepted(finalize(world, first)));
  EXPECT_TRUE(refused(release(world, second), Reason::kRequestsOpen));
  ASSERT_TRUE(accepted(world.send(world.challenger(), ClaimWithheld{.header = second.header()})));
  EXPECT_EQ(status_of(world, second), BatchStatus::kInvalid);
}

}  // namespace
}  // namespace tally::proof
