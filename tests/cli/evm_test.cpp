// The program on an EVM chain, as its users run it.
#include <csignal>
#include <cstdlib>

#include "chain_adapter/keys/development_keys.h"
#include "tests/cli/tally.h"
#include "tests/support/anvil.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

/// One node for all tests of this file, and the settlement on it.
class EvmCommandsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    x_anvil = new test::Anvil();  // NOLINT(cppcoreguidelines-owning-memory): ends with the tests
    x_folder = new Folder();      // NOLINT(cppcoreguidelines-owning-memory)
    ::setenv("TALLY_CACHE", (*x_folder / "cache").c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
    ::setenv("TALLY_ANVIL", test::anvil_program().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    before = run({"status"});
    const std::string deployer = math::to_hex(chain::development_key(0).address().bytes);
    constexpr std::uint64_t kForSomeContracts = 10'000'000'000'000'000;
    static_cast<void>(x_anvil->rpc().call("anvil_setBalance", {deployer, test::quantity(kForSomeContracts)}));
    poor = tally({"chain", "deploy", "--chain", x_anvil->url(), "--key", "dev:0"});
    give(deployer);
    deployed = tally({"chain", "deploy", "--rpc", x_anvil->url(), "--key", "dev:0", "--json"});
  }
  static void TearDownTestSuite() {
    delete x_folder;  // NOLINT(cppcoreguidelines-owning-memory)
    delete x_anvil;   // NOLINT(cppcoreguidelines-owning-memory)
  }
  static Finished run(const Words& words) {
    Words all = {"chain"};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--chain", x_anvil->url(), "--json"});
    return tally(all);
  }

  static void give(const std::string& account) {
    static_cast<void>(x_anvil->rpc().call("anvil_setBalance", {account, test::quantity(~math::u128{0} >> 16)}));
  }
  static const std::string& url() { return x_anvil->url(); }
  /// Once a transaction waits at the node.
  static Finished interrupted(const Words& words) {
    test::Process process(command(words));
    EXPECT_TRUE(
        process.waits_until([] { return chain::number_of(node().rpc().call("txpool_status", {}).at("pending")) > 0; }));
    process.send(SIGTERM);
    return process.wait();
  }

  static test::Anvil& node() { return *x_anvil; }

  inline static Finished before;
  inline static Finished poor;
  inline static Finished deployed;

 private:
  inline static test::Anvil* x_anvil = nullptr;
  inline static Folder* x_folder = nullptr;
};

