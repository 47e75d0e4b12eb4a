#include <cstdlib>

#include "tests/cli/tally.h"
#include "tests/support/anvil.h"

namespace tally::cli {
namespace {

class LabGas : public ::testing::Test {
 protected:
  void SetUp() override { set_anvil(test::anvil_program().string()); }
  void TearDown() override { ::unsetenv("TALLY_ANVIL"); }  // NOLINT(concurrency-mt-unsafe): before any thread
  static void set_anvil(const std::string& program) {
    ::setenv("TALLY_ANVIL", program.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  }
};

TEST_F(LabGas, is_the_same_each_time_and_grows_with_leaves_and_moves) {
  const Words words{"lab", "gas", "--clients", "4,100", "--parameters", "5000", "--leaf-bytes", "64,1024", "--csv"};
  const Finished run = tally(words);
  ASSERT_EQ(run.exit_code, kFine) << run.err;
  EXPECT_TRUE(run.out.starts_with("clients,parameters,arity,leaf_bytes,transactions,open_gas,"));
  EXPECT_EQ(std::ranges::count(run.out, '\n'), 1 + 2 * 2);
  EXPECT_EQ(tally(words).out, run.out);
}

/// Whatever else is in the lists.
TEST_F(LabGas, is_the_same_alone_as_among_others) {
  const Words words{"lab", "gas", "--clients", "4", "--parameters", "5000", "--csv", "--leaf-bytes"};
  const auto run = [&](const std::string& leaves) {
    Words all = words;
    all.push_back(leaves);
    return tally(all).out;
  };
  const std::string among = run("64,4096,256");
  const std::string alone = run("256");
  EXPECT_EQ(among.substr(among.rfind('\n', among.size() - 2)), alone.substr(alone.rfind('\n', alone.size() - 2)));
}

TEST_F(LabGas, shows_disputes_of_any_rule) {
  const Finished run = tally({"lab", "gas", "--program", "trimmed_mean", "--param", "cut=2", "--clients", "9",
                              "--parameters", "100", "--leaf-bytes", "256", "--json"});
  ASSERT_EQ(run.exit_code, kFine) << run.err;
  const boost::json::object dispute = parsed(run).at("disputes").as_array().at(0).as_object();
  EXPECT_EQ(dispute.at("gas").to_number<int>(),
            dispute.at("challenger_gas").to_number<int>() + dispute.at("poster_gas").to_number<int>());
  EXPECT_GT(dispute.at("proof_gas").to_number<int>(), 50'000);
}

TEST_F(LabGas, shows_single_transactions_with_their_goals) {
  const Finished run = tally({"lab", "gas", "--transactions", "--json"});
  ASSERT_EQ(run.exit_code, kFine) << run.err;
  const boost::json::object result = parsed(run);
  const boost::json::array& rows = result.at("transactions").as_array();
  EXPECT_EQ(rows.size(), 18U);
  for (const boost::json::value& row : rows) EXPECT_GT(row.at("gas").to_number<int>(), 4'000);
}

TEST_F(LabGas, refuses_what_it_cannot_play_and_says_what_is_missing) {
  EXPECT_EQ(tally({"lab", "gas", "--dim", "Z=3"}).exit_code, kBadInput);
  for (const char* const flag : {"--leaf-bytes", "--clients", "--arity"})
    expect_refusal(tally({"lab", "gas", "--transactions", flag, "64"}), kBadInput,
                   std::string(flag) + " excludes --transactions");
  EXPECT_EQ(tally({"lab", "gas", "--program", "none_of_these"}).exit_code, kBadInput);
  EXPECT_EQ(tally({"lab", "gas", "--program", "krum", "--param", "f=9", "--clients", "2"}).exit_code, kBadInput);
  set_anvil("/nowhere/anvil");
  const Finished run = tally({"lab", "gas"});
  EXPECT_EQ(run.exit_code, kBadInput);
  EXPECT_NE(run.err.find("TALLY_ANVIL"), std::string::npos);
}

TEST_F(LabGas, says_what_a_node_said_that_does_not_start) {
  const Folder folder;
  const auto start = [&](const std::string& script) {
    const std::filesystem::path program = folder.put("anvil", script);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    set_anvil(program.string());
    return tally({"lab", "gas"});
  };
  expect_refusal(start("#!/bin/sh\necho no room for $2\nexit 1\n"), kOutsideWorld,
                 "ended at once, and said:\nno room for 0\n");
  expect_refusal(start("#!/nowhere/sh\n"), kOutsideWorld, "cannot be run, and said nothing");
}

}  // namespace
}  // namespace tally::cli
