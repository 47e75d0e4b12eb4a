#include <gtest/gtest.h>

#include "fraud_proof/settlement/money.h"
#include "tests/support/games_on_chain.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::dispute;
using test::game_after;
using test::kTotal;
using test::next_move;
using test::opening;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

// Items of small_program().
constexpr std::uint16_t kTotalItem = 0;
constexpr std::uint16_t kMiddleItem = 1;

class GamesTest : public testing::Test {
 protected:
  /// A first batch whose `total` is one too much.
  WorldBatch posted_forgery(std::uint64_t random_seed = 1) {
    return world.posted({.random_seed = random_seed, .alter = [this](test::RandomBatch& data) {
                           test::add_to(world.program(), data, kTotal, 0, 1);
                         }});
  }
  OrRefused<Effects> open(WorldBatch& batch, const PrivateKey& challenger, std::uint16_t item = kTotalItem,
                          std::uint8_t salt = 0) {
    return world.send(challenger, world.settings().challenger_bond, opening(batch, item, 0, salt));
  }
  [[nodiscard]] Wei credit(const PrivateKey& key) { return read_credit(world.state(), key.address()); }
  [[nodiscard]] Wei sequencer_bond() const { return world.settings().sequencer_bond; }
  [[nodiscard]] Wei challenger_bond() const { return world.settings().challenger_bond; }

  SettlementWorld world;
};

TEST_F(GamesTest, a_false_entry_loses_the_batch_and_its_bond_is_split) {
  WorldBatch batch = posted_forgery();
  const auto effects = dispute(world, batch, world.challenger(), kTotalItem, 0);
  ASSERT_TRUE(accepted(effects));
  const Split split = split_bond(sequencer_bond(), world.settings().burn_bps);
  EXPECT_EQ(credit(world.challenger()).value, split.reward.value + challenger_bond().value);
  EXPECT_EQ(read_burned(world.state()), split.burned);
  const NodeRecord node = world.node(batch.id());
  EXPECT_EQ(node.state, NodeState::kLost);
  EXPECT_EQ(node.open_games, 0U);
  EXPECT_EQ(node.bond, Wei{});
  const auto& ended = std::get<GameEnded>(effects->events.at(0));
  EXPECT_EQ(ended.outcome, GameOutcome::kPosterDisproved);
  EXPECT_TRUE(ended.move.has_value());
  const auto& invalid = std::get<BatchInvalid>(effects->events.at(1));
  EXPECT_EQ(invalid.cause, LossCause::kEntry);
  EXPECT_EQ(invalid.winner, world.challenger().address());
  EXPECT_EQ(invalid.reward, split.reward);
  EXPECT_EQ(invalid.burned, split.burned);
}

TEST_F(GamesTest, a_true_entry_cannot_be_disproved) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(dispute(world, batch, world.challenger(), kTotalItem, 0), Reason::kNotDisproved));
  EXPECT_EQ(world.node(batch.id()).open_games, 1U);
}

}  // namespace
}  // namespace tally::proof
