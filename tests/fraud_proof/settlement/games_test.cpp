#include <gtest/gtest.h>

#include <functional>

#include "fraud_proof/settlement/money.h"
#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::descent;
using test::dispute;
using test::forged;
using test::game_after;
using test::has_ended;
using test::kMiddleItem;
using test::kTotalItem;
using test::next_move;
using test::opening;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

constexpr std::uint64_t kPeriod = 1000;
constexpr std::uint64_t kClock = 2000;

class GamesTest : public testing::Test {
 protected:
  OrRefused<Effects> open(WorldBatch& batch, const PrivateKey& challenger, std::uint16_t item = kTotalItem,
                          std::uint8_t salt = 0) {
    return world.send(challenger, challenger_bond(), opening(batch, item, 0, salt));
  }
  OrRefused<Effects> open_changed(WorldBatch& batch, const std::function<void(OpenGame&)>& change) {
    OpenGame transaction = opening(batch, kTotalItem, 0);
    change(transaction);
    return world.send(world.challenger(), challenger_bond(), transaction);
  }
  OrRefused<Effects> claim(const Game& game) { return world.send(world.other(), ClaimTimeout{.game = game}); }
  OrRefused<Effects> refund(const Game& game) { return world.send(world.other(), RefundGame{.game = game}); }
  [[nodiscard]] Wei credit(const PrivateKey& key) { return credit_of(world, key); }
  [[nodiscard]] Wei sequencer_bond() const { return world.settings().sequencer_bond; }
  [[nodiscard]] Wei challenger_bond() const { return world.settings().challenger_bond; }
  [[nodiscard]] Split split(const Wei& bond) const { return split_bond(bond, world.settings().burn_bps); }

  SettlementWorld world;
};

GameEnded ended_in(const OrRefused<Effects>& effects) { return std::get<GameEnded>(effects->events.at(0)); }

// Pitfall 23: a game carries its own bond.
TEST_F(GamesTest, a_game_that_is_opened_counts_in_its_batch_and_keeps_its_hash_and_bond) {
  WorldBatch batch = world.make_batch();
  batch.post().delegate = world.other().address();
  ASSERT_TRUE(accepted(world.post(batch)));
  const Game game = game_after(open(batch, world.challenger()));
  EXPECT_EQ(game.id, game_id({.batch = batch.id(), .challenger = world.challenger().address(), .body = kTotalItem}));
  EXPECT_EQ(game.task, world.task());
  EXPECT_EQ(game.batch, batch.id());
  EXPECT_EQ(game.poster, world.poster().address());
  EXPECT_EQ(game.delegate, world.other().address());
  EXPECT_EQ(game.challenger, world.challenger().address());
  EXPECT_EQ(game.bond, challenger_bond());
  EXPECT_EQ(game.poster_clock_s, kClock);
  EXPECT_EQ(game.moved_at_s, world.chain().head().time_s);
  const auto record = read_game(world.state(), game.id);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->hash, game_hash(game));
  EXPECT_EQ(record->batch, batch.id());
  EXPECT_EQ(record->bond, challenger_bond());
  EXPECT_EQ(world.node(batch.id()).open_games, 1U);
}

// Pitfall 24: a part of what a Sybil wins from itself is burned.
TEST_F(GamesTest, a_false_entry_loses_the_batch_and_its_bond_is_split) {
  WorldBatch batch = world.posted(forged());
  const auto effects = dispute(world, batch, world.challenger(), kTotalItem, 0);
  ASSERT_TRUE(accepted(effects));
  const Split parts = split(sequencer_bond());
  EXPECT_EQ(credit(world.challenger()).value, parts.reward.value + challenger_bond().value);
  EXPECT_EQ(read_burned(world.state()), parts.burned);
  const NodeRecord node = world.node(batch.id());
  EXPECT_EQ(node.state, NodeState::kLost);
  EXPECT_EQ(node.open_games, 0U);
  EXPECT_EQ(node.bond, Wei{});
  EXPECT_EQ(ended_in(effects).outcome, GameOutcome::kPosterDisproved);
  EXPECT_TRUE(ended_in(effects).move.has_value());
  const auto& invalid = std::get<BatchInvalid>(effects->events.at(1));
  EXPECT_EQ(invalid.cause, LossCause::kEntry);
  EXPECT_EQ(invalid.winner, world.challenger().address());
  EXPECT_EQ(invalid.reward, parts.reward);
  EXPECT_EQ(invalid.burned, parts.burned);
}

