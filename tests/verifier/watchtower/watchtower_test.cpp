#include "verifier/watchtower/watchtower.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/files/file_lock.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/state.h"
#include "tests/support/altered_state.h"
#include "tests/support/dispute_world.h"
#include "tests/support/hooked_chain.h"
#include "tests/support/test_batch.h"
#include "tests/verifier/watchtower/watching.h"
#include "verifier/watchtower/memory.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::comes_true;
using test::count;
using test::Crash;
using test::DisputedBatch;
using test::DisputeWorld;
using test::execute;
using test::flip;
using test::forge;
using test::sent;
using test::told;

// Of a record of fedavg: address, member, nonce, one row, one field, signature.
constexpr std::size_t kMemberByte = 27;
constexpr std::size_t kRecordBytes = 20 + 8 + 8 + 32 + 8 + 65;

TEST(Watchtower, never_moves_against_a_valid_batch) {
  DisputeWorld world;
  const DisputedBatch batch = world.post();
  const proof::Wei before = world.watcher_owns();
  const auto events = world.play_to_the_end(batch);
  EXPECT_EQ(sent(events), 0U) << told(events);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
  EXPECT_EQ(world.watcher_owns(), before);
}

TEST(Watchtower, wins_against_a_forged_entry) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  const proof::Wei before = world.watcher_owns();
  const auto events = world.play();
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(events);
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kEntry);
  EXPECT_GT(world.watcher_owns(), before);
  EXPECT_EQ(sent(events, "open_game"), 1U);
  EXPECT_EQ(sent(events, "withdraw"), 1U);
  // All is taken out, and nothing is left to do.
  EXPECT_EQ(proof::read_credit(world.chain().state(), world.watcher().address()), proof::Wei{});
  // Until then a reorganisation could bring the batch back.
  EXPECT_EQ(world.watch().open_batches, 1U);
  world.advance(world.settings().challenge_period_s + world.settings().game_clock_s);
  EXPECT_EQ(world.watch().open_batches, 0U);
}

TEST(Watchtower, wins_by_the_clock_against_a_poster_who_does_not_answer) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  static_cast<void>(world.watch());
  world.advance(world.settings().game_clock_s);
  static_cast<void>(world.watch());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
  world.advance(1);
  const WatchReport report = world.watch();
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(report.events);
  EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kTimeout);
}

TEST(Watchtower, descends_into_a_withheld_table) {
  DisputeWorld world({.dims = {70}});
  for (const std::uint64_t index : {0U, 33U, 69U}) {
    const DisputedBatch batch = world.post(forge(world, "next_model", index), 1 + index);
    fs::remove_all(batch.watcher / "tables");
    const auto events = world.play();
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(events);
    EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kEntry);
    EXPECT_EQ(sent(events, "open_descent"), 1U);
  }
  // What was computed stays while a reorganisation could bring the batches back, and goes with them, also where the
  // watchtower was killed just before that.
  const fs::path scratch = world.folder() / "watchtower.sqlite.scratch";
  fs::create_directories(scratch / "0x00");
  static_cast<void>(world.watch());
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch), {}), 3);
  world.advance(world.settings().challenge_period_s + world.settings().game_clock_s);
  static_cast<void>(world.watch());
  EXPECT_TRUE(fs::is_empty(scratch));
}

struct FailedCheck {
  test::Cheat cheat;
  proof::LossCause cause;
};

std::vector<FailedCheck> failed_record_checks() {
  const auto swap_records = [](const fs::path& directory) {
    std::vector<std::uint8_t> records = test::read_bytes(directory / "records.bin");
    std::swap_ranges(records.begin(), records.begin() + kRecordBytes, records.begin() + kRecordBytes);
    test::write_bytes(directory / "records.bin", records);
  };
  return {
      {.cheat = flip("records.bin", kMemberByte), .cause = proof::LossCause::kRecordSigner},
      {.cheat = flip("records.bin", kRecordBytes - 3), .cause = proof::LossCause::kRecordSignature},
      {.cheat = flip("records.bin", kRecordBytes - 66), .cause = proof::LossCause::kRecordSignature},
      {.cheat = swap_records, .cause = proof::LossCause::kRecordOrder},
  };
}

TEST(Watchtower, shows_each_failed_local_check) {
  DisputeWorld world;
  for (const FailedCheck& one : failed_record_checks()) {
    const DisputedBatch batch = world.post(one.cheat);
    const auto events = world.play();
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(events);
    EXPECT_EQ(world.cause_of_loss(batch), one.cause);
    EXPECT_EQ(sent(events, "commit"), 1U);
    EXPECT_EQ(sent(events, "show_proof"), 1U);
  }
}