TEST_F(EvmCommandsTest, say_how_the_contracts_get_there) {
  EXPECT_EQ(before.exit_code, kBadInput) << before.err;
  EXPECT_NE(before.out.find("tally chain deploy"), std::string::npos) << before.out;
  ASSERT_EQ(deployed.exit_code, kFine) << deployed.err << deployed.out;
  const std::string cache = std::getenv("TALLY_CACHE");  // NOLINT(concurrency-mt-unsafe): nothing changes it
  ::setenv("TALLY_CACHE", "/proc/nowhere", 1);           // NOLINT(concurrency-mt-unsafe)
  const Finished nowhere = run({"status"});
  ::setenv("TALLY_CACHE", cache.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(nowhere.exit_code, kOutsideWorld);
  EXPECT_EQ(parsed(nowhere).at("error").as_string(), "/proc/nowhere: No such file or directory");
  const Finished status = run({"status"});
  ASSERT_EQ(status.exit_code, kFine) << status.err << status.out;
  EXPECT_EQ(parsed(status).at("contract"), parsed(deployed).at("contract"));
  EXPECT_EQ(parsed(status).at("chain_id").to_number<int>(), 31'337);
  EXPECT_EQ(run({"events"}).exit_code, kFine);
}

TEST_F(EvmCommandsTest, deploy_all_or_say_at_once_what_it_costs) {
  expect_refusal(poor, kFoundInvalid, "9 contracts are missing");
  const std::string deployer = proof::to_text(chain::development_key(0).address());
  EXPECT_NE(poor.err.find(deployer + " has 0.01 ether, and needs "), std::string::npos) << poor.err;
  const json::array contracts = parsed(deployed).at("contracts").as_array();
  ASSERT_EQ(contracts.size(), 9U);
  double gas = 0;
  for (const json::value& contract : contracts) gas += contract.at("gas").to_number<double>();
  const double told = std::strtod(poor.err.c_str() + poor.err.find("about ") + 6, nullptr);
  EXPECT_NEAR(told, gas, 0.03 * gas);
  EXPECT_EQ(contracts.back().at("address"), parsed(deployed).at("contract"));
  const Finished again = run({"deploy", "--key", "dev:0"});
  ASSERT_EQ(again.exit_code, kFine) << again.err << again.out;
  const json::array found = parsed(again).at("contracts").as_array();
  for (const json::value& contract : found) EXPECT_TRUE(contract.at("was_there").as_bool());
}

/// So that who is interrupted knows the task, and goes on with it.
TEST_F(EvmCommandsTest, tell_a_tasks_id_and_salt_before_they_create_it) {
  const Folder folder;
  const Words create{"task", "create", "fedavg", "--dim", "D=20", "--data", folder.path().string(), "--chain", url()};
  const auto with = [&](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::string creator = math::to_hex(chain::development_key(3).address().bytes);
  const Finished refused = tally(with(create, {"--key", "dev:3"}));
  expect_refusal(refused, kFoundInvalid, "InsufficientFunds");
  constexpr std::size_t kHex = 66;
  const std::size_t place = refused.err.find("--salt 0x");
  ASSERT_NE(place, std::string::npos) << refused.err;
  give(creator);
  const std::string salt = refused.err.substr(place + std::string("--salt ").size(), kHex);
  const Finished made = tally(with(create, {"--key", "dev:3", "--salt", salt, "--json"}));
  ASSERT_EQ(made.exit_code, kFine) << made.err << made.out;
  const std::string task(parsed(made).at("task").as_string());
  EXPECT_NE(refused.err.find("creating task " + task), std::string::npos) << refused.err;
  EXPECT_NE(made.err.find("creating task " + task), std::string::npos) << made.err;
}

TEST_F(EvmCommandsTest, name_what_only_embedded_chains_have) {
  for (const Words& words : {Words{"advance", "5"}, Words{"accounts"}, Words{"check"}}) {
    const Finished refused = run(words);
    EXPECT_EQ(refused.exit_code, kBadInput) << words.front();
    EXPECT_NE(refused.out.find("tally chain " + words.front() + " is for embedded chains alone"), std::string::npos)
        << refused.out;
  }
}

TEST_F(EvmCommandsTest, end_at_the_first_signal_while_a_transaction_waits_and_go_on_with_it) {
  const Folder folder;
  static_cast<void>(node().rpc().call("evm_setAutomine", {false}));
  const Words create = {"task",
                        "create",
                        "fedavg",
                        "--dim",
                        "D=20",
                        "--salt",
                        "0x" + std::string(64, '7'),
                        "--key",
                        "dev:0",
                        "--data",
                        (folder / "data").string(),
                        "--chain",
                        url()};
  const Finished ended = interrupted(create);
  EXPECT_EQ(ended.exit_code, kOutsideWorld) << ended.err << ended.out;
  EXPECT_NE(ended.err.find("interrupted: create_task, transaction 0x"), std::string::npos) << ended.err;
  static_cast<void>(node().rpc().call("evm_setAutomine", {true}));
  static_cast<void>(node().rpc().call("evm_mine", {}));
  EXPECT_EQ(tally(create).exit_code, kFine);
  const Finished events = run({"events"});
  const std::string id = ended.err.substr(ended.err.find("creating task ") + std::string("creating task ").size(), 66);
  EXPECT_NE(events.out.find(id), std::string::npos) << events.out << events.err;
}

TEST_F(EvmCommandsTest, tell_the_story_of_the_demonstration) {
  const Folder folder;
  const Finished finished = tally({"demo", (folder / "demo").string(), "--chain", "evm", "--rounds", "4", "--trainers",
                                   "12", "--malicious", "2", "--json"});
  ASSERT_EQ(finished.exit_code, kFine) << finished.err << finished.out;
  const json::object story = parsed(finished);
  std::size_t frauds = 0;
  for (const json::value& round : story.at("rounds").as_array()) {
    EXPECT_EQ(round.at("status").as_string(), "final");
    const json::value* const fraud = round.as_object().if_contains("fraud");
    if (fraud == nullptr) continue;
    ++frauds;
    EXPECT_EQ(fraud->at("status").as_string(), "invalid");
  }
  EXPECT_EQ(frauds, 3U);
  for (const json::value& account : story.at("balances").as_array()) {
    if (account.at("who").as_string() != "burned") continue;
    EXPECT_EQ(account.at("after").as_string(), "1500000000000000000");
  }
}

}  // namespace
}  // namespace tally::cli
