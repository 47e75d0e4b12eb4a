// What goes to standard output and standard error: text, JSON, nothing.
#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

class Output : public ::testing::Test {
 protected:
  Output() : x_updates(write_updates(x_folder)), x_batch((x_folder / "batch").string()) {}

  [[nodiscard]] Words aggregate(Words more) const {
    more.insert(more.begin(), {"aggregate", "--program", "median", "--updates", x_updates, "--out", x_batch});
    return more;
  }

  Folder x_folder;
  std::string x_updates;
  std::string x_batch;
};

TEST_F(Output, quiet_prints_nothing_on_success) {
  const auto silent = [](const Words& words) {
    const Finished finished = tally(words);
    EXPECT_EQ(finished.exit_code, kFine);
    EXPECT_EQ(finished.out, "") << words.front();
    EXPECT_EQ(finished.err, "") << words.front();
  };
  silent(aggregate({"--quiet"}));
  silent({"verify", x_batch, "-q"});
  silent({"inspect", x_batch, "--quiet"});
  silent({"program", "check", "median", "--quiet"});
}

TEST_F(Output, quiet_still_prints_errors_and_findings) {
  expect_refusal(tally(aggregate({"--quiet", "--dim", "D=3"})), kBadInput, "--dim D=3");
  ASSERT_EQ(tally(aggregate({"--quiet"})).exit_code, kFine);
  edit(std::filesystem::path(x_batch) / "tables/next_model.bin", [](std::string& bytes) { bytes[0] ^= 1; });
  const Finished finished = tally({"verify", x_batch, "--quiet"});
  EXPECT_EQ(finished.exit_code, kFoundInvalid);
  EXPECT_TRUE(finished.out.starts_with("INVALID\n  entry: next_model[0]")) << finished.out;
}

TEST_F(Output, the_only_warning_is_about_development_keys) {
  const Finished finished = tally(aggregate({}));
  EXPECT_EQ(finished.exit_code, kFine);
  EXPECT_EQ(
      finished.err,
      "warning: updates are signed by development keys, which anyone can derive; give --keys DIR for real ones\n");
  EXPECT_NE(finished.out.find("\nfiles  " + x_batch + "\nmodel  " + x_batch + "/model.npy\n"), std::string::npos)
      << finished.out;
}

TEST_F(Output, aggregate_tells_scripts_what_it_made) {
  const Finished finished = tally(aggregate({"--json"}));
  EXPECT_EQ(finished.exit_code, kFine);
  EXPECT_EQ(finished.err, "");
  const json::object made = parsed(finished);
  EXPECT_EQ(made.at("program"), "median");
  EXPECT_EQ(made.at("records"), kClients);
  EXPECT_EQ(made.at("directory").as_string(), x_batch);
  EXPECT_EQ(made.at("model").as_string(), x_batch + "/model.npy");
  EXPECT_EQ(made.at("row_bytes"), kClients * 300 * 4);
  EXPECT_EQ(made.at("batch_id"), json::parse(read_text(x_batch + "/manifest.json")).at("batch_id"));
  for (const char* part : {"wall", "read", "quantise", "hash", "fold", "write"}) {
    EXPECT_GE(made.at("microseconds").at(part).to_number<std::int64_t>(), 0) << part;
  }
}

TEST_F(Output, errors_are_json_for_scripts_wrong_usage_too) {
  const std::vector<std::pair<Words, int>> cases = {
      {aggregate({"--json", "--dim", "D=3"}), kBadInput},
      {aggregate({"--json", "--nonsense"}), kBadInput},
      {aggregate({"--nonsense", "--json"}), kBadInput},
      {{"program", "check", "none.tally", "--json"}, kBadInput},
      {{"verify", "none", "--json"}, kBadInput},
      {{"receipt", "--check", x_updates + "/client0.npy", "--json"}, kFoundInvalid},
  };
  for (const auto& [words, exit_code] : cases) {
    const Finished finished = tally(words);
    EXPECT_EQ(finished.exit_code, exit_code);
    EXPECT_EQ(finished.err, "");
    const json::object error = parsed(finished);
    EXPECT_EQ(error.at("exit_code"), exit_code);
    EXPECT_FALSE(error.at("error").as_string().empty());
  }
}

TEST_F(Output, help_says_what_exit_codes_mean) {
  const Finished help = tally({"--help"});
  EXPECT_EQ(help.exit_code, kFine);
  EXPECT_NE(help.out.find("Exit codes: 0 fine, 1 found invalid, 2 usage or bad input, 3 the outside world failed"),
            std::string::npos);
  for (const std::string subcommand : {"keygen", "address", "program", "aggregate", "verify", "inspect", "receipt"}) {
    EXPECT_NE(help.out.find("\n  " + subcommand), std::string::npos) << subcommand;
    EXPECT_EQ(tally({subcommand, "--help"}).exit_code, kFine);
  }
}

}  // namespace
}  // namespace tally::cli