// Keepers who are the poster's friends could hide it otherwise: from them nothing can be demanded.
TEST(Watchtower, shows_a_failed_local_check_of_records_whatever_else_is_withheld) {
  DisputeWorld world;
  for (const FailedCheck& one : failed_record_checks()) {
    const DisputedBatch batch = world.post(one.cheat);
    for (const char* const input : {"rows", "state", "tables", "program.tally"}) fs::remove_all(batch.watcher / input);
    const auto events = world.play();
    EXPECT_EQ(world.cause_of_loss(batch), one.cause) << told(events);
    EXPECT_EQ(sent(events, "request_leaf"), 0U) << told(events);
  }
}

TEST(Watchtower, demands_inputs_that_are_withheld_and_wins_where_they_are_not_given) {
  for (const std::string input : {"rows/updates/1.bin", "state/model.bin", "records.bin"}) {
    DisputeWorld world;
    const DisputedBatch batch = world.post();
    fs::remove(batch.watcher / input);
    const proof::Wei before = world.watcher_owns();
    const WatchReport report = world.watch();
    EXPECT_GE(sent(report.events, "request_leaf"), 1U) << told(report.events);
    world.advance(world.settings().window_s);
    EXPECT_EQ(sent(world.watch().events), 0U);
    world.advance(1);
    static_cast<void>(world.watch());
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << input;
    EXPECT_EQ(world.cause_of_loss(batch), proof::LossCause::kWithheld);
    EXPECT_GT(world.watcher_owns(), before);
  }
}

TEST(Watchtower, judges_by_leaves_that_were_answered_on_chain) {
  for (const bool valid : {true, false}) {
    for (const std::string input : {"rows/updates/1.bin", "records.bin", "state/model.bin", ""}) {
      DisputeWorld world;
      const DisputedBatch batch = world.post(valid ? test::Cheat{} : forge(world, "next_model", 3));
      if (input.empty()) fs::remove_all(batch.watcher);
      if (!input.empty()) fs::remove(batch.watcher / input);
      const auto events = world.play();
      EXPECT_GE(sent(events, "request_leaf"), 1U) << told(events);
      EXPECT_EQ(sent(events, "open_game") + sent(events, "open_descent"), valid ? 0U : 1U) << told(events);
      EXPECT_EQ(world.status(batch), valid ? proof::BatchStatus::kPending : proof::BatchStatus::kInvalid) << input;
    }
  }
}

TEST(Watchtower, never_moves_on_missing_data) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove(batch.watcher / "rows/updates/1.bin");
  world.advance(world.settings().request_period_s);
  EXPECT_EQ(sent(world.play()), 0U);
  // As soon as the data is there, it is judged.
  fs::copy(batch.poster / "rows/updates/1.bin", batch.watcher / "rows/updates/1.bin");
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

// Pitfall 26: a memory that is lost makes it attack nothing.
TEST(Watchtower, goes_on_without_its_memory) {
  DisputeWorld world({.dims = {70}});
  const DisputedBatch batch = world.post(forge(world, "next_model", 33));
  fs::remove_all(batch.watcher / "tables");
  std::size_t opened = 0;
  for (int turn = 0; turn < 20 && world.status(batch) == proof::BatchStatus::kPending; ++turn) {
    opened += sent(world.watch().events, "open_descent");
    world.defend();
    for (const fs::directory_entry& entry : fs::directory_iterator(world.folder())) {
      if (entry.path().filename().string().starts_with("watchtower")) fs::remove_all(entry.path());
    }
    // In the meantime the tables turn up.
    if (turn == 2 && !fs::exists(batch.watcher / "tables")) {
      fs::copy(batch.poster / "tables", batch.watcher / "tables", fs::copy_options::recursive);
    }
  }
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
  EXPECT_EQ(opened, 1U);
}

TEST(Watchtower, refuses_the_memory_of_another_key) {
  DisputeWorld world;
  static_cast<void>(world.post());
  static_cast<void>(world.watch());
  const WatchSettings settings = world.watch_settings();
  EXPECT_THROW(static_cast<void>(watch_once(world.chain(), world.rounds().poster(), settings)), std::invalid_argument);
}

TEST(Watchtower, takes_its_bond_back_where_another_was_faster) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  const proof::Wei before = world.watcher_owns();
  static_cast<void>(world.watch());
  // Another watchtower with its own key and memory.
  WatchSettings other = world.watch_settings();
  other.memory = world.folder() / "other.sqlite";
  for (int turn = 0; turn < 10; ++turn) {
    static_cast<void>(watch_once(world.chain(), world.rounds().key(0), other));
    world.defend();
  }
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
  const WatchReport report = world.watch();
  EXPECT_EQ(sent(report.events, "refund_game"), 1U) << told(report.events);
  EXPECT_EQ(world.watcher_owns(), before);
}

