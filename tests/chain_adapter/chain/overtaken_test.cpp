#include "chain_adapter/chain/overtaken.h"

#include <gtest/gtest.h>

#include "tests/support/games_on_chain.h"

namespace tally::chain {
namespace {

using test::SettlementWorld;
using test::WorldBatch;

class Overtaken : public testing::Test {
 protected:
  [[nodiscard]] bool is(const proof::Transaction& transaction) {
    return is_overtaken(m_world.state(), m_world.challenger().address(), transaction);
  }

  SettlementWorld m_world;
  WorldBatch m_batch = m_world.posted();
};

TEST_F(Overtaken, is_an_opening_of_a_game_that_exists) {
  const proof::OpenGame open = test::opening(m_batch, 0, 0, 1);
  EXPECT_FALSE(is(open));
  ASSERT_TRUE(m_world.send(m_world.challenger(), m_world.settings().challenger_bond, open));
  EXPECT_TRUE(is(open));
  EXPECT_FALSE(is(test::opening(m_batch, 0, 0, 2)));
  EXPECT_FALSE(is_overtaken(m_world.state(), m_world.other().address(), open));
}

TEST_F(Overtaken, is_a_move_or_a_claim_about_a_game_that_moved_on_or_ended) {
  const proof::Game game = test::game_after(
      m_world.send(m_world.challenger(), m_world.settings().challenger_bond, test::opening(m_batch, 0, 0, 1)));
  const proof::MakeMove move = test::next_move(m_world, m_batch, game);
  EXPECT_FALSE(is(move));
  EXPECT_FALSE(is(proof::ClaimTimeout{.game = game}));
  const proof::Game moved = test::game_after(m_world.send(m_world.poster(), move));
  EXPECT_TRUE(is(move));
  EXPECT_TRUE(is(proof::ClaimTimeout{.game = game}));
  EXPECT_TRUE(is(proof::RefundGame{.game = game}));
  EXPECT_FALSE(is(proof::ClaimTimeout{.game = moved}));
  m_world.chain().advance(m_world.settings().game_clock_s + 1);
  ASSERT_TRUE(m_world.send(m_world.other(), proof::ClaimTimeout{.game = moved}));
  EXPECT_TRUE(is(proof::ClaimTimeout{.game = moved}));
}

TEST_F(Overtaken, is_a_demand_that_was_made_and_an_answer_or_a_claim_that_comes_after_another) {
  const proof::OpeningKey leaf{.object = math::kMemberObject, .record = 0, .leaf = 0};
  const proof::BatchHeader header = m_batch.header();
  const proof::RequestLeaf request{.header = header, .leaf = leaf};
  const proof::ClaimWithheld claim{.header = header, .leaf = leaf};
  EXPECT_FALSE(is(request));
  const proof::Wei bond = std::get<proof::LeafRequests>(m_world.settings().availability).request_bond;
  ASSERT_TRUE(m_world.send(m_world.challenger(), bond, request));
  EXPECT_TRUE(is(request));
  EXPECT_FALSE(is(claim));
  m_world.chain().advance(m_world.settings().window_s + 1);
  ASSERT_TRUE(m_world.send(m_world.other(), claim));
  EXPECT_TRUE(is(claim));
  EXPECT_TRUE(is(proof::AnswerRequest{.header = header, .leaf = leaf, .openings = {}}));
}

TEST_F(Overtaken, is_never_said_of_other_transactions) {
  EXPECT_FALSE(is(m_batch.post()));
  EXPECT_FALSE(is(proof::Withdraw{}));
}

}  // namespace
}  // namespace tally::chain
