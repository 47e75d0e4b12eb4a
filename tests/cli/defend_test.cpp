#include <csignal>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

TEST(Defend, says_that_nothing_waits_on_a_chain_without_disputes) {
  const Folder folder;
  const std::string chain = "embedded:" + (folder.path() / "chain.db").string();
  ASSERT_EQ(tally({"chain", "init", (folder.path() / "chain.db").string()}).exit_code, kFine);
  const Words words = {"defend", "--once", "--chain", chain, "--key", "dev:1", "--data", folder.path().string()};
  const Finished text = tally(words);
  EXPECT_EQ(text.exit_code, kFine) << text.err;
  EXPECT_EQ(text.out, "0 games and 0 requests are open\n");
  Words with_json = words;
  with_json.emplace_back("--json");
  const auto shown = boost::json::parse(tally(with_json).out).as_object();
  EXPECT_TRUE(shown.at("defenses").as_array().empty());
  EXPECT_EQ(shown.at("open_games"), 0);
}

TEST(Defend, names_a_folder_or_a_chain_that_is_not_there) {
  const Folder folder;
  const std::string chain = (folder.path() / "chain.db").string();
  EXPECT_EQ(tally({"defend", "--once", "--chain", chain, "--key", "dev:1", "--data", folder.path().string()}).exit_code,
            kBadInput);
  ASSERT_EQ(tally({"chain", "init", chain}).exit_code, kFine);
  const Finished missing =
      tally({"defend", "--once", "--chain", chain, "--key", "dev:1", "--data", (folder.path() / "none").string()});
  EXPECT_EQ(missing.exit_code, kBadInput);
  EXPECT_NE(missing.err.find("none"), std::string::npos) << missing.err;
}

TEST(Defend, runs_until_it_is_told_to_stop) {
  const Folder folder;
  const std::string chain = (folder.path() / "chain.db").string();
  ASSERT_EQ(tally({"chain", "init", chain}).exit_code, kFine);
  test::Process process(
      command({"defend", "--chain", chain, "--key", "dev:1", "--data", folder.path().string(), "--poll-s", "3600"}));
  // While it has the chain open, there is a file for the memory that is shared.
  ASSERT_TRUE(process.waits_until([&] { return std::filesystem::exists(chain + "-shm"); }));
  process.send(SIGINT);
  const Finished finished = process.wait();
  EXPECT_FALSE(finished.timed_out);
  EXPECT_EQ(finished.exit_code, kFine) << finished.err;
}

}  // namespace
}  // namespace tally::cli