TEST(Watchtower, watches_each_batch_for_itself) {
  DisputeWorld world;
  const DisputedBatch broken = world.post(forge(world, "next_model", 1), 1);
  const DisputedBatch forged = world.post(forge(world, "next_model", 2), 2);
  const DisputedBatch valid = world.post({}, 3);
  // A folder where a file should be: reading it fails in its own way.
  fs::remove_all(broken.watcher);
  test::write_bytes(broken.watcher, {});
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(forged), proof::BatchStatus::kInvalid);
  EXPECT_EQ(world.status(valid), proof::BatchStatus::kPending);
}

TEST(Watchtower, watches_only_the_tasks_that_it_is_told_to) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  WatchSettings settings = world.watch_settings();
  settings.tasks = {proof::TaskId{}};
  EXPECT_TRUE(watch_once(world.chain(), world.watcher(), settings).events.empty());
  settings.tasks = {world.rounds().prepared().id};
  EXPECT_EQ(sent(watch_once(world.chain(), world.watcher(), settings).events, "open_game"), 1U);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
}

TEST(Watchtower, answers_its_games_while_it_judges_another_batch) {
  DisputeWorld world;
  const DisputedBatch first = world.post(forge(world, "next_model", 3), 1);
  static_cast<void>(world.watch());
  const DisputedBatch second = world.post(forge(world, "next_model", 2), 2);
  WatchSettings settings = world.watch_settings();
  settings.pause = std::chrono::milliseconds(1);
  std::atomic<int> judgings = 0;
  bool won_meanwhile = false;
  settings.progress = [&](std::string_view, std::uint64_t done, std::uint64_t) {
    if (done != 0 || judgings++ != 0) return;
    world.defend();
    won_meanwhile = comes_true([&] { return world.status(first) == proof::BatchStatus::kInvalid; });
  };
  const auto own = world.open();
  const WatchReport report = watch_once(*own, world.watcher(), settings);
  EXPECT_TRUE(won_meanwhile) << told(report.events);
  EXPECT_EQ(judgings, 1);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(second), proof::BatchStatus::kInvalid);
}

// Meanwhile: while another batch is judged.
// Pitfall 27: an outage of the chain leaves no game undisputed.
TEST(Watchtower, goes_on_with_its_games_after_any_number_of_outages) {
  for (const bool of_events : {false, true}) {
    DisputeWorld world;
    const DisputedBatch first = world.post(forge(world, "next_model", 3), 1);
    static_cast<void>(world.watch());
    static_cast<void>(world.post({}, 2));
    WatchSettings settings = world.watch_settings();
    settings.pause = std::chrono::milliseconds(1);
    const auto own = world.open();
    test::HookedChain hooked(*own);
    std::atomic<int> judgings = 0;
    bool won_meanwhile = false;
    settings.progress = [&](std::string_view, std::uint64_t done, std::uint64_t) {
      if (done != 0 || judgings++ != 0) return;
      std::atomic<int>& outage = of_events ? hooked.outage_of_events() : hooked.outage();
      outage = 10;
      EXPECT_TRUE(comes_true([&] { return outage == 0; }));
      world.defend();
      won_meanwhile = comes_true([&] { return world.status(first) == proof::BatchStatus::kInvalid; });
    };
    const WatchReport report = watch_once(hooked, world.watcher(), settings);
    EXPECT_TRUE(won_meanwhile) << told(report.events);
    EXPECT_EQ(judgings, 1);
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged), 1U) << told(report.events);
    // Others of a batch say nothing new; without events nothing is known of any, but the look at one that was under
    // way.
    const auto failures = count(report.events, WatchEvent::Kind::kFailed, "watch");
    EXPECT_LE(failures, of_events ? 1U : 3U) << told(report.events);
    EXPECT_GE(failures, of_events ? 0U : 3U) << told(report.events);
  }
}

TEST(Watchtower, tells_of_failures_anew_after_a_look_that_did_not_fail) {
  DisputeWorld world;
  static_cast<void>(world.post({}, 1));
  static_cast<void>(world.watch());
  static_cast<void>(world.post({}, 2));
  WatchSettings settings = world.watch_settings();
  settings.pause = std::chrono::milliseconds(1);
  const auto own = world.open();
  test::HookedChain hooked(*own);
  std::atomic<int> judgings = 0;
  settings.progress = [&](std::string_view, std::uint64_t done, std::uint64_t) {
    if (done != 0 || judgings++ != 0) return;
    for (int outages = 0; outages < 2; ++outages) {
      hooked.outage() = 2;
      EXPECT_TRUE(comes_true([&] { return hooked.outage() == 0; }));
      EXPECT_TRUE(comes_true([&, before = hooked.looks()] { return hooked.looks() > before; }));
    }
  };
  const WatchReport report = watch_once(hooked, world.watcher(), settings);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kFailed, "watch"), 4U) << told(report.events);
}

