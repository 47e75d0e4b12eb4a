#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

/// One short run for all tests of this file.
const json::object& story() {
  static const Folder kFolder;
  static const json::object kStory = [] {
    const Finished finished = tally({"demo", (kFolder / "demo").string(), "--rounds", "4", "--json"});
    EXPECT_EQ(finished.exit_code, kFine) << finished.err;
    return parsed(finished);
  }();
  return kStory;
}

TEST(Demo, begins_nothing_without_the_node_that_it_needs) {
  const Folder folder;
  ::setenv("TALLY_ANVIL", (folder / "none").c_str(), 1);  // NOLINT(concurrency-mt-unsafe): no other thread
  const Finished finished = tally({"demo", (folder / "demo").string(), "--chain", "evm"});
  ::unsetenv("TALLY_ANVIL");  // NOLINT(concurrency-mt-unsafe): no other thread
  expect_refusal(finished, kBadInput, "none: no such file");
  EXPECT_FALSE(std::filesystem::exists(folder / "demo"));
}

TEST(Demo, catches_every_fraud_and_finalises_every_honest_batch) {
  const json::array& rounds = story().at("rounds").as_array();
  ASSERT_EQ(rounds.size(), 4U);
  std::set<std::string> kinds;
  std::set<std::string> batches;
  for (const json::value& round : rounds) {
    EXPECT_EQ(text(round.at("status")), "final");
    EXPECT_GE(round.at("transactions").to_number<int>(), 2);
    EXPECT_GT(round.at("bytes_on_chain").to_number<int>(), 500);
    batches.insert(text(round.at("batch_id")));
    if (const json::value* const fraud = round.as_object().if_contains("fraud")) {
      kinds.insert(text(fraud->at("kind")));
      EXPECT_GE(fraud->at("transcript").as_array().size(), 3U);
      const Finished shown =
          tally({"batch", "show", text(fraud->at("batch_id")), "--chain", text(story().at("chain")), "--json"});
      EXPECT_EQ(text(parsed(shown).at("status")), "invalid") << shown.err;
    }
  }
  EXPECT_EQ(batches.size(), 4U);
  EXPECT_EQ(kinds, (std::set<std::string>{"forged_weight", "old_update", "withheld"}));
  const double first = rounds.front().at("accuracy").to_number<double>();
  const double last = rounds.back().at("accuracy").to_number<double>();
  EXPECT_GT(last, first);
  EXPECT_GT(last, 0.4) << "one class in ten would be 0.1";
}

TEST(Demo, slashes_the_rival_for_each_fraud_and_pays_the_watchtower) {
  const auto change = [](std::string_view who) {
    for (const json::value& account : story().at("balances").as_array()) {
      if (text(account.at("who")) != who) continue;
      return std::stold(text(account.at("after"))) - std::stold(text(account.at("before")));
    }
    ADD_FAILURE() << "no " << who;
    return 0.0L;
  };
  EXPECT_EQ(change("sequencer"), 0);
  EXPECT_EQ(change("rival"), -3e18L);
  EXPECT_EQ(change("watchtower"), 1.5e18L);
  EXPECT_EQ(change("burned"), 1.5e18L);
}

TEST(Demo, leaves_a_folder_that_every_tool_can_open) {
  const std::filesystem::path folder = text(story().at("folder"));
  for (const json::value& round : story().at("rounds").as_array()) {
    const Finished honest = tally({"verify", (folder / "sequencer" / text(round.at("batch_id"))).string()});
    EXPECT_EQ(honest.exit_code, kFine) << honest.err;
    const json::value* const fraud = round.as_object().if_contains("fraud");
    if (fraud == nullptr) continue;
    const Finished checked = tally({"verify", text(fraud->at("directory"))});
    const bool withheld = text(fraud->at("kind")) == "withheld";
    EXPECT_EQ(checked.exit_code, withheld ? kFine : kFoundInvalid) << checked.out;
    const std::string finding = text(fraud->at("kind")) == "forged_weight" ? "entry: next_model[" : "record_signature";
    if (withheld) continue;
    EXPECT_NE(checked.out.find(finding), std::string::npos) << checked.out;
  }
  const Finished tasks = tally({"task", "list", "--chain", text(story().at("chain"))});
  EXPECT_EQ(tasks.out, text(story().at("task")) + "  20 members, 7 batches, final 4\n");

  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2(text(story().at("chain")).c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  int tables = 0;
  const auto count = [](void* sum, int, char**, char**) { return ++*static_cast<int*>(sum), 0; };
  EXPECT_EQ(sqlite3_exec(database, "SELECT name FROM sqlite_master WHERE type = 'table'", count, &tables, nullptr),
            SQLITE_OK);
  EXPECT_GT(tables, 3);
  sqlite3_close(database);
}

TEST(Demo, gives_the_same_batches_again_and_tells_the_story_in_words) {
  const Folder folder;
  const Finished finished = tally({"demo", (folder / "demo").string(), "--rounds", "4", "--threads", "1"});
  ASSERT_EQ(finished.exit_code, kFine) << finished.err;
  for (const json::value& round : story().at("rounds").as_array()) {
    EXPECT_NE(finished.out.find(text(round.at("batch_id")).substr(0, 18)), std::string::npos) << finished.out;
  }
  for (const char* const part :
       {"a corrupt sequencer adds one unit in the last place", "watchtower disputes next_model[", "balances",
        "bytes on chain", "invalid: withheld"}) {
    EXPECT_NE(finished.out.find(part), std::string::npos) << part;
  }
}

TEST(Demo, refuses_a_folder_with_other_things_in_it) {
  const Folder folder;
  folder.put("mine.txt", "mine");
  expect_refusal(tally({"demo", (folder / ".").string()}), kBadInput, "not empty");
  expect_refusal(tally({"demo", (folder / "x").string(), "--malicious", "10"}), kBadInput, "more than twice as many");
}

}  // namespace
}  // namespace tally::cli
