#include <csignal>

#include "tests/cli/tried_chain.h"

namespace tally::cli {
namespace {

class Defend : public ::testing::Test {
 protected:
  [[nodiscard]] Words defending(const std::string& data, const std::string& chain) const {
    return {"defend", "--chain", chain, "--key", "dev:1", "--data", data};
  }
  [[nodiscard]] Words defending() const { return defending(x_folder.path().string(), x_chain.where()); }
  [[nodiscard]] static Words once(Words words) {
    words.emplace_back("--once");
    return words;
  }

  Folder x_folder;
  TriedChain x_chain{x_folder.path()};
};

TEST_F(Defend, says_that_nothing_waits_on_a_chain_without_disputes) {
  Words words = once(defending());
  const Finished text = tally(words);
  EXPECT_EQ(text.exit_code, kFine) << text.err;
  EXPECT_EQ(text.out, "0 games and 0 requests are open\n");
  words.emplace_back("--json");
  const auto shown = boost::json::parse(tally(words).out).as_object();
  EXPECT_TRUE(shown.at("defenses").as_array().empty());
  EXPECT_EQ(shown.at("open_games"), 0);
}

TEST_F(Defend, names_a_folder_or_a_chain_that_is_not_there) {
  expect_refusal(tally(once(defending(x_folder.path().string(), (x_folder / "none.db").string()))), kBadInput,
                 "none.db");
  expect_refusal(tally(once(defending((x_folder / "none").string(), x_chain.where()))), kBadInput, "none");
}

TEST_F(Defend, runs_until_it_is_told_to_stop) {
  Words words = defending();
  words.insert(words.end(), {"--poll-s", "3600"});
  test::Process process(command(words));
  ASSERT_TRUE(process.waits_until([&] { return x_chain.is_in_use(); }));
  process.send(SIGINT);
  const Finished finished = process.wait();
  EXPECT_FALSE(finished.timed_out);
  EXPECT_EQ(finished.exit_code, kFine) << finished.err;
}

}  // namespace
}  // namespace tally::cli