// Whoever changes data while it is judged, so that it is never twice the same, gets no further than that batch.
TEST(Watchtower, passes_over_data_that_changes_under_its_judgment) {
  DisputeWorld world;
  static_cast<void>(world.post(forge(world, "next_model", 3)));
  WatchSettings settings = world.watch_settings();
  int calls = 0;
  settings.scalar = [&](const math::Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
    auto results = math::evaluate_entry(evaluation, item, entry);
    if (results) results->at(0) += ++calls;
    return results;
  };
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  ASSERT_EQ(count(report.events, WatchEvent::Kind::kPassedOver, "data"), 1U) << told(report.events);
  EXPECT_NE(report.events.front().message.find("the data changed while it was judged"), std::string::npos);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "missing_data"), 1U) << told(report.events);
  EXPECT_EQ(report.open_batches, 1U);
}

TEST(Watchtower, sees_batches_that_are_posted_while_it_judges) {
  DisputeWorld world;
  static_cast<void>(world.post({}, 1));
  math::ThreadPool pool(1);  // posting has the world's own
  WatchSettings settings = world.watch_settings();
  settings.pool = &pool;
  std::optional<DisputedBatch> late;
  settings.progress = [&](std::string_view, std::uint64_t, std::uint64_t) {
    if (!late) late = world.post(forge(world, "next_model", 2), 2);
  };
  const auto own = world.open();
  const WatchReport report = watch_once(*own, world.watcher(), settings);
  EXPECT_EQ(sent(report.events, "open_game"), 1U) << told(report.events);
  EXPECT_EQ(report.events.back().batch, late.value().id);
}

TEST(Watchtower, leaves_a_memory_alone_that_another_one_uses) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  {
    const auto other = chain::FileLock::take(world.folder() / "watchtower.sqlite.lock");
    ASSERT_TRUE(other.has_value());
    try {
      static_cast<void>(world.watch());
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "another watchtower uses " + (world.folder() / "watchtower.sqlite").string());
    }
  }
  EXPECT_EQ(sent(world.watch().events, "open_game"), 1U);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
}

/// A directory that has the batch's header and whose program text leads to a name that is too long.
std::filesystem::path unreadable(const DisputeWorld& world, const DisputedBatch& batch) {
  const fs::path directory = world.folder() / "unreadable" / to_hex(batch.id);
  fs::create_directories(directory);
  fs::copy_file(batch.poster / "header.bin", directory / "header.bin");
  fs::create_symlink(std::string(300, 'x'), directory / "program.tally");
  return directory.parent_path();
}

TEST(Watchtower, goes_on_to_the_next_folder_where_one_cannot_be_read) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  WatchSettings settings = world.watch_settings();
  settings.data.insert(settings.data.begin(), unreadable(world, batch));
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  EXPECT_EQ(sent(report.events, "open_game"), 1U) << told(report.events);
  ASSERT_EQ(count(report.events, WatchEvent::Kind::kPassedOver, "data"), 1U);
  EXPECT_NE(report.events.front().message.find("unreadable"), std::string::npos) << report.events.front().message;
}

TEST(Watchtower, demands_leaves_and_reports_where_no_folder_can_be_read) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove_all(batch.watcher);
  WatchSettings settings = world.watch_settings();
  settings.data.push_back(unreadable(world, batch));
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kPassedOver, "data"), 1U) << told(report.events);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kFailed), 0U) << told(report.events);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "missing_data"), 1U);
  // Records, rows and the state, of a leaf each.
  EXPECT_EQ(sent(report.events, "request_leaf"), 3U + 3U + 1U);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

// Opens for nobody, and for the administrator neither.
constexpr std::string_view kForbidden = "/proc/sys/vm/drop_caches";

TEST(Watchtower, takes_a_file_that_cannot_be_read_for_a_missing_one) {
  for (const std::string_view name : {"program.tally", "records.bin", "rows/updates/1.bin", "state/model.bin"}) {
    DisputeWorld world;
    const DisputedBatch batch = world.post(forge(world, "next_model", 3));
    const fs::path file = batch.watcher / name;
    fs::remove(file);
    fs::create_symlink(name == "program.tally" ? "/proc/self/mem" : kForbidden, file);
    const WatchReport report = world.watch();
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kPassedOver), 0U) << name << told(report.events);
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "missing_data"), 1U) << name << told(report.events);
    EXPECT_GE(sent(report.events, "request_leaf"), 1U) << name;
  }
}

TEST(Watchtower, demands_what_the_best_of_several_folders_lacks) {
  for (const bool best_first : {true, false}) {
    DisputeWorld world;
    const DisputedBatch batch = world.post(forge(world, "next_model", 3));
    fs::remove(batch.watcher / "rows/updates/1.bin");
    const fs::path poor = world.folder() / "poor";
    fs::create_directories(poor / to_hex(batch.id));
    fs::copy_file(batch.poster / "header.bin", poor / to_hex(batch.id) / "header.bin");
    WatchSettings settings = world.watch_settings();
    settings.data.insert(best_first ? settings.data.end() : settings.data.begin(), poor);
    const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
    EXPECT_EQ(sent(report.events, "request_leaf"), 1U) << best_first << told(report.events);
  }
}

