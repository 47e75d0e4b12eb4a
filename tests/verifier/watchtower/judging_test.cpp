#include "verifier/watchtower/judging.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/dispute_world.h"
#include "tests/support/posted_batch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"
#include "tests/verifier/watchtower/watching.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using Kind = WatchEvent::Kind;
using test::count;
using test::DisputeWorld;
using test::sent;
using test::told;

/// An interpreter that is wrong by one when it is asked for the first times.
EntryEvaluator wrong_for(int calls) {
  const auto left = std::make_shared<int>(calls);
  return [left](const math::Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
    auto results = math::evaluate_entry(evaluation, item, entry);
    if (results && (*left)-- > 0) results->at(0) += 1;
    return results;
  };
}

// As if data had changed between executor and interpreter.
TEST(Judging, raises_no_alarm_where_they_disagreed_only_once) {
  DisputeWorld world;
  static_cast<void>(world.post(test::forge(world, "next_model", 3)));
  WatchSettings settings = world.watch_settings();
  settings.scalar = wrong_for(1);
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  EXPECT_TRUE(report.alarms.empty()) << report.alarms.front();
  EXPECT_EQ(count(report.events, Kind::kJudged, "wrong_entry"), 1U) << told(report.events);
  EXPECT_EQ(sent(report.events, "open_game"), 1U);
}

TEST(Judging, raises_an_alarm_where_they_disagree_again) {
  DisputeWorld world;
  static_cast<void>(world.post(test::forge(world, "next_model", 3)));
  WatchSettings settings = world.watch_settings();
  settings.scalar = wrong_for(1'000'000);
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  ASSERT_FALSE(report.alarms.empty());
  EXPECT_NE(report.alarms.front().find("executor and interpreter disagree"), std::string::npos);
  EXPECT_EQ(sent(report.events), 0U) << told(report.events);
}

// With keepers there is no list of leaves by which one folder could lack fewer than another.
TEST(Judging, is_by_the_folder_that_lacks_nothing_where_no_leaf_can_be_demanded) {
  const test::TemporaryFolder folder;
  const test::TestBatch batch("fedavg");
  const fs::path built = folder.path() / "built";
  ASSERT_TRUE(test::build(batch.inputs(), built).has_value());
  Judging judging{.batch = test::posted_batch(built, batch.program())};
  judging.batch.task.settings.availability = proof::KeeperQuorum{};
  for (const std::string name : {"first", "second", "third"}) {
    judging.folders.push_back(folder.path() / name);
    fs::create_directory(judging.folders.back());
    fs::copy(built, judging.folders.back() / to_hex(judging.batch.posted.batch), fs::copy_options::recursive);
  }
  for (const char* const lost : {"first", "third"}) {
    fs::remove(folder.path() / lost / to_hex(judging.batch.posted.batch) / "rows/updates/1.bin");
  }
  math::ThreadPool pool(1);
  judging.options.pool = &pool;
  judging.scratch = folder.path() / "scratch";
  const Judgment judgment = judge_posted(judging);
  EXPECT_EQ(judgment.verdict.kind, VerdictKind::kValid) << judgment.verdict.message;
  EXPECT_EQ(judgment.data.parent_path(), folder.path() / "second");
}

}  // namespace
}  // namespace tally::verifier
