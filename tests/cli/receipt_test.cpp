// `tally receipt`: made for each participant, checked, and refused when any part is changed.
#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Receipt : public ::testing::Test {
 protected:
  Receipt() : x_batch(make_batch(x_folder, {"--program", "fedavg", "--examples", "3"})) {}

  /// The address of a record, from records.bin.
  [[nodiscard]] std::string signer(std::size_t record) const {
    const std::string bytes = read_text(x_batch / "records.bin").substr(record * 141, 20);
    std::string text = "0x";
    for (const char byte : bytes) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      text += kDigits[static_cast<unsigned char>(byte) >> 4];
      text += kDigits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
  }

  [[nodiscard]] std::string make(std::size_t record) const {
    const Finished made = tally({"receipt", x_batch.string(), "--signer", signer(record)});
    EXPECT_EQ(made.exit_code, kFine) << made.err;
    return made.out;
  }

  [[nodiscard]] Finished check(const std::string& receipt, const Words& more = {}) const {
    Words words = {"receipt", "--check", x_folder.put("receipt.json", receipt).string()};
    words.insert(words.end(), more.begin(), more.end());
    return tally(words);
  }

  [[nodiscard]] std::string batch_id() const {
    return std::string(json::parse(read_text(x_batch / "manifest.json")).at("batch_id").as_string());
  }

  Folder x_folder;
  fs::path x_batch;
};

TEST_F(Receipt, every_participant_gets_one_that_checks) {
  for (std::size_t record = 0; record < kClients; ++record) {
    const Finished checked = check(make(record), {"--batch-id", batch_id(), "--json"});
    EXPECT_EQ(checked.exit_code, kFine) << checked.out;
    const json::object report = parsed(checked);
    EXPECT_EQ(report.at("valid"), true);
    EXPECT_EQ(report.at("index"), record);
    EXPECT_EQ(report.at("batch_id").as_string(), batch_id());
    std::string who(report.at("signer").as_string());
    std::ranges::transform(who, who.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_EQ(who, signer(record));
  }
}

TEST_F(Receipt, goes_to_a_file_where_one_is_named_and_needs_nothing_else_to_check) {
  const std::string file = (x_folder / "mine.json").string();
  const Finished made = tally({"receipt", x_batch.string(), "--signer", signer(3), "--out", file});
  EXPECT_EQ(made.exit_code, kFine) << made.err;
  EXPECT_NE(made.out.find("receipt of record 3 in batch " + batch_id()), std::string::npos) << made.out;
  EXPECT_EQ(read_text(file), make(3));
  fs::remove_all(x_batch);
  const Finished checked = tally({"receipt", "--check", file});
  EXPECT_EQ(checked.exit_code, kFine) << checked.err;
  EXPECT_NE(checked.out.find(" signed record 3 of 8 in batch "), std::string::npos) << checked.out;
}

TEST_F(Receipt, a_change_of_any_field_is_found) {
  const std::string good = make(5);
  const json::object fields = json::parse(good).as_object();
  EXPECT_EQ(fields.size(), 10U);
  for (const auto& [key, value] : fields) {
    const std::size_t at = good.find("\"" + std::string(key) + "\": ");
    ASSERT_NE(at, std::string::npos);
    std::string changed = good;
    // The first digit after the key that is not of "0x" changes to another.
    const std::size_t digit =
        value.is_number() ? good.find_first_of("0123456789", at + key.size() + 3) : good.find("0x", at) + 2 + 30;
    changed[digit] = good[digit] == '1' ? '2' : '1';
    const Finished checked = check(changed);
    EXPECT_EQ(checked.exit_code, kFoundInvalid) << key << ": " << checked.out;
    EXPECT_NE(checked.err.find("receipt.json: "), std::string::npos) << checked.err;
  }
}

TEST_F(Receipt, every_digit_of_the_record_and_the_path_counts) {
  const std::string good = make(2);
  const std::size_t record = good.find("\"record\": \"0x") + 13;
  for (std::size_t at = record; at < record + 2 * 141; at += 7) {
    std::string changed = good;
    changed[at] = good[at] == 'a' ? 'b' : 'a';
    EXPECT_EQ(check(changed).exit_code, kFoundInvalid) << at - record;
  }
  const std::size_t path = good.find("\"path\"");
  for (std::size_t at = good.find("0x", path); at != std::string::npos; at = good.find("0x", at + 1)) {
    std::string changed = good;
    changed[at + 65] = good[at + 65] == 'a' ? 'b' : 'a';
    expect_refusal(check(changed), kFoundInvalid,
                   "the path does not lead from the record to the header's records_root");
  }
}

TEST_F(Receipt, is_for_one_batch_only) {
  const std::string other = "0x" + std::string(64, '7');
  expect_refusal(check(make(0), {"--batch-id", other}), kFoundInvalid,
                 "it is for batch " + batch_id() + ", not " + other);
}

TEST_F(Receipt, refuses_wrong_usage) {
  const std::string batch = x_batch.string();
  expect_refusal(tally({"receipt", batch, "--signer", "0x" + std::string(39, '0') + "1"}), kBadInput,
                 "no record of this batch is from 0x0000000000000000000000000000000000000001");
  expect_refusal(tally({"receipt", batch, "--signer", "alice"}), kBadInput, "--signer alice: ");
  expect_refusal(tally({"receipt", batch}), kBadInput, "give a batch directory and --signer ADDRESS");
  expect_refusal(tally({"receipt", (x_folder / "none").string(), "--signer", signer(0)}), kBadInput,
                 "none/manifest.json: no such file");
  expect_refusal(tally({"receipt", "--check", (x_folder / "none").string()}), kBadInput, "none: no such file");
  expect_refusal(tally({"receipt", "--batch-id", batch_id(), batch, "--signer", signer(0)}), kBadInput, "--check");
  expect_refusal(tally({"receipt", batch, "--check", "x.json"}), kBadInput, "--check");
}

TEST_F(Receipt, is_not_made_of_a_record_that_is_not_good) {
  edit(x_batch / "records.bin", [](std::string& bytes) { bytes[141 + 70] ^= 1; });
  const Finished made = tally({"receipt", x_batch.string(), "--signer", signer(1)});
  expect_refusal(made, kBadInput, "the batch's record is not good: ");
}

}  // namespace
}  // namespace tally::cli