TEST(Watchtower, puts_together_what_several_folders_have) {
  for (const bool damaged : {true, false}) {
    DisputeWorld world;
    const DisputedBatch batch = world.post(forge(world, "next_model", 3));
    const fs::path other = world.folder() / "other";
    fs::create_directories(other);
    fs::copy(batch.watcher, other / to_hex(batch.id), fs::copy_options::recursive);
    if (damaged) {
      flip("rows/updates/1.bin", 0)(batch.watcher);
      flip("state/model.bin", 0)(other / to_hex(batch.id));
    } else {
      for (const char* const lost : {"rows/updates/1.bin", "records.bin"}) fs::remove(batch.watcher / lost);
      fs::remove(other / to_hex(batch.id) / "rows/updates/2.bin");
    }
    WatchSettings settings = world.watch_settings();
    settings.data.push_back(other);
    const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "wrong_entry"), 1U) << damaged << told(report.events);
    EXPECT_EQ(sent(report.events, "request_leaf"), 0U);
  }
}

TEST(Watchtower, demands_all_that_is_missing_or_damaged_at_once) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  const fs::path rows = batch.watcher / "rows/updates";
  fs::remove(rows / "1.bin");
  flip("2.bin", 0)(rows);
  EXPECT_EQ(sent(world.watch().events, "request_leaf"), 2U);
  // Answers that come when nothing can be demanded any more are enough.
  world.advance(world.settings().request_period_s);
  EXPECT_EQ(sent(world.play(), "request_leaf"), 0U);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

// Pitfall 29: what the head tells may be taken back.
TEST(Watchtower, demands_again_at_once_what_a_reorganisation_took_back) {
  DisputeWorld world;
  const DisputedBatch batch = world.post({}, 1);
  fs::remove(batch.watcher / "rows/updates/1.bin");
  static_cast<void>(world.post({}, 2));
  const auto& names = world.program().names.objects;
  const auto updates = static_cast<math::ObjectId>(std::ranges::find(names, "updates") - names.begin());
  const auto own = world.open();
  test::HookedChain hooked(*own);
  test::AlteredState before(own->state());
  before.put(proof::request_key(batch.id, {.object = updates, .record = 1, .leaf = 0}), proof::RequestRecord{});
  hooked.show(&before);
  WatchSettings settings = world.watch_settings();
  settings.work.launch = std::launch::deferred;
  int judgings = 0;
  settings.work.judge = [&](Judging judging) {
    if (++judgings == 2) hooked.show(nullptr);
    return judge_posted(std::move(judging));
  };
  const WatchReport report = watch_once(hooked, world.watcher(), settings);
  EXPECT_EQ(judgings, 2);
  EXPECT_EQ(sent(report.events, "request_leaf"), 1U) << told(report.events);
}

// Without the records no row can be told from another one.
TEST(Watchtower, demands_all_rows_where_the_records_are_missing) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove(batch.watcher / "records.bin");
  flip("rows/updates/2.bin", 0)(batch.watcher);
  EXPECT_EQ(sent(world.watch().events, "request_leaf"), 3U + 3U);
}

TEST(Watchtower, says_nothing_where_the_chain_contradicts_itself_about_a_batch) {
  const std::vector<std::function<void(proof::Posted&)>> changes = {
      [](proof::Posted& posted) { posted.table_roots.pop_back(); },
      [](proof::Posted& posted) { posted.table_roots.emplace_back(); },
      [](proof::Posted& posted) { posted.table_roots.front().bytes[0] ^= 1; },
      [](proof::Posted& posted) { posted.state_commitments.pop_back(); },
      [](proof::Posted& posted) { posted.state_commitments.emplace_back(); },
      [](proof::Posted& posted) { posted.state_commitments.front().bytes[0] ^= 1; },
      [](proof::Posted& posted) { posted.header.records_root.bytes[0] ^= 1; },
  };
  for (std::size_t number = 0; number < changes.size(); ++number) {
    DisputeWorld world;
    const DisputedBatch damaged = world.post({}, 1);
    const DisputedBatch other = world.post(forge(world, "next_model", 2), 2);
    test::HookedChain hooked(world.chain());
    hooked.at_event() = [&](proof::Event& event) {
      auto* const posted = std::get_if<proof::Posted>(&event);
      if (posted != nullptr && posted->batch == damaged.id) changes[number](*posted);
    };
    const WatchReport report = watch_once(hooked, world.watcher(), world.watch_settings());
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kFailed, "watch"), 1U) << number << told(report.events);
    EXPECT_EQ(report.open_batches, 2U);
    // The other batch does not suffer by it.
    EXPECT_EQ(sent(report.events), 1U) << number << told(report.events);
    EXPECT_EQ(sent(report.events, "open_game"), 1U);
    EXPECT_EQ(world.status(other), proof::BatchStatus::kPending);
  }
}