TEST_F(GamesTest, a_true_entry_cannot_be_disproved) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(dispute(world, batch, world.challenger(), kTotalItem, 0), Reason::kNotDisproved));
  EXPECT_EQ(world.node(batch.id()).open_games, 1U);
}

// Pitfall 24: a part of what a Sybil loses to itself is burned.
TEST_F(GamesTest, a_challenger_that_stops_loses_its_bond_to_the_burn_and_the_poster) {
  WorldBatch batch = world.posted();
  const Game opened = game_after(open(batch, world.challenger()));
  const Game game = game_after(world.send(world.poster(), next_move(world, batch, opened)));
  world.chain().advance(kClock);
  EXPECT_TRUE(refused(claim(game), Reason::kClockRunning));
  world.chain().advance(1);
  const auto effects = claim(game);
  ASSERT_TRUE(accepted(effects));
  EXPECT_EQ(ended_in(effects).outcome, GameOutcome::kChallengerTimeout);
  EXPECT_EQ(credit(world.poster()), split(challenger_bond()).reward);
  EXPECT_EQ(read_burned(world.state()), split(challenger_bond()).burned);
  EXPECT_EQ(status_of(world, batch), BatchStatus::kPending);
  EXPECT_EQ(world.node(batch.id()).open_games, 0U);
  EXPECT_TRUE(accepted(finalize(world, batch)));
}

TEST_F(GamesTest, a_poster_that_stops_loses_the_batch_whoever_claims_it) {
  WorldBatch batch = world.posted();
  const Game game = game_after(open(batch, world.challenger()));
  world.chain().advance(kClock + 1);
  EXPECT_TRUE(refused(world.send(world.poster(), next_move(world, batch, game)), Reason::kClockExpired));
  const auto effects = claim(game);
  ASSERT_TRUE(accepted(effects));
  EXPECT_EQ(ended_in(effects).outcome, GameOutcome::kPosterTimeout);
  EXPECT_EQ(std::get<BatchInvalid>(effects->events.at(1)).cause, LossCause::kTimeout);
  EXPECT_EQ(credit(world.challenger()).value, split(sequencer_bond()).reward.value + challenger_bond().value);
  EXPECT_EQ(credit(world.other()), Wei{});
}

TEST_F(GamesTest, opening_refuses_a_batch_that_is_not_there_or_a_wrong_bond) {
  WorldBatch unposted = world.make_batch();
  EXPECT_TRUE(refused(open(unposted, world.challenger()), Reason::kNoSuchBatch));
  WorldBatch batch = world.posted();
  for (const Wei& value : {Wei{}, Wei{challenger_bond().value - 1}, Wei{challenger_bond().value + 1}}) {
    EXPECT_TRUE(refused(world.send(world.challenger(), value, opening(batch, kTotalItem, 0)), Reason::kWrongValue));
    EXPECT_TRUE(refused(world.send(world.challenger(), value, descent(world, batch, kTotalItem)), Reason::kWrongValue));
  }
}

TEST_F(GamesTest, opening_passes_on_what_is_wrong_with_entry_and_openings) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(open_changed(batch, [](OpenGame& game) { game.entry = 1; }), Reason::kNoSuchEntry));
  EXPECT_TRUE(refused(open_changed(batch, [](OpenGame& game) { game.item = 99; }), Reason::kNoSuchEntry));
  EXPECT_TRUE(refused(open_changed(batch, [](OpenGame& game) { game.openings.clear(); }), Reason::kOpeningMissing));
  EXPECT_TRUE(
      refused(open_changed(batch, [](OpenGame& game) { game.openings.push_back(0); }), Reason::kOpeningTrailing));
  OpenDescent down = descent(world, batch, kTotalItem);
  down.tables.clear();
  EXPECT_TRUE(refused(world.send(world.challenger(), challenger_bond(), down), Reason::kDescentTables));
}

