#include "verifier/watchtower/judging.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

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

/// A batch with keepers, of which several folders have a copy each.
class CopiesOfOneBatch {
 public:
  explicit CopiesOfOneBatch(const std::vector<std::string>& names) {
    const fs::path built = x_folder.path() / "built";
    EXPECT_TRUE(test::build(x_batch.inputs(), built).has_value());
    judging.batch = test::posted_batch(built, x_batch.program());
    judging.batch.task.settings.availability = proof::KeeperQuorum{};
    for (const std::string& name : names) {
      judging.folders.push_back(x_folder.path() / name);
      fs::create_directory(judging.folders.back());
      fs::copy(built, copy(name), fs::copy_options::recursive);
    }
    judging.options.pool = &x_pool;
    judging.scratch = x_folder.path() / "scratch";
  }
  [[nodiscard]] fs::path copy(const std::string& name) const {
    return x_folder.path() / name / to_hex(judging.batch.posted.batch);
  }

  Judging judging;

 private:
  test::TemporaryFolder x_folder;
  test::TestBatch x_batch{"fedavg"};
  math::ThreadPool x_pool{1};
};

TEST(Judging, is_by_the_folder_that_lacks_nothing_where_no_leaf_can_be_demanded) {
  const CopiesOfOneBatch batch({"first", "second", "third"});
  for (const char* const lost : {"first", "third"}) fs::remove(batch.copy(lost) / "rows/updates/1.bin");
  const Judgment judgment = judge_posted(batch.judging);
  EXPECT_EQ(judgment.verdict.kind, VerdictKind::kValid) << judgment.verdict.message;
  EXPECT_EQ(judgment.data, batch.copy("second"));
}

TEST(Judging, takes_each_part_from_where_it_is_right_where_no_leaf_can_be_demanded) {
  const CopiesOfOneBatch batch({"first", "second"});
  test::flip("rows/updates/0.bin", 0)(batch.copy("first"));
  test::flip("rows/updates/1.bin", 0)(batch.copy("second"));
  const Judgment judgment = judge_posted(batch.judging);
  EXPECT_EQ(judgment.verdict.kind, VerdictKind::kValid) << judgment.verdict.message;
}

TEST(Judging, is_not_by_what_is_missing_where_there_is_no_room_for_tables) {
  CopiesOfOneBatch batch({"first", "second"});
  fs::remove_all(batch.copy("first") / "tables");
  batch.judging.options.scratch_limit_bytes = 1;
  EXPECT_EQ(judge_posted(batch.judging).verdict.kind, VerdictKind::kValid);
  fs::remove_all(batch.copy("second") / "tables");
  EXPECT_THROW(static_cast<void>(judge_posted(batch.judging)), NoScratchRoom);
  EXPECT_FALSE(fs::exists(batch.judging.scratch));
}

TEST(Judging, is_not_by_what_is_missing_where_tables_cannot_be_made) {
  CopiesOfOneBatch batch({"first"});
  fs::remove_all(batch.copy("first") / "tables");
  fs::create_symlink("nowhere/at_all", batch.judging.scratch);
  EXPECT_THROW(static_cast<void>(judge_posted(batch.judging)), NoScratchRoom);
}

}  // namespace
}  // namespace tally::verifier