// Pitfall 26: what was judged is looked at again before it moves.
TEST(Watchtower, never_moves_on_data_that_changed_since_it_was_judged) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  static_cast<void>(world.watch());
  world.defend();
  const fs::path row = batch.watcher / "rows/updates/1.bin";
  const std::vector<std::uint8_t> right = test::read_bytes(row);
  std::vector<std::uint8_t> wrong = right;
  wrong.at(3 * 4) ^= 1;
  test::write_bytes(row, wrong);
  const WatchReport silent = world.watch();
  EXPECT_EQ(sent(silent.events), sent(silent.events, "request_leaf")) << told(silent.events);
  EXPECT_EQ(count(silent.events, WatchEvent::Kind::kJudged, "missing_data"), 1U) << told(silent.events);
  EXPECT_EQ(count(silent.events, WatchEvent::Kind::kSilent, "move"), 1U);
  EXPECT_EQ(silent.alarms.size(), 1U);
  EXPECT_EQ(world.watch().alarms, silent.alarms);
  {
    Memory memory(world.folder() / "watchtower.sqlite", world.chain().identity(), world.watcher());
    ASSERT_EQ(memory.alarms().size(), 1U);
    EXPECT_EQ(memory.alarms().front().batch, batch.id);
  }
  test::write_bytes(row, right);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

TEST(Watchtower, judges_anew_where_what_it_computed_is_damaged) {
  for (const std::string damaged : {"table_6.bin", "row_roots.bin", ""}) {
    DisputeWorld world({.dims = {70}});
    const DisputedBatch batch = world.post(forge(world, "next_model", 33));
    fs::remove_all(batch.watcher / "tables");
    const WatchReport first = world.watch();
    EXPECT_EQ(sent(first.events, "open_descent"), 1U);
    world.defend();
    const fs::path tables = world.folder() / "watchtower.sqlite.scratch" / to_hex(batch.id) / "tables";
    for (const fs::directory_entry& entry : fs::directory_iterator(tables)) {
      const bool is_it = damaged.empty() || entry.path().filename() == damaged;
      if (is_it) test::write_byte(entry.path(), 0, static_cast<std::uint8_t>(test::read_bytes(entry.path())[0] ^ 1));
    }
    const auto events = world.play();
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << damaged << "\n" << told(events);
    EXPECT_EQ(count(events, WatchEvent::Kind::kSilent), 0U);
    EXPECT_EQ(sent(events, "open_descent"), 0U);
  }
}

TEST(Watchtower, judges_anew_where_what_it_computed_is_gone) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  EXPECT_EQ(sent(world.watch().events, "open_game"), 1U);
  world.defend();
  fs::remove_all(world.folder() / "watchtower.sqlite.scratch");
  const auto events = world.play();
  EXPECT_EQ(count(events, WatchEvent::Kind::kJudged, "wrong_entry"), 1U) << told(events);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

TEST(Watchtower, judges_anew_where_its_memory_of_a_verdict_is_damaged) {
  for (const char* const damage : {"x''", "zeroblob(200)", "CAST(substr(verdict, 1, length(verdict) - 1) AS BLOB)"}) {
    DisputeWorld world;
    const DisputedBatch batch = world.post(forge(world, "next_model", 3));
    static_cast<void>(world.watch());
    {
      Memory memory(world.folder() / "watchtower.sqlite", world.chain().identity(), world.watcher());
      ASSERT_TRUE(memory.verdict(batch.id).has_value());
    }
    execute(world.folder() / "watchtower.sqlite", std::string("UPDATE batch SET verdict = ") + damage);
    const auto events = world.play();
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << damage << told(events);
    EXPECT_EQ(count(events, WatchEvent::Kind::kJudged), 1U);
    EXPECT_EQ(count(events, WatchEvent::Kind::kFailed), 0U) << told(events);
  }
}

// A key may be bound in the very second of a post, and after the watchtower looked.
TEST(Watchtower, judges_anew_where_a_proof_is_refused) {
  DisputeWorld world({.unregistered = 1});
  const DisputedBatch batch = world.post();
  const auto own = world.open();
  test::HookedChain hooked(*own, [&](proof::Transaction& transaction) {
    if (std::holds_alternative<proof::ShowProof>(transaction)) world.register_rest();
  });
  const WatchReport report = watch_once(hooked, world.watcher(), world.watch_settings());
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kRefused, "show_proof"), 1U) << told(report.events);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "failed_check"), 1U);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "valid"), 1U);
  EXPECT_TRUE(report.alarms.empty());
  EXPECT_TRUE(world.watch().events.empty());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
}