// Pitfall 18: nothing is opened behind the period's end.
TEST_F(GamesTest, opening_is_for_the_period_alone) {
  WorldBatch batch = world.posted(forged());
  world.chain().advance(kPeriod - 1);
  EXPECT_TRUE(accepted(open(batch, world.challenger())));
  world.chain().advance(1);
  EXPECT_TRUE(refused(open(batch, world.other()), Reason::kPeriodOver));
  EXPECT_TRUE(
      refused(world.send(world.other(), challenger_bond(), descent(world, batch, kTotalItem)), Reason::kPeriodOver));
}

TEST_F(GamesTest, opening_refuses_batches_that_are_lost_final_or_dead) {
  WorldBatch bad = world.posted(forged());
  WorldBatch orphan = world.posted({.parent = &bad});
  disprove(world, bad);
  EXPECT_TRUE(refused(open(bad, world.other()), Reason::kBatchLost));
  EXPECT_TRUE(refused(open(orphan, world.other()), Reason::kBatchDead));
  WorldBatch good = world.posted({.random_seed = 2});
  world.chain().advance(kPeriod / 2);
  WorldBatch late = world.posted({.random_seed = 3});
  world.chain().advance(kPeriod / 2);
  ASSERT_TRUE(accepted(finalize(world, good)));
  EXPECT_TRUE(refused(open(good, world.other()), Reason::kBatchFinal));
  EXPECT_TRUE(refused(open(late, world.other()), Reason::kBatchDead));
}

TEST_F(GamesTest, a_game_is_opened_once_and_other_salts_are_other_games) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(open(batch, world.challenger())));
  EXPECT_TRUE(refused(open(batch, world.challenger()), Reason::kGameExists));
  EXPECT_TRUE(accepted(open(batch, world.challenger(), kTotalItem, 1)));
  EXPECT_TRUE(accepted(open(batch, world.other())));
  EXPECT_TRUE(accepted(world.send(world.challenger(), challenger_bond(), descent(world, batch, kTotalItem))));
  EXPECT_TRUE(refused(world.send(world.challenger(), challenger_bond(), descent(world, batch, kTotalItem)),
                      Reason::kGameExists));
  EXPECT_EQ(world.node(batch.id()).open_games, 4U);
}

// Pitfall 20: an id is never used again, not even after its game.
TEST_F(GamesTest, an_ended_game_is_neither_moved_nor_claimed_nor_opened_again) {
  WorldBatch batch = world.posted();
  const Game opened = game_after(open(batch, world.challenger()));
  const Game game = game_after(world.send(world.poster(), next_move(world, batch, opened)));
  world.chain().advance(kClock + 1);
  ASSERT_TRUE(accepted(claim(game)));
  EXPECT_TRUE(refused(claim(game), Reason::kGameEnded));
  EXPECT_TRUE(refused(refund(game), Reason::kGameEnded));
  EXPECT_TRUE(refused(world.send(world.challenger(), next_move(world, batch, game)), Reason::kGameEnded));
  WorldBatch second = world.posted({.random_seed = 2});
  const Game again = game_after(open(second, world.challenger()));
  world.chain().advance(kClock + 1);
  ASSERT_TRUE(accepted(claim(again)));
  EXPECT_TRUE(refused(open(second, world.challenger()), Reason::kBatchLost));
}

