#include "verifier/transcript/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>

#include "tests/support/dispute_world.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::DisputedBatch;
using test::DisputeWorld;

DisputedBatch lost(DisputeWorld& world, const char* withheld = nullptr) {
  const DisputedBatch batch =
      world.post([&](const fs::path& directory) { test::forge_table(directory, world.program(), "next_model", 3, 1); });
  if (withheld != nullptr) fs::remove(batch.watcher / withheld);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
  return batch;
}

TEST(Transcript, tells_who_claimed_what_and_which_step_decided) {
  DisputeWorld world;
  const DisputedBatch batch = lost(world);
  const auto told = tell_games(world.chain(), batch.id, {world.folder() / "poster"});
  ASSERT_EQ(told.size(), 1U);
  const Transcript& game = told.front();
  EXPECT_EQ(game.entry, "next_model[3]");
  EXPECT_EQ(game.state, "the poster was disproved");
  EXPECT_EQ(game.decided, "the finish of next_model[3]");
  ASSERT_EQ(game.steps.size(), 3U);
  EXPECT_EQ(game.steps[0].action, "open");
  EXPECT_EQ(game.steps[1].who, "poster");
  EXPECT_EQ(game.steps[1].action, "respond");
  EXPECT_NE(game.steps[1].text.find("s = "), std::string::npos) << game.steps[1].text;
  EXPECT_EQ(game.steps[2].action, "narrow_and_prove");
  EXPECT_GT(game.poster_bytes, 0U);
  EXPECT_GT(game.challenger_bytes, game.steps[2].bytes);
  EXPECT_FALSE(game.reward.empty());
}

TEST(Transcript, tells_of_descents_and_calls_tables_by_number_without_data) {
  DisputeWorld world({.dims = {70}});
  const DisputedBatch batch = lost(world, "tables/next_model.bin");
  const auto told = tell_games(world.chain(), batch.id, {});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().entry, "item_1[3]");
  for (const std::string action : {"open", "reveal", "descend", "choose", "respond"}) {
    EXPECT_TRUE(std::ranges::count(told.front().steps, action, &TranscriptStep::action) > 0) << action;
  }
}

TEST(Transcript, is_exported_as_json_and_found_by_its_id_alone) {
  DisputeWorld world;
  static_cast<void>(lost(world));
  const auto told = tell_games(world.chain(), {}, {});
  ASSERT_EQ(told.size(), 1U);
  proof::GameId id;
  ASSERT_TRUE(math::from_hex(told.front().game, id.digest.bytes));
  const auto same = tell_game(world.chain(), id, {});
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->steps.size(), told.front().steps.size());
  EXPECT_FALSE(tell_game(world.chain(), {}, {}).has_value());
  std::ostringstream text;
  export_json(*same, text);
  EXPECT_NE(text.str().find("\"poster_bytes\": " + std::to_string(same->poster_bytes)), std::string::npos);
  EXPECT_NE(text.str().find("\"action\": \"narrow_and_prove\""), std::string::npos);
}

}  // namespace
}  // namespace tally::verifier
