// Who may move, when, and how long.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "fraud_proof/game/game.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"

namespace tally::proof {
namespace {

using test::CommittedMemory;
using test::GameWorld;
using test::StateAt;
using test::states_of;

constexpr std::uint64_t kClock = 1000;
constexpr math::ObjectId kTable = 4;

std::string source() {
  return "program clocks\n"
         "dim K in 9..9\n"
         "record x: i64 in 0..9\n"
         "state base: i64 in 0..9\n"
         "table t: i64 { fold k in K { s = s + x[k] } from s = 0  return s + base }\n";
}

class Clocks : public ::testing::Test {
 protected:
  Clocks() {
    world.set(kTable, 0, world.value(kTable, 0) + 1);
    committed = &world.commit();
    game = open_game(committed->batch(), test::start_of(*committed, kClock), 0, 0,
                     make_result_openings(committed->batch(), 0, 0, *committed))
               .value();
  }

  [[nodiscard]] MoveContext at(std::uint64_t now_s, const Address& sender) const {
    return {.batch = committed->batch(), .arity = 3, .sender = sender, .now_s = now_s};
  }
  /// Applies the honest move of the side whose turn it is, `used_s` seconds after the last one.
  OrRefused<MoveResult> play(const Game& state, std::uint64_t used_s) {
    const std::uint64_t now_s = state.moved_at_s + used_s;
    if (to_move(state.phase) == Side::kPoster) {
      const MoveContext context = at(now_s, test::kPosterAddress);
      return apply_move(context, state, test::respond_with(context, state, truth));
    }
    const MoveContext context = at(now_s, test::kChallengerAddress);
    return apply_move(context, state, test::challenge_with(context, state, truth, *committed));
  }
  Game after(const Game& state, std::uint64_t used_s) { return std::get<Game>(play(state, used_s).value()); }

