#include "verifier/watchtower/watchtower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "tests/support/dispute_world.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::DisputedBatch;
using test::DisputeWorld;
using test::sent;

std::string told(const std::vector<WatchEvent>& events) {
  std::string text;
  for (const WatchEvent& event : events) {
    text += std::string(to_string(event.kind)) + " " + event.what + " " + event.message + "\n";
  }
  return text;
}

/// A first batch whose table is forged at one index.
test::Cheat forge(const DisputeWorld& world, const std::string& table, std::uint64_t index, math::i128 change = 1) {
  return [&world, table, index, change](const fs::path& directory) {
    test::forge_table(directory, world.program(), table, index, change);
  };
}

test::Cheat flip(const std::string& file, std::size_t place, std::uint8_t mask = 1) {
  return [=](const fs::path& directory) {
    const std::vector<std::uint8_t> bytes = test::read_bytes(directory / file);
    test::write_byte(directory / file, place, static_cast<std::uint8_t>(bytes.at(place) ^ mask));
  };
}

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
}

TEST(Watchtower, shows_each_failed_local_check) {
  struct Case {
    test::Cheat cheat;
    proof::LossCause cause;
  };
  const auto swap_records = [](const fs::path& directory) {
    std::vector<std::uint8_t> records = test::read_bytes(directory / "records.bin");
    std::swap_ranges(records.begin(), records.begin() + kRecordBytes, records.begin() + kRecordBytes);
    test::write_bytes(directory / "records.bin", records);
  };
  const std::vector<Case> cases = {
      {.cheat = flip("records.bin", kMemberByte), .cause = proof::LossCause::kRecordSigner},
      {.cheat = flip("records.bin", kRecordBytes - 3), .cause = proof::LossCause::kRecordSignature},
      {.cheat = flip("records.bin", kRecordBytes - 66), .cause = proof::LossCause::kRecordSignature},
      {.cheat = swap_records, .cause = proof::LossCause::kRecordOrder},
  };
  DisputeWorld world;
  for (const Case& one : cases) {
    const DisputedBatch batch = world.post(one.cheat);
    const auto events = world.play();
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid) << told(events);
    EXPECT_EQ(world.cause_of_loss(batch), one.cause);
    EXPECT_EQ(sent(events, "commit"), 1U);
    EXPECT_EQ(sent(events, "show_proof"), 1U);
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
  DisputeWorld world({.change = [](proof::TaskSettings& settings) { settings.request_period_s = 0; }});
  const DisputedBatch batch = world.post(forge(world, "next_model", 3));
  fs::remove(batch.watcher / "rows/updates/1.bin");
  EXPECT_EQ(sent(world.play()), 0U);
  // As soon as the data is there, it is judged.
  fs::copy(batch.poster / "rows/updates/1.bin", batch.watcher / "rows/updates/1.bin");
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

// Pitfall 26.
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
  EXPECT_THROW(static_cast<void>(watch_once(world.chain(), world.rounds().poster(), settings)), std::runtime_error);
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

}  // namespace
}  // namespace tally::verifier