// Pitfall 10: no state from elsewhere. Pitfall 16: a move that was copied changes nothing. Pitfall 17: moves name a
// hash.
TEST_F(GamesTest, a_move_answers_the_state_that_the_chain_keeps) {
  WorldBatch batch = world.posted();
  const Game opened = game_after(open(batch, world.challenger()));
  const MakeMove first = next_move(world, batch, opened);
  const Game moved = game_after(world.send(world.poster(), first));
  EXPECT_TRUE(refused(world.send(world.poster(), first), Reason::kStaleMove));
  EXPECT_TRUE(refused(claim(opened), Reason::kStaleMove));
  EXPECT_TRUE(refused(refund(opened), Reason::kStaleMove));
  // No field of the state can be other than the chain's.
  const std::vector<std::function<void(Game&)>> faults = {
      [&](Game& game) { game.challenger = world.other().address(); },
      [](Game& game) { game.batch.digest.bytes[0] ^= 1; },
      [](Game& game) { game.task.digest.bytes[0] ^= 1; },
      [](Game& game) { game.bond.value += 1; },
      [](Game& game) { game.challenger_clock_s += 1; },
      [](Game& game) { game.poster = {}; },
      [](Game& game) { game.high -= 1; },
      [](Game& game) { game.entry = kNoEntry; },
      [](Game& game) { game.results[0] += 1; }};
  for (const auto& fault : faults) {
    MakeMove move = next_move(world, batch, moved);
    fault(move.game);
    EXPECT_TRUE(refused(world.send(world.challenger(), move), Reason::kStaleMove));
    EXPECT_TRUE(refused(claim(move.game), Reason::kStaleMove));
  }
}

TEST_F(GamesTest, a_move_is_refused_without_game_header_or_turn) {
  WorldBatch batch = world.posted();
  WorldBatch other = world.posted({.random_seed = 2});
  const Game game = game_after(open(batch, world.challenger()));
  MakeMove move = next_move(world, batch, game);
  EXPECT_TRUE(refused(world.send(world.challenger(), move), Reason::kNotYourMove));
  move.header = other.header();
  EXPECT_TRUE(refused(world.send(world.poster(), move), Reason::kHeaderMismatch));
  move.header = batch.header();
  move.move = Narrow{};
  EXPECT_TRUE(refused(world.send(world.poster(), move), Reason::kWrongPhase));
  Game absent = game;
  absent.id.digest.bytes[0] ^= 1;
  EXPECT_TRUE(refused(claim(absent), Reason::kNoSuchGame));
  EXPECT_TRUE(refused(refund(absent), Reason::kNoSuchGame));
  move.game = absent;
  EXPECT_TRUE(refused(world.send(world.poster(), move), Reason::kNoSuchGame));
  EXPECT_TRUE(refused(refund(game), Reason::kBatchNotLost));
}

// First invalidation pays; the others get their bonds back, one at a time.
TEST_F(GamesTest, other_challengers_of_a_lost_batch_take_their_bonds_back) {
  WorldBatch batch = world.posted(forged());
  const Game waiting = game_after(open(batch, world.other()));
  const Game idle = game_after(open(batch, world.creator(), kMiddleItem));
  disprove(world, batch);
  EXPECT_EQ(world.node(batch.id()).open_games, 2U);
  EXPECT_TRUE(refused(world.send(world.poster(), next_move(world, batch, waiting)), Reason::kBatchLost));
  // Clocks that run out meanwhile cost nobody anything.
  world.chain().advance(kClock + 1);
  EXPECT_TRUE(refused(claim(waiting), Reason::kBatchLost));
  EXPECT_TRUE(refused(claim(idle), Reason::kBatchLost));
  const Split before = split(sequencer_bond());
  for (const Game& game : {waiting, idle}) {
    const auto effects = refund(game);
    ASSERT_TRUE(accepted(effects));
    EXPECT_EQ(ended_in(effects).outcome, GameOutcome::kRefunded);
    EXPECT_TRUE(refused(refund(game), Reason::kGameEnded));
  }
  EXPECT_EQ(credit(world.other()), challenger_bond());
  EXPECT_EQ(credit(world.creator()), challenger_bond());
  EXPECT_EQ(read_burned(world.state()), before.burned);
  EXPECT_EQ(world.node(batch.id()).open_games, 0U);
}