  GameWorld world{source()};
  StateAt truth = states_of(world.states(0, 0));
  CommittedMemory* committed = nullptr;
  Game game;
};

std::optional<Reason> reason(const auto& result) {
  return result ? std::nullopt : std::optional(result.error().reason);
}

TEST_F(Clocks, a_new_game_gives_both_sides_their_whole_clock_from_now) {
  EXPECT_EQ(game.poster_clock_s, kClock);
  EXPECT_EQ(game.challenger_clock_s, kClock);
  EXPECT_EQ(game.moved_at_s, 5000U);
  EXPECT_EQ(reason(claim_timeout(game, 5000)), Reason::kClockRunning);
  EXPECT_EQ(reason(claim_timeout(game, 5000 + kClock)), Reason::kClockRunning);
  EXPECT_EQ(claim_timeout(game, 5000 + kClock + 1).value(), Side::kPoster);
}

TEST_F(Clocks, a_move_exactly_at_the_limit_is_in_time_and_one_second_more_is_not) {
  EXPECT_EQ(reason(play(game, kClock)), std::nullopt);
  EXPECT_EQ(reason(play(game, kClock + 1)), Reason::kClockExpired);
  EXPECT_EQ(reason(play(game, std::uint64_t{1} << 60)), Reason::kClockExpired);

  // Either a move or a timeout is possible at any instant, never both and never neither.
  for (std::uint64_t used = 0; used < 2 * kClock; used += 50) {
    const bool may_move = play(game, used).has_value();
    const bool may_claim = claim_timeout(game, game.moved_at_s + used).has_value();
    EXPECT_NE(may_move, may_claim) << used;
  }
}

// Pitfall 14: time is counted once, to the side that used it, and never comes back.
TEST_F(Clocks, each_side_pays_for_its_own_time_alone) {
  const Game responded = after(game, 300);
  EXPECT_EQ(responded.poster_clock_s, kClock - 300);
  EXPECT_EQ(responded.challenger_clock_s, kClock);
  EXPECT_EQ(responded.moved_at_s, 5300U);
  const Game narrowed = after(responded, 400);
  EXPECT_EQ(narrowed.poster_clock_s, kClock - 300);
  EXPECT_EQ(narrowed.challenger_clock_s, kClock - 400);
  EXPECT_EQ(narrowed.moved_at_s, 5700U);
  EXPECT_EQ(narrowed.phase, Phase::kRespond);
  EXPECT_EQ(reason(play(narrowed, kClock - 300 + 1)), Reason::kClockExpired);
  const Game again = after(narrowed, kClock - 300);
  EXPECT_EQ(again.poster_clock_s, 0U);
  EXPECT_EQ(again.challenger_clock_s, kClock - 400);
  EXPECT_EQ(reason(play(again, kClock - 400)), std::nullopt);
  EXPECT_EQ(reason(play(again, kClock - 400 + 1)), Reason::kClockExpired);
  EXPECT_EQ(reason(claim_timeout(again, again.moved_at_s + kClock - 400)), Reason::kClockRunning);
  EXPECT_EQ(claim_timeout(again, again.moved_at_s + kClock - 400 + 1).value(), Side::kChallenger);
}

TEST_F(Clocks, moves_in_the_same_second_take_no_time) {
  const Game responded = after(game, 0);
  EXPECT_EQ(responded.poster_clock_s, kClock);
  const Game narrowed = after(responded, 0);
  EXPECT_EQ(narrowed.challenger_clock_s, kClock);
}

// A refused move must not touch the clock: the state is the caller's, and nothing is given back.
TEST_F(Clocks, a_refused_move_gives_no_state) {
  const MoveContext context = at(5100, test::kPosterAddress);
  EXPECT_EQ(reason(apply_move(context, game, Respond{})), Reason::kClaimSize);
  EXPECT_EQ(game.moved_at_s, 5000U);
  EXPECT_EQ(reason(play(game, kClock)), std::nullopt);
}

// Pitfall 13: a state that nobody filled is neither over at once nor open for ever.
TEST_F(Clocks, a_default_game_is_neither_expired_nor_endless) {
  const Game empty;
  EXPECT_EQ(reason(claim_timeout(empty, 0)), Reason::kClockRunning);
  EXPECT_EQ(claim_timeout(empty, 1).value(), Side::kPoster);
  // And it is no state that a chain could be shown.
  EXPECT_FALSE(decode_game(encode(empty)).has_value());
}

TEST_F(Clocks, the_largest_numbers_do_not_wrap) {
  Game late = game;
  late.moved_at_s = ~std::uint64_t{0} - 10;
  late.poster_clock_s = ~std::uint64_t{0};
  EXPECT_EQ(reason(claim_timeout(late, ~std::uint64_t{0})), Reason::kClockRunning);
  EXPECT_EQ(reason(play(late, 10)), std::nullopt);
  // A block that is older than the last move gives time to nobody.
  EXPECT_EQ(reason(claim_timeout(late, 0)), Reason::kClockRunning);
}

TEST_F(Clocks, only_the_side_whose_turn_it_is_moves) {
  const auto respond = [&](const Address& sender) {
    const MoveContext context = at(5001, sender);
    return reason(apply_move(context, game, test::respond_with(context, game, truth)));
  };
  EXPECT_EQ(respond(test::kPosterAddress), std::nullopt);
  EXPECT_EQ(respond(test::kDelegateAddress), std::nullopt);
  EXPECT_EQ(respond(test::kChallengerAddress), Reason::kNotYourMove);
  EXPECT_EQ(respond(Address{{9}}), Reason::kNotYourMove);
  game.delegate = {};
  EXPECT_EQ(respond(Address{}), Reason::kNotYourMove);
  EXPECT_EQ(respond(test::kDelegateAddress), Reason::kNotYourMove);

  const Game responded = after(game, 1);
  const auto narrow = [&](const Address& sender) { return reason(apply_move(at(5002, sender), responded, Narrow{0})); };
  EXPECT_EQ(narrow(test::kChallengerAddress), std::nullopt);
  EXPECT_EQ(narrow(test::kPosterAddress), Reason::kNotYourMove);
  EXPECT_EQ(narrow(test::kDelegateAddress), Reason::kNotYourMove);
}

TEST_F(Clocks, only_the_move_that_the_phase_asks_for_is_taken) {
  const std::vector<Move> moves{Reveal{}, Descend{}, Choose{}, Respond{}, Narrow{}, Prove{}, NarrowAndProve{}};
  const Phase phases[] = {Phase::kReveal, Phase::kDescend, Phase::kChoose, Phase::kRespond,
                          Phase::kNarrow, Phase::kProve,   Phase::kNarrow};
  for (const Phase phase :
       {Phase::kReveal, Phase::kDescend, Phase::kChoose, Phase::kRespond, Phase::kNarrow, Phase::kProve}) {
    Game state = game;
    state.phase = phase;
    const Address& sender = to_move(phase) == Side::kPoster ? test::kPosterAddress : test::kChallengerAddress;
    for (std::size_t i = 0; i < moves.size(); ++i) {
      const auto result = apply_move(at(5001, sender), state, moves[i]);
      EXPECT_EQ(reason(result) == Reason::kWrongPhase, phases[i] != phase) << i;
    }
  }
}

// Pitfall 12: no segment lies behind the end of the fold.
TEST_F(Clocks, segments_that_are_none_or_too_long_are_refused) {
  const Game responded = after(game, 1);
  const MoveContext context = at(5002, test::kChallengerAddress);
  EXPECT_EQ(reason(apply_move(context, responded, Narrow{2})), std::nullopt);
  EXPECT_EQ(reason(apply_move(context, responded, Narrow{3})), Reason::kNoSuchSegment);
  EXPECT_EQ(reason(apply_move(context, responded, Narrow{255})), Reason::kNoSuchSegment);
  EXPECT_EQ(reason(apply_move(context, responded, NarrowAndProve{3, {}})), Reason::kNoSuchSegment);
  EXPECT_EQ(reason(apply_move(context, responded, NarrowAndProve{2, {}})), Reason::kSegmentTooLong);
}

// Pitfall 10: the state before and the transition are the game's, not the mover's.
TEST_F(Clocks, a_proof_takes_the_openings_of_its_own_transition) {
  Game state = game;
  while (state.phase != Phase::kProve) {
    if (state.phase == Phase::kRespond) {
      state = after(state, 0);
      continue;
    }
    const MoveContext context = at(state.moved_at_s, test::kChallengerAddress);
    const auto last = static_cast<std::uint8_t>(boundary_positions(state.low, state.high, 3).size());
    state = std::get<Game>(apply_move(context, state, Narrow{last}).value());
  }
  EXPECT_EQ(state.low, 9U);
  const MoveContext context = at(state.moved_at_s, test::kChallengerAddress);
  const auto good = make_witness(committed->batch(), {0, 0, 9}, state.at_low, *committed);
  const auto other = make_witness(committed->batch(), {0, 0, 8}, state.at_low, *committed);
  EXPECT_EQ(reason(apply_move(context, state, Prove{other})), Reason::kOpeningUnexpected);
  EXPECT_EQ(reason(apply_move(context, state, Prove{})), Reason::kOpeningMissing);
  for (std::size_t place = 0; place < good.size(); ++place) {
    auto bad = good;
    bad[place] ^= 1;
    EXPECT_FALSE(apply_move(context, state, Prove{bad}).has_value()) << place;
  }
  EXPECT_TRUE(std::holds_alternative<PosterLost>(apply_move(context, state, Prove{good}).value()));
}

// Its hash was checked, so no chain meets one; but the function is total.
TEST_F(Clocks, a_game_over_another_batch_is_malformed) {
  Game longer = game;
  longer.high += 1;
  EXPECT_EQ(reason(play(longer, 0)), Reason::kMalformed);
  const auto responded = [&](auto&& change) {
    Game state = after(game, 0);
    change(state);
    return reason(apply_move(at(state.moved_at_s, test::kChallengerAddress), state, Narrow{0}));
  };
  EXPECT_EQ(responded([](Game& state) { state.item = 1; }), Reason::kMalformed);
  EXPECT_EQ(responded([](Game& state) { state.entry = 1; }), Reason::kMalformed);
  EXPECT_EQ(responded([](Game& state) { state.claims.pop_back(); }), Reason::kMalformed);
  EXPECT_EQ(responded([](Game& state) { state.low = state.high; }), Reason::kMalformed);
}

TEST_F(Clocks, opening_needs_an_entry_with_a_body_and_its_results) {
  const auto opened = [&](std::uint16_t item, std::uint64_t entry, math::Bytes openings) {
    return reason(open_game(committed->batch(), test::start_of(*committed), item, entry, openings));
  };
  const auto good = make_result_openings(committed->batch(), 0, 0, *committed);
  EXPECT_EQ(opened(0, 0, good), std::nullopt);
  EXPECT_EQ(opened(1, 0, good), Reason::kNoSuchEntry);
  EXPECT_EQ(opened(0, 1, good), Reason::kNoSuchEntry);
  EXPECT_EQ(opened(0, kNoEntry, good), Reason::kNoSuchEntry);
  EXPECT_EQ(opened(0, 0, {}), Reason::kOpeningMissing);
  for (std::size_t place = 0; place < good.size(); ++place) {
    auto bad = good;
    bad[place] ^= 1;
    EXPECT_NE(opened(0, 0, bad), std::nullopt) << place;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_EQ(opened(0, 0, longer), Reason::kOpeningTrailing);
}

}  // namespace
}  // namespace tally::proof
