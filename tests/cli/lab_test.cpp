#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

TEST(Lab, a_dispute_at_a_thousand_clients_takes_five_transactions_and_at_most_8_kib) {
  const Finished run =
      tally({"lab", "dispute", "--clients", "1000", "--parameters", "1000,10000000", "--arity", "32", "--json"});
  ASSERT_EQ(run.exit_code, kFine) << run.err;
  const boost::json::object result = parsed(run);
  const boost::json::array& disputes = result.at("disputes").as_array();
  ASSERT_EQ(disputes.size(), 2U);
  for (const boost::json::value& dispute : disputes) {
    EXPECT_EQ(dispute.at("transactions").to_number<int>(), 5);
    EXPECT_LE(dispute.at("total_bytes").to_number<int>(), 8 * 1024);
  }
}

TEST(Lab, csv_has_one_line_for_each_combination) {
  const Finished run = tally(
      {"lab", "dispute", "--clients", "2,3", "--parameters", "5", "--arity", "2,4", "--leaf-bytes", "64,128", "--csv"});
  ASSERT_EQ(run.exit_code, kFine) << run.err;
  EXPECT_EQ(std::ranges::count(run.out, '\n'), 1 + 2 * 2 * 2);
  EXPECT_TRUE(run.out.starts_with("clients,parameters,arity,leaf_bytes,transactions,rounds,challenger_bytes,"));
  EXPECT_NE(run.out.find("\n2,5,2,64,"), std::string::npos);
}

TEST(Lab, refuses_sizes_that_no_task_has) {
  for (const Words& bad : std::vector<Words>{{"--clients", "0"},
                                             {"--parameters", "0"},
                                             {"--arity", "1"},
                                             {"--arity", "65"},
                                             {"--leaf-bytes", "100"},
                                             {"--leaf-bytes", "8192"}}) {
    Words words{"lab", "dispute"};
    words.insert(words.end(), bad.begin(), bad.end());
    EXPECT_EQ(tally(words).exit_code, kBadInput) << bad[0] << " " << bad[1];
  }
}

}  // namespace
}  // namespace tally::cli