TEST(Watchtower, gives_a_batch_up_for_the_run_where_the_chain_refuses_twice) {
  DisputeWorld world;
  const DisputedBatch first = world.post(forge(world, "next_model", 3), 1);
  const DisputedBatch second = world.post(forge(world, "next_model", 2), 2);
  // What is opened over the first batch gets damaged on its way.
  const auto own = world.open();
  test::HookedChain hooked(*own, [&](proof::Transaction& transaction) {
    auto* const opening = std::get_if<proof::OpenGame>(&transaction);
    if (opening != nullptr && proof::batch_id(opening->header) == first.id) opening->openings.push_back(0);
  });
  const WatchReport report = watch_once(hooked, world.watcher(), world.watch_settings());
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kRefused, "open_game"), 2U) << told(report.events);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kSilent, "open_game"), 1U);
  EXPECT_EQ(report.alarms.size(), 1U);
  EXPECT_EQ(sent(report.events, "open_game"), 1U);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(first), proof::BatchStatus::kInvalid);
  EXPECT_EQ(world.status(second), proof::BatchStatus::kInvalid);
}

// Pitfall 26, Pitfall 29: the chain's file was lost, and an older copy is used.
TEST(Watchtower, reads_all_anew_on_an_older_copy_of_the_chain) {
  DisputeWorld world;
  static_cast<void>(world.post({}, 1));
  world.test_chain()->mark();
  static_cast<void>(world.post(forge(world, "next_model", 3), 2));
  EXPECT_EQ(sent(world.watch().events, "open_game"), 1U);
  world.test_chain()->go_back();
  for (int i = 0; i < 40; ++i) world.advance(1);
  const auto older = world.open();
  const WatchReport report = watch_once(*older, world.watcher(), world.watch_settings());
  ASSERT_EQ(report.alarms.size(), 1U);
  EXPECT_NE(report.alarms.front().find("read anew"), std::string::npos);
  EXPECT_EQ(report.open_batches, 1U);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "valid"), 1U) << told(report.events);
  EXPECT_TRUE(watch_once(*older, world.watcher(), world.watch_settings()).alarms.empty());
}

TEST(Watchtower, puts_answers_together_with_data_that_stands_behind_links) {
  DisputeWorld world;
  const DisputedBatch batch = world.post();
  const std::vector<std::uint8_t> row = test::read_bytes(batch.poster / "rows/updates/0.bin");
  fs::remove_all(batch.watcher);
  fs::create_directories(batch.watcher);
  for (const char* const name : {"header.bin", "program.tally", "records.bin", "state", "tables"}) {
    fs::create_symlink(batch.poster / name, batch.watcher / name);
  }
  fs::create_directories(batch.watcher / "rows/updates");
  for (const char* const name : {"0.bin", "2.bin"}) {
    fs::create_symlink(batch.poster / "rows/updates" / name, batch.watcher / "rows/updates" / name);
  }
  fs::create_directory_symlink(batch.watcher, batch.watcher / "round");
  const auto events = world.play();
  EXPECT_GE(sent(events, "request_leaf"), 1U) << told(events);
  EXPECT_EQ(count(events, WatchEvent::Kind::kJudged, "valid"), 1U) << told(events);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kPending);
  EXPECT_EQ(test::read_bytes(batch.poster / "rows/updates/0.bin"), row);
}

TEST(Watchtower, lives_on_where_a_file_is_shortened_while_it_is_read) {
  DisputeWorld world;
  const DisputedBatch first = world.post({}, 1);
  const DisputedBatch second = world.post(forge(world, "next_model", 2), 2);
  WatchSettings settings = world.watch_settings();
  bool shortened = false;
  settings.progress = [&](std::string_view, std::uint64_t, std::uint64_t) {
    if (!std::exchange(shortened, true)) fs::resize_file(first.watcher / "rows/updates/1.bin", 0);
  };
  const auto own = world.open();
  const WatchReport report = watch_once(*own, world.watcher(), settings);
  EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "missing_data"), 1U) << told(report.events);
  EXPECT_EQ(sent(report.events, "open_game"), 1U);
  EXPECT_EQ(world.status(second), proof::BatchStatus::kPending);
}

