// The other half of the main property: a batch that is left valid is never lost, however strange its challengers, and
// they pay for every game. The poster is defended by the real defender.
//
// TALLY_HOSTILE_GAMES says how many games are played against the batches of each program (./dev soak).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "tests/adversary/library_trials.h"
#include "tests/support/hostile_challenger.h"
#include "tests/support/refused.h"
#include "tests/support/siege.h"
#include "tests/support/wanted_count.h"

namespace tally::test {
namespace {

std::uint64_t games_against_each_program() { return wanted_count("TALLY_HOSTILE_GAMES", 16); }

class HostileGames : public testing::TestWithParam<std::string> {
 protected:
  /// All challengers at once, each with several games.
  void besiege(const TrialShape& shape, std::uint64_t games, std::uint64_t seed) {
    SCOPED_TRACE(GetParam() + ", seed " + std::to_string(seed));
    TrialWorld world(trial_options(GetParam(), shape));
    const proof::Wei before = world.owns(world.poster());
    const auto batch = world.post();
    ASSERT_TRUE(accepted(batch));
    Siege siege(world, *batch, seed);
    const auto challengers = hostile_challengers(world, 0);
    std::map<std::string_view, proof::Wei> purses;
    for (const auto& challenger : challengers) purses[challenger->name()] = world.owns(challenger->key());

    for (std::uint64_t tries = 0; siege.count().opened < games && tries < 3 * games; ++tries) {
      challengers[(seed + tries) % challengers.size()]->open(siege);
    }
    // Until no game moves any more; some are never moved.
    std::size_t still = 0;
    for (int turn = 0; turn < 60 && still < 2; ++turn) {
      const std::size_t moves = siege.history().size();
      act(siege, challengers, siege.below(12));
      still = siege.history().size() == moves ? still + 1 : 0;
    }
    act(siege, challengers, world.settings().game_clock_s + 1);
    act(siege, challengers, 0);  // after the end of all games

    EXPECT_TRUE(siege.games().empty());
    EXPECT_EQ(siege.count().outcomes.size(), 1U);
    ASSERT_EQ(siege.count().outcomes.begin()->first, proof::GameOutcome::kChallengerTimeout);
    ASSERT_EQ(world.status(*batch), proof::BatchStatus::kPending);
    if (world.valid_post().parent)
      world.must(world.poster(), {}, proof::Finalize{.header = *world.valid_post().parent});
    EXPECT_TRUE(accepted(siege.send(world.poster(), {}, proof::Finalize{.header = siege.header()})));
    EXPECT_GT(world.owns(world.poster()), before);
    for (const auto& challenger : challengers) {
      EXPECT_LE(world.owns(challenger->key()), purses[challenger->name()]) << challenger->name();
    }
    x_games += siege.count().opened;
    x_transactions += siege.count().transactions;
    for (const auto& [reason, count] : siege.count().refusals) x_refusals[reason] += count;
  }

  static void act(Siege& siege, const std::vector<std::unique_ptr<HostileChallenger>>& challengers,
                  std::uint64_t seconds) {
    siege.world().chain().advance(seconds);
    for (const auto& challenger : challengers) challenger->act(siege);
    siege.defend();
  }

  std::uint64_t x_games = 0;
  std::uint64_t x_transactions = 0;
  std::map<proof::Reason, std::uint64_t> x_refusals;
};

TEST_P(HostileGames, are_never_won_against_a_valid_batch) {
  const std::uint64_t all = games_against_each_program();
  const std::vector<std::string> names = trial_names();
  const auto program = static_cast<std::uint64_t>(std::ranges::find(names, GetParam()) - names.begin());
  const std::uint64_t shapes = all < 40 ? 1 : kTrialShapes.size();
  for (std::uint64_t i = 0; i < shapes && !HasFatalFailure(); ++i) {
    besiege(kTrialShapes[(program + i) % kTrialShapes.size()], all / shapes, 20'261'121 + program * shapes + i);
  }
  EXPECT_GE(x_games, all / shapes * shapes);
  // A test in which nothing happens would pass, too.
  for (const proof::Reason reason :
       {proof::Reason::kNotDisproved, proof::Reason::kStaleMove, proof::Reason::kNotYourMove,
        proof::Reason::kClockExpired, proof::Reason::kClockRunning, proof::Reason::kGameEnded}) {
    EXPECT_GE(x_refusals[reason], 1U) << to_string(reason);
  }
  std::printf("%s: %lu games, %lu transactions, %zu reasons of refusals\n", GetParam().c_str(), x_games, x_transactions,
              x_refusals.size());
}

INSTANTIATE_TEST_SUITE_P(Library, HostileGames, testing::ValuesIn(trial_names()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace tally::test
