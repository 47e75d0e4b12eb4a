// A dispute between separate processes on one chain, which are killed and started again in the middle of it.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>

#include "chain_adapter/files/file_lock.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/header.h"
#include "tests/cli/tally.h"
#include "tests/cli/tried_chain.h"
#include "tests/support/test_batch.h"

namespace tally::cli {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int kMembers = 8;
const std::string kPoster = "dev:0";
const std::string kWatcher = "dev:20";

class DisputeCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    const json::object task = parsed(expect_fine(with_data({"task",   "create",
                                                            "fedavg", "--dim",
                                                            "D=20",   "--arity",
                                                            "2",      "--challenge-period",
                                                            "600",    "--request-period",
                                                            "200",    "--window",
                                                            "100",    "--censorship-budget",
                                                            "50",     "--move-time",
                                                            "1",      "--game-clock",
                                                            "300",    "--exit-delay",
                                                            "2000",   "--min-stake",
                                                            "1ether", "--key",
                                                            kPoster,  "--json"},
                                                           data())));
    x_task = std::string(task.at("task").as_string());
    fs::create_directory(x_folder / "updates");
    for (int member = 1; member <= kMembers; ++member) {
      const std::string key = "dev:" + std::to_string(member);
      const std::string name = "updates/client" + std::to_string(member) + ".npy";
      x_folder.put(name, npy_of(update(member, 20)));
      expect_fine(with({"register", "--task", x_task, "--key", key}));
      expect_fine(with_data(
          {"contribute", (x_folder / name).string(), "--task", x_task, "--examples", "7", "--key", key}, data()));
    }
  }

  [[nodiscard]] std::string data() const { return (x_folder / "data").string(); }
  [[nodiscard]] std::string memory() const { return (x_folder / "watch.sqlite").string(); }
  [[nodiscard]] Words with(Words words) const {
    words.insert(words.end(), {"--chain", x_chain.where()});
    return words;
  }
  [[nodiscard]] Words with_data(const Words& words, const std::string& folder) const {
    Words all = with(words);
    all.insert(all.end(), {"--data", folder});
    return all;
  }
  static Finished expect_fine(const Words& words) {
    Finished finished = tally(words);
    EXPECT_EQ(finished.exit_code, kFine) << finished.err << finished.out;
    return finished;
  }

  /// Posts a batch with one wrong weight, and gives the watchtower a copy of it.
  void post_forgery() {
    const json::object built = parsed(expect_fine(
        with_data({"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string(), "--json"}, data())));
    const fs::path directory = fs::path(data()) / std::string(built.at("batch_id").as_string());
    const auto program = math::compile(math::find_library_program("fedavg")->text, {}).value();
    test::forge_table(directory, program, "next_model", 13, 1);
    const auto header = proof::decode_header(test::read_bytes(directory / "header.bin")).value();
    x_batch = to_hex(proof::batch_id(header));
    fs::rename(directory, fs::path(data()) / x_batch);
    expect_fine(with_data({"post", x_batch, "--no-verify", "--key", kPoster}, data()));
    fs::create_directory(watched());
    fs::copy(fs::path(data()) / x_batch, watched() / x_batch, fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path watched() const { return x_folder / "watched"; }

  [[nodiscard]] Words watch(const std::string& key = kWatcher) const {
    return with_data({"watch", "--once", "--memory", memory(), "--key", key, "--threads", "1"}, watched().string());
  }
  void defend() const { expect_fine(with_data({"defend", "--once", "--stubborn", "--key", kPoster}, data())); }
  [[nodiscard]] std::string status() const {
    return std::string(parsed(expect_fine(with({"batch", "show", x_batch, "--json"}))).at("status").as_string());
  }
  [[nodiscard]] std::size_t events(const std::string& name) const {
    const std::string text = expect_fine(with({"chain", "events", "--limit", "10000"})).out;
    std::size_t found = 0;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) ++found;
    return found;
  }

  Folder x_folder;
  TriedChain x_chain{x_folder.path()};
  std::string x_task;
  std::string x_batch;
};

TEST_F(DisputeCommands, play_a_game_to_its_end_in_turns) {
  post_forgery();
  std::size_t turns = 0;
  for (; turns < 20 && status() == "pending"; ++turns) {
    expect_fine(watch());
    defend();
  }
  EXPECT_EQ(status(), "invalid");
  EXPECT_GE(turns, 3U);
  expect_fine(watch());
  EXPECT_EQ(events("GameOpened"), 1U);
  const json::value games = json::parse(expect_fine(with({"game", "list", "--json"})).out);
  ASSERT_EQ(games.as_array().size(), 1U);
  EXPECT_EQ(games.as_array()[0].as_object().at("state"), "the poster was disproved");
  const fs::path told = x_folder / "new/game.json";
  expect_fine(with({"game", "export", std::string(games.as_array()[0].as_object().at("game_id").as_string()), "--out",
                    told.string()}));
  EXPECT_TRUE(fs::is_regular_file(told));
}

TEST_F(DisputeCommands, go_on_wherever_the_watchtower_was_killed) {
  post_forgery();
  std::mt19937 random(7);
  std::uniform_int_distribution<int> milliseconds(1, 60);
  const proof::Wei before = x_chain.owned_by(20);
  std::size_t killed = 0;
  for (int turn = 0; turn < 60 && status() == "pending"; ++turn) {
    // The first one for certain.
    const int limit = turn == 0 ? 1 : milliseconds(random);
    const Finished finished = tally(watch(), {.timeout = std::chrono::milliseconds(limit)});
    if (finished.timed_out) {
      ++killed;
    } else {
      EXPECT_EQ(finished.exit_code, kFine) << finished.err << finished.out;
    }
    if (turn % 3 == 2) defend();
  }
  for (int turn = 0; turn < 20 && status() == "pending"; ++turn) {
    expect_fine(watch());
    defend();
  }
  EXPECT_GE(killed, 1U);
  EXPECT_EQ(status(), "invalid");
  expect_fine(watch());
  EXPECT_EQ(events("GameOpened"), 1U);
  EXPECT_EQ(events("GameEnded"), 1U);
  EXPECT_GT(x_chain.owned_by(20), before);
}

TEST_F(DisputeCommands, say_by_the_exit_code_what_a_person_should_look_at) {
  post_forgery();
  // No money for a bond.
  const Finished poor = tally(watch("dev:1000"));
  EXPECT_EQ(poor.exit_code, kFoundInvalid) << poor.out;
  EXPECT_NE(poor.out.find("ALARM"), std::string::npos) << poor.out;
  EXPECT_NE(poor.out.find("InsufficientFunds"), std::string::npos) << poor.out;
  fs::remove(memory());
  {
    const auto lock = chain::FileLock::take(memory() + ".lock");
    ASSERT_TRUE(lock.has_value());
    expect_refusal(tally(watch()), kOutsideWorld, "another watchtower uses " + memory());
  }
  fs::remove(watched() / x_batch / "program.tally");
  fs::create_symlink("/proc/self/mem", watched() / x_batch / "program.tally");
  Words limited = watch();
  limited.insert(limited.end(), {"--demand-limit", "0.01ether"});
  const Finished spared = tally(limited);
  EXPECT_EQ(spared.exit_code, kFine) << spared.out;
  EXPECT_EQ(spared.out.find("sent request_leaf"), spared.out.rfind("sent request_leaf")) << spared.out;
  EXPECT_NE(spared.out.find("passed_over request_leaf " + x_batch), std::string::npos) << spared.out;
  const Finished unreadable = tally(watch());
  EXPECT_EQ(unreadable.exit_code, kFine) << unreadable.out;
  EXPECT_NE(unreadable.out.find("judged missing_data " + x_batch), std::string::npos) << unreadable.out;
  EXPECT_NE(unreadable.out.find("sent request_leaf"), std::string::npos) << unreadable.out;
}

TEST_F(DisputeCommands, refuse_limits_of_a_watchtower_that_are_none) {
  fs::create_directory(watched());
  for (const Words& limit :
       std::vector<Words>{{"--demand-limit", "much"}, {"--judging-limit", "-1"}, {"--scratch-limit", "-1"}}) {
    Words words = watch();
    words.insert(words.end(), limit.begin(), limit.end());
    expect_refusal(tally(words), kBadInput, limit.front());
  }
}

}  // namespace
}  // namespace tally::cli
