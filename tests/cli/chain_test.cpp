#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/embedded/tables.h"
#include "chain_adapter/keys/development_keys.h"
#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

class ChainCommand : public testing::Test {
 protected:
  Folder folder;
  std::string file = (folder / "chain.db").string();

  void make(const Words& more = {}) const {
    Words words = {"chain", "init", file, "--driven-clock", "--time", "1000"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished made = tally(words);
    ASSERT_EQ(made.exit_code, kFine) << made.err;
  }

  [[nodiscard]] Finished on_chain(const std::string& command, const Words& more = {}) const {
    Words words = {"chain", command, "--chain", "embedded:" + file};
    words.insert(words.end(), more.begin(), more.end());
    return tally(words);
  }

  /// Development key 0 leaves three commitments on the chain.
  void commit() const {
    chain::EmbeddedChain chain(file);
    for (std::uint8_t i = 0; i < 3; ++i) {
      proof::Commit commit;
      commit.commitment.bytes.fill(i);
      (void)chain.submit({.key = chain::development_key(0), .value = {}, .transaction = commit});
    }
  }
};

TEST_F(ChainCommand, makes_a_chain_with_the_accounts_named) {
  make({"--fund", "dev:3=1.5ether", "--fund", "0x0000000000000000000000000000000000000007=20gwei", "--chain-id", "9"});
  const json::object status = parsed(on_chain("status", {"--json"}));
  EXPECT_EQ(status.at("chain_id"), 9);
  EXPECT_EQ(status.at("clock"), "driven");
  EXPECT_EQ(status.at("time_s"), 1000);
  EXPECT_EQ(status.at("block"), 0);
  EXPECT_EQ(status.at("held"), "0");
  const json::value accounts = json::parse(on_chain("accounts", {"--json"}).out);
  ASSERT_EQ(accounts.as_array().size(), 2U);
  const json::object& named = accounts.as_array()[0].as_object();
  EXPECT_EQ(named.at("address"), "0x0000000000000000000000000000000000000007");
  EXPECT_EQ(named.at("balance"), "20000000000");
  EXPECT_EQ(accounts.as_array()[1].as_object().at("balance"), "1500000000000000000");
}

TEST_F(ChainCommand, funds_the_development_keys_where_nobody_is_named_and_warns) {
  const Finished made = tally({"chain", "init", file});
  EXPECT_EQ(made.exit_code, kFine);
  EXPECT_NE(made.err.find("development keys"), std::string::npos);
  EXPECT_EQ(json::parse(on_chain("accounts", {"--json"}).out).as_array().size(), 64U);
}

TEST_F(ChainCommand, moves_a_driven_clock_only) {
  make();
  const json::object head = parsed(on_chain("advance", {"60", "--json"}));
  EXPECT_EQ(head.at("time_s"), 1060);
  EXPECT_EQ(head.at("block"), 1);
  EXPECT_EQ(parsed(on_chain("status", {"--json"})).at("time_s"), 1060);

  file = (folder / "wall.db").string();
  ASSERT_EQ(tally({"chain", "init", file}).exit_code, kFine);
  expect_refusal(on_chain("advance", {"60"}), kBadInput, "its clock is the host's");
}

TEST_F(ChainCommand, checks_all_that_was_done) {
  make();
  commit();
  const json::object sound = parsed(on_chain("check", {"--json"}));
  EXPECT_EQ(sound.at("sound"), true);
  EXPECT_EQ(sound.at("transactions"), 3);
  {
    chain::Database database(file, chain::embedded_schema());
    database.execute("UPDATE events SET bytes = x'00' WHERE position = 1");
  }
  const Finished finished = on_chain("check");
  EXPECT_EQ(finished.exit_code, kFoundInvalid);
  EXPECT_NE(finished.out.find("event 1: not what the settlement said"), std::string::npos) << finished.out;
}

TEST_F(ChainCommand, makes_the_folder_of_a_file) {
  file = (std::filesystem::path(file).parent_path() / "new/deeper/chain.db").string();
  make();
  EXPECT_EQ(on_chain("status").exit_code, kFine);
}

TEST_F(ChainCommand, names_what_is_wrong_with_a_file) {
  expect_refusal(on_chain("status"), kBadInput, "no such file; `tally chain init FILE` makes one");
  write_text(file, "not a chain");
  expect_refusal(on_chain("status"), kBadInput, "no SQLite file");
  expect_refusal(tally({"chain", "init", file}), kBadInput, "no SQLite file");
  EXPECT_EQ(read_text(file), "not a chain");
  std::filesystem::remove(file);
  make();
  expect_refusal(tally({"chain", "init", file}), kBadInput, "exists, and is not replaced");
  {
    chain::Database database(file, chain::embedded_schema());
    database.execute("PRAGMA user_version = 1000");
  }
  expect_refusal(on_chain("status"), kBadInput, "use a newer one");
  expect_refusal(tally({"chain", "status", "--chain", "ftp://node.example"}), kBadInput, "give embedded:FILE");
}

TEST_F(ChainCommand, names_the_flag_that_is_wrong) {
  const std::pair<Words, std::string> rows[] = {
      {{"--fund", "dev:1"}, "--fund dev:1: not ADDRESS=AMOUNT"},
      {{"--fund", "dev:x=1"}, "--fund dev:x: not dev: and a number"},
      {{"--fund", "0x12=1"}, "--fund 0x12: "},
      {{"--fund", "dev:1=much"}, "--fund much: not an amount"},
      {{"--fund", "dev:1=340282366920938463463374607431768211455", "--fund", "dev:2=1"}, "2^128"},
      {{"--fund", "dev:1=1", "--fund", "dev:1=2"}, "twice"},
      {{"--chain-id", "0"}, "chain id"},
      {{"--base-fee", "cheap"}, "--base-fee cheap: not an amount"},
  };
  for (const auto& [flags, message] : rows) {
    Words words = {"chain", "init", file};
    words.insert(words.end(), flags.begin(), flags.end());
    expect_refusal(tally(words), kBadInput, message);
    EXPECT_FALSE(std::filesystem::exists(file)) << message;
  }
}

}  // namespace
}  // namespace tally::cli