TEST(Watchtower, takes_odd_files_for_missing_ones) {
  using Put = std::function<void(const fs::path&)>;
  const auto link_to = [](const char* where) -> Put {
    return [where](const fs::path& path) { fs::create_symlink(where, path); };
  };
  const std::vector<Put> odd = {
      [](const fs::path& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
      [](const fs::path& path) { fs::create_directory(path); },
      [](const fs::path& path) {
        test::write_bytes(path, {});
        fs::resize_file(path, std::uintmax_t{1} << 40);
      },
      link_to("/dev/zero"),
      link_to("/proc/self/mem"),
      link_to("nowhere"),
      link_to("1.bin"),
  };
  for (std::size_t number = 0; number < odd.size(); ++number) {
    DisputeWorld world;
    const DisputedBatch batch = world.post(forge(world, "next_model", 3));
    // What stands for a row is missing; a program's text only gives names, a header only says where to look.
    for (const char* const name : {"rows/updates/1.bin", "manifest.json", "header.bin"}) {
      fs::remove(batch.watcher / name);
      odd[number](batch.watcher / name);
    }
    const WatchReport report = world.watch();
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kJudged, "missing_data"), 1U) << number << told(report.events);
    EXPECT_EQ(count(report.events, WatchEvent::Kind::kFailed), 0U) << number << told(report.events);
    EXPECT_GE(sent(report.events, "request_leaf"), 1U) << number;
  }
}

TEST(Watchtower, does_no_harm_beside_another_one_with_its_key) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  const DisputedBatch signer = world.post(flip("records.bin", kMemberByte), 2);
  const proof::Wei before = world.watcher_owns();
  WatchSettings other = world.watch_settings();
  other.memory = world.folder() / "other.sqlite";
  std::size_t opened = 0;
  for (int turn = 0; turn < 6; ++turn) {
    const WatchReport report = watch_once(world.chain(), world.watcher(), other);
    opened += sent(report.events, "open_game") + sent(world.watch().events, "open_game");
    EXPECT_TRUE(report.alarms.empty());
    world.defend();
  }
  EXPECT_EQ(opened, 1U);
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
  EXPECT_EQ(world.status(signer), proof::BatchStatus::kInvalid);
  EXPECT_GT(world.watcher_owns(), before);
  world.advance(world.settings().challenge_period_s + world.settings().game_clock_s);
  EXPECT_EQ(world.watch().open_batches, 0U);
}

TEST(Watchtower, stops_in_the_middle_of_a_judgment_and_goes_on_in_the_next_run) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  std::stop_source stop;
  WatchSettings settings = world.watch_settings();
  settings.stop = stop.get_token();
  settings.progress = [&](std::string_view, std::uint64_t, std::uint64_t) { stop.request_stop(); };
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  EXPECT_TRUE(report.stopped);
  EXPECT_TRUE(report.events.empty()) << told(report.events);
  EXPECT_EQ(report.open_batches, 1U);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

// Before and after each transaction of each kind of dispute.
TEST(Watchtower, goes_on_after_a_crash_beside_any_of_its_transactions) {
  struct Case {
    std::function<test::Cheat(const DisputeWorld&)> cheat;
    std::string withheld;
    std::string opening;
  };
  const auto lie = [](const DisputeWorld& world) { return forge(world, "next_model", 3); };
  const std::vector<Case> cases = {
      {.cheat = lie, .withheld = {}, .opening = "open_game"},
      {.cheat = lie, .withheld = "tables/next_model.bin", .opening = "open_descent"},
      {.cheat = [](const DisputeWorld&) { return flip("records.bin", kMemberByte); },
       .withheld = {},
       .opening = "show_proof"},
      {.cheat = lie, .withheld = "rows/updates/1.bin", .opening = "open_game"},
  };
  for (const Case& one : cases) {
    for (const bool after : {false, true}) {
      std::size_t crashes = 0;
      DisputeWorld world;
      const DisputedBatch batch = world.post(one.cheat(world));
      if (!one.withheld.empty()) fs::remove(batch.watcher / one.withheld);
      const proof::Wei before = world.watcher_owns();
      std::size_t turns = 0;
      for (; turns < 60 && world.status(batch) == proof::BatchStatus::kPending; ++turns) {
        // Each transaction is met by a crash in every second run.
        const bool crash = turns % 2 == 0;
        const auto hook = [&](proof::Transaction&) {
          if (crash) throw Crash{};
        };
        test::HookedChain hooked(world.chain(), after ? test::HookedChain::Hook{} : hook,
                                 after ? hook : test::HookedChain::Hook{});
        try {
          static_cast<void>(watch_once(hooked, world.watcher(), world.watch_settings()));
        } catch (const Crash&) {
          ++crashes;
        }
        world.defend();
      }
      static_cast<void>(world.play());
      EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << one.opening << " " << after;
      EXPECT_GT(crashes, 0U);
      EXPECT_GT(world.watcher_owns(), before);
      std::size_t openings = 0;
      for (const chain::LoggedEvent& logged : world.chain().events(0, 100'000)) {
        openings += std::holds_alternative<proof::GameOpened>(logged.event) ? 1U : 0U;
      }
      EXPECT_EQ(openings, one.opening == "show_proof" ? 0U : 1U) << one.opening << " " << after;
    }
  }
}

}  // namespace
}  // namespace tally::verifier
