// A chain with a driven clock, a task, its members and their updates, each step by a process of its own.
#pragma once

#include <gtest/gtest.h>

#include "tests/cli/tally.h"
#include "tests/cli/tried_chain.h"

namespace tally::cli {

namespace json = boost::json;

class PostingCommands : public ::testing::Test {
 protected:
  [[nodiscard]] Words with(Words words, const std::string& key = {}) const {
    if (!key.empty()) words.insert(words.end(), {"--key", key});
    words.insert(words.end(), {"--chain", x_chain.where()});
    return words;
  }
  [[nodiscard]] Words with_data(const Words& words, const std::string& key = {}) const {
    Words all = with(words, key);
    all.insert(all.end(), {"--data", (x_folder / "data").string()});
    return all;
  }
  static Finished expect_fine(const Words& words) {
    Finished finished = tally(words);
    EXPECT_EQ(finished.exit_code, kFine) << finished.err;
    return finished;
  }
  static std::string text(const Words& words, const char* key) {
    Words all = words;
    all.emplace_back("--json");
    const json::object object = parsed(expect_fine(all));
    return object.contains(key) ? std::string(object.at(key).as_string()) : std::string();
  }
  void create_task(const Words& more = {}, const std::string& program = "fedavg") {
    Words words = {"task", "create",           program, "--dim",        "D=20", "--challenge-period",
                   "600",  "--request-period", "200",   "--window",     "100",  "--censorship-budget",
                   "50",   "--move-time",      "1",     "--game-clock", "300",  "--exit-delay",
                   "2000", "--min-stake",      "1ether"};
    words.insert(words.end(), more.begin(), more.end());
    x_task = text(with_data(words, "dev:0"), "task");
    ASSERT_EQ(x_task.size(), 66U);
  }
  /// Updates a.npy and b.npy of members dev:1 and dev:2.
  void contribute(int round) {
    std::filesystem::create_directory(x_folder / "updates");
    for (const int member : {1, 2}) {
      const std::string name = "updates/client" + std::to_string(member) + ".npy";
      x_folder.put(name, npy_of(update(member + 10 * round, 20)));
      expect_fine(with_data({"contribute", (x_folder / name).string(), "--task", x_task, "--examples", "7"},
                            "dev:" + std::to_string(member)));
    }
  }
  void join() {
    for (const int member : {1, 2}) {
      expect_fine(with({"register", "--task", x_task}, "dev:" + std::to_string(member)));
    }
  }
  std::string aggregate(const Words& more = {}) {
    Words words = {"aggregate", "--task", x_task, "--updates", (x_folder / "updates").string()};
    words.insert(words.end(), more.begin(), more.end());
    return text(with_data(words), "batch_id");
  }

  Folder x_folder;
  TriedChain x_chain{x_folder.path()};
  std::string x_task;
};

}  // namespace tally::cli