TEST_F(GamesTest, a_game_goes_on_when_its_batch_dies_and_the_loser_pays_all_the_same) {
  WorldBatch parent = world.posted(forged());
  WorldBatch bad = world.posted(forged({.parent = &parent}));
  WorldBatch good = world.posted({.parent = &parent, .random_seed = 2});
  const Game against_bad = game_after(open(bad, world.other()));
  const Game against_good = game_after(open(good, world.other()));
  disprove(world, parent);
  ASSERT_EQ(status_of(world, bad), BatchStatus::kOrphaned);

  const Game next = game_after(world.send(world.poster(), next_move(world, bad, against_bad)));
  const auto won = world.send(world.other(), next_move(world, bad, next));
  ASSERT_TRUE(accepted(won));
  EXPECT_TRUE(has_ended(won));
  EXPECT_EQ(status_of(world, bad), BatchStatus::kInvalid);
  EXPECT_EQ(credit(world.other()).value, split(sequencer_bond()).reward.value + challenger_bond().value);

  const Game last = game_after(world.send(world.poster(), next_move(world, good, against_good)));
  EXPECT_TRUE(refused(world.send(world.other(), next_move(world, good, last)), Reason::kNotDisproved));
  world.chain().advance(kClock + 1);
  ASSERT_TRUE(accepted(claim(last)));
  EXPECT_EQ(credit(world.poster()), split(challenger_bond()).reward);
  EXPECT_TRUE(accepted(release(world, good)));
}

TEST_F(GamesTest, a_descent_that_is_not_answered_loses_the_batch) {
  WorldBatch batch = world.posted();
  const Game game = game_after(world.send(world.challenger(), challenger_bond(), descent(world, batch, kTotalItem)));
  EXPECT_EQ(game.phase, Phase::kReveal);
  EXPECT_EQ(
      game.id,
      game_id(
          {.batch = batch.id(), .challenger = world.challenger().address(), .body = kTotalItem, .index = kNoEntry}));
  world.chain().advance(kClock + 1);
  ASSERT_TRUE(accepted(claim(game)));
  EXPECT_EQ(status_of(world, batch), BatchStatus::kInvalid);
}

TEST_F(GamesTest, a_descent_leads_to_the_false_entry_and_disproves_it) {
  WorldBatch batch = world.posted(forged());
  Game game = game_after(world.send(world.challenger(), challenger_bond(), descent(world, batch, kTotalItem)));
  const auto send = [&](const PrivateKey& sender, const Move& move) {
    return world.send(sender, MakeMove{.header = batch.header(), .game = game, .move = move});
  };
  game = game_after(send(world.poster(), reveal_with(game, batch.committed())));
  ASSERT_EQ(game.phase, Phase::kChoose);
  game = game_after(
      send(world.challenger(), Choose{.item = kTotalItem, .openings = opening(batch, kTotalItem, 0).openings}));
  game = game_after(world.send(world.poster(), next_move(world, batch, game)));
  EXPECT_TRUE(has_ended(world.send(world.challenger(), next_move(world, batch, game))));
  EXPECT_EQ(status_of(world, batch), BatchStatus::kInvalid);
}

// Pitfall 17: moves are the delegate's, too, and nobody else's.
TEST_F(GamesTest, the_delegate_may_answer_for_the_poster) {
  WorldBatch batch = world.make_batch();
  batch.post().delegate = world.other().address();
  ASSERT_TRUE(accepted(world.post(batch)));
  const Game game = game_after(open(batch, world.challenger()));
  const MakeMove move = next_move(world, batch, game);
  EXPECT_TRUE(refused(world.send(world.creator(), move), Reason::kNotYourMove));
  const auto moved = world.send(world.other(), move);
  ASSERT_TRUE(accepted(moved));
  EXPECT_EQ(std::get<GameMoved>(moved->events.at(0)).by, world.other().address());
}

}  // namespace
}  // namespace tally::proof
