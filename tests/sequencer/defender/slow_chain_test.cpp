// The defender on a node: what it has on its way is in no block yet, and what is in a block is told some blocks late.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "sequencer/defender/defender.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/comes_true.h"
#include "tests/support/temporary_folder.h"

namespace tally::sequencer {
namespace {

using Outcome = Defense::Outcome;

constexpr std::size_t kGames = 70;

class ManyGamesOnANode : public testing::Test {
 protected:
  [[nodiscard]] std::size_t told_moves() {
    const auto events = x_rounds.chain().events(0, 100'000);
    return static_cast<std::size_t>(std::ranges::count_if(events, [](const chain::LoggedEvent& logged) {
      return std::holds_alternative<proof::GameMoved>(logged.event);
    }));
  }

  test::TemporaryFolder x_folder;
  test::ChainedRounds x_rounds{x_folder.path() / "data", {.settings = test::quick_settings()}, test::make_slow_chain};
};

TEST_F(ManyGamesOnANode, are_each_answered_once) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  for (std::size_t i = 0; i < kGames; ++i) x_rounds.open(batch, "next_model", i % 5, static_cast<std::uint8_t>(i / 5));
  const auto own = x_rounds.open();
  Defender defender(x_rounds.world().poster(), x_folder.path() / "data");
  std::set<proof::GameId> answered;
  ASSERT_TRUE(test::comes_true([&] {
    for (const Defense& defense : defender.defend_once(*own).defenses) {
      EXPECT_EQ(defense.outcome, Outcome::kDone) << defense.message;
      EXPECT_TRUE(answered.insert(defense.game.value()).second);
    }
    return answered.size() == kGames;
  }));
  EXPECT_EQ(told_moves(), kGames);
  EXPECT_TRUE(defender.defend_once(*own).defenses.empty());
}

}  // namespace
}  // namespace tally::sequencer
