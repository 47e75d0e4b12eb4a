// Disputes as they are on a real chain: nobody waits for the others, blocks come when they come, and events are told
// some blocks late.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dispute_world.h"
#include "tests/support/memory_folder.h"
#include "tests/verifier/watchtower/watching.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::DisputedBatch;
using test::DisputeWorld;
using test::flip;
using test::forge;

class SlowChain : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kMembers = 3;

  /// A watchtower in a thread of its own and the defender in this one, until the watchtower is done with the batch.
  void play(const DisputedBatch& batch) {
    std::vector<WatchEvent> events;
    std::atomic<bool> ends = false;
    std::jthread watchtower([&] {
      const auto own = world.open();
      while (!ends) {
        const WatchReport report = watch_once(*own, world.watcher(), world.watch_settings());
        events.insert(events.end(), report.events.begin(), report.events.end());
      }
    });
    EXPECT_TRUE(test::comes_true([&] {
      world.defend();
      return world.cause_of_loss(batch).has_value() && !has_credit();
    }));
    ends = true;
    watchtower.join();
    for (const WatchEvent& event : events) {
      if (event.kind == WatchEvent::Kind::kSent) ++sent[event.what];
      EXPECT_NE(event.kind, WatchEvent::Kind::kRefused) << test::told(events);
      EXPECT_NE(event.kind, WatchEvent::Kind::kFailed) << test::told(events);
    }
  }
  [[nodiscard]] bool has_credit() {
    return proof::read_credit(world.chain().state(), world.watcher().address()) != proof::Wei{};
  }

  [[nodiscard]] std::ptrdiff_t told_demands() {
    return std::ranges::count_if(world.chain().events(0, 1'000), [](const chain::LoggedEvent& logged) {
      return std::holds_alternative<proof::LeafRequested>(logged.event);
    });
  }

  test::TemporaryFolder folder{test::memory_folder()};
  DisputeWorld world{
      {.members = kMembers, .chain = test::make_slow_chain(folder.path(), DisputeWorld::rich(kMembers))}};
  std::map<std::string, int> sent;  // by the watchtower
};

TEST_F(SlowChain, has_a_false_entry_disproved_by_one_game) {
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  const proof::Wei before = world.watcher_owns();
  play(batch);
  EXPECT_EQ(sent, (std::map<std::string, int>{{"open_game", 1}, {"make_move", 1}, {"withdraw", 1}}));
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kEntry);
  EXPECT_GT(world.watcher_owns(), before);
}

TEST_F(SlowChain, has_a_false_entry_of_a_withheld_table_disproved_by_one_descent) {
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove_all(batch.watcher / "tables");
  play(batch);
  EXPECT_EQ(sent["open_descent"], 1);
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kEntry);
}

TEST_F(SlowChain, gives_what_is_withheld_and_judges_by_it) {
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove_all(batch.watcher);
  play(batch);
  // Of the records, the rows and the state, a leaf each.
  EXPECT_EQ(sent["request_leaf"], 3 + 3 + 1);
  EXPECT_EQ(sent["open_game"] + sent["open_descent"], 1);
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kEntry);
}

TEST_F(SlowChain, makes_no_more_demands_than_a_strangers_task_is_worth) {
  fs::remove_all(world.post().watcher);
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = {2 * std::get<proof::LeafRequests>(world.settings().availability).request_bond.value};
  const auto own = world.open();
  std::size_t demands = 0;
  const auto watch = [&] { demands += test::sent(watch_once(*own, world.watcher(), settings).events, "request_leaf"); };
  EXPECT_TRUE(test::comes_true([&] {
    watch();
    return told_demands() == 2;
  }));
  watch();
  EXPECT_EQ(demands, 2U);
}

TEST_F(SlowChain, has_a_wrong_signer_shown) {
  const DisputedBatch batch = world.post(flip("records.bin", 27));
  play(batch);
  EXPECT_EQ(sent, (std::map<std::string, int>{{"commit", 1}, {"show_proof", 1}, {"withdraw", 1}}));
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kRecordSigner);
}

}  // namespace
}  // namespace tally::verifier
