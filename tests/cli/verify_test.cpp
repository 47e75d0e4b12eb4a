// What `tally verify` says about batches that someone touched.
#include <functional>

#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kRecordBytes = 20 + 8 + 8 + 32 + 8 + 65;  // one row, one field
constexpr std::size_t kFieldOffset = 20 + 8 + 8 + 32;

class Verify : public ::testing::Test {
 protected:
  Verify() : x_batch(make_batch(x_folder, {"--program", "fedavg", "--examples", "3"})) {}

  [[nodiscard]] Finished verify(Words flags = {}) const {
    flags.insert(flags.begin(), {"verify", x_batch.string()});
    return tally(flags);
  }

  /// The text of a batch that is invalid: its first finding.
  void expect_finding(const std::string& finding) const {
    const Finished finished = verify();
    EXPECT_EQ(finished.exit_code, kFoundInvalid);
    EXPECT_EQ(finished.err, "");
    EXPECT_TRUE(finished.out.starts_with("INVALID\n  " + finding))
        << "expected: " << finding << "\nfound: " << finished.out;
    EXPECT_EQ(std::ranges::count(finished.out, '\n'), 2) << finished.out;
  }

  /// Adds `by` to the i32 at `index` of a file; gives what was there.
  [[nodiscard]] std::int32_t forge(const std::string& file, std::size_t index, std::int32_t by = 1) const {
    std::int32_t value = 0;
    edit(x_batch / file, [&](std::string& bytes) {
      std::memcpy(&value, bytes.data() + 4 * index, 4);
      const std::int32_t forged = value + by;
      std::memcpy(bytes.data() + 4 * index, &forged, 4);
    });
    return value;
  }

  /// Runs `check` on the batch after each change, and puts the file back.
  void with_each(const std::vector<std::pair<std::string, std::function<void(std::string&)>>>& changes,
                 const std::function<void(const std::string&)>& check) const {
    for (const auto& [file, change] : changes) {
      const std::string before = read_text(x_batch / file);
      edit(x_batch / file, change);
      check(file);
      write_text(x_batch / file, before);
    }
    EXPECT_EQ(verify().exit_code, kFine);
  }

  Folder x_folder;
  fs::path x_batch;
};

TEST_F(Verify, names_the_first_forged_number_with_its_index_and_both_values) {
  const std::int32_t second = forge("tables/next_model.bin", 250, -7);
  const std::int32_t first = forge("tables/next_model.bin", 17);
  const std::string says =
      "next_model[17] is " + std::to_string(first + 1) + ", but its fold gives " + std::to_string(first);
  expect_finding("entry: " + says + "\n");
  const json::object report = parsed(verify({"--json"}));
  EXPECT_EQ(report.at("valid"), false);
  ASSERT_EQ(report.at("findings").as_array().size(), 1U);
  EXPECT_EQ(report.at("findings").at(0), json::value({{"kind", "entry"},
                                                      {"message", says},
                                                      {"name", "next_model"},
                                                      {"table", "next_model"},
                                                      {"index", json::array{17}},
                                                      {"entry", 17},
                                                      {"committed", std::to_string(first + 1)},
                                                      {"right", std::to_string(first)}}));
  const Finished all = verify({"--all"});
  EXPECT_EQ(all.exit_code, kFoundInvalid);
  EXPECT_NE(all.out.find("entry: next_model[250] is " + std::to_string(second - 7) + ", but its fold gives " +
                         std::to_string(second)),
            std::string::npos)
      << all.out;
  EXPECT_NE(all.out.find("tables_root: "), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("model: model.npy"), std::string::npos) << all.out;
  const json::object every = parsed(verify({"--all", "--json"}));
  EXPECT_GE(every.at("findings").as_array().size(), 4U);
  EXPECT_EQ(every.at("truncated"), false);
  const json::object bounded = parsed(verify({"--all", "--max-findings", "1", "--json"}));
  EXPECT_EQ(bounded.at("findings").as_array().size(), 1U);
  EXPECT_EQ(bounded.at("truncated"), true);
}

TEST_F(Verify, an_earlier_table_comes_before_a_later_one) {
  static_cast<void>(forge("tables/next_model.bin", 0));
  edit(x_batch / "tables/total.bin", [](std::string& bytes) { ++bytes[0]; });
  expect_finding("entry: total is 25, but its fold gives 24\n");
}

TEST_F(Verify, forged_advice_makes_the_entry_that_checks_it_fail) {
  static_cast<void>(make_batch(x_folder, {"--program", "median", "--replace"}));
  EXPECT_EQ(verify().exit_code, kFine);
  static_cast<void>(forge("tables/lower.bin", 42));
  const Finished finished = verify();
  EXPECT_EQ(finished.exit_code, kFoundInvalid);
  EXPECT_NE(finished.out.find("entry: next_model[42] is "), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("but its fold is FAIL"), std::string::npos) << finished.out;
  const json::object report = parsed(verify({"--json"}));
  EXPECT_EQ(report.at("findings").at(0).at("right"), "FAIL");
}

TEST_F(Verify, forged_pairs_have_two_indices) {
  static_cast<void>(make_batch(x_folder, {"--program", "krum", "--param", "f=1", "--replace"}));
  edit(x_batch / "tables/distance.bin", [](std::string& bytes) { ++bytes[16 * (2 * kClients + 5)]; });
  const json::object report = parsed(verify({"--json"}));
  EXPECT_EQ(report.at("findings").at(0).at("table"), "distance");
  EXPECT_EQ(report.at("findings").at(0).at("index"), json::value({2, 5}));
}

TEST_F(Verify, names_the_record_that_was_edited_and_why) {
  const auto record_byte = [](std::size_t record, std::size_t offset) {
    return [=](std::string& bytes) { bytes[record * kRecordBytes + offset] ^= 1; };
  };
  with_each({{"records.bin", record_byte(2, kFieldOffset + 7)},
             {"records.bin", record_byte(5, kRecordBytes - 30)}},  // in the signature
            [&](const std::string&) {
              const Finished finished = verify();
              EXPECT_EQ(finished.exit_code, kFoundInvalid);
              EXPECT_NE(finished.out.find("record_signature: record "), std::string::npos) << finished.out;
            });
  edit(x_batch / "records.bin", record_byte(2, kFieldOffset + 7));
  const json::object report = parsed(verify({"--json"}));
  EXPECT_EQ(report.at("findings").at(0).at("record"), 2);
  EXPECT_EQ(report.at("findings").at(0).at("kind"), "record_signature");
}

TEST_F(Verify, names_records_that_were_swapped_doubled_or_renumbered) {
  with_each({{"records.bin",
              [](std::string& bytes) {
                const std::string first = bytes.substr(0, kRecordBytes);
                bytes = bytes.substr(kRecordBytes, kRecordBytes) + first + bytes.substr(2 * kRecordBytes);
              }},
             {"records.bin",
              [](std::string& bytes) { bytes.replace(kRecordBytes, kRecordBytes, bytes.substr(0, kRecordBytes)); }}},
            [&](const std::string&) {
              const json::object report = parsed(verify({"--json", "--all"}));
              bool order = false;
              for (const json::value& finding : report.at("findings").as_array()) {
                order = order || (finding.at("kind") == "record_order" && finding.at("record") == 1);
              }
              EXPECT_TRUE(order) << json::serialize(report);
            });
  edit(x_batch / "records.bin", [](std::string& bytes) { bytes[4 * kRecordBytes + 27] ^= 1; });
  expect_finding("record_signer: record 4 (0x");
}

TEST_F(Verify, names_the_row_or_state_that_is_not_what_was_signed) {
  static_cast<void>(forge("rows/updates/3.bin", 299));
  expect_finding("row: row updates of record 3 is not what the record commits to and its signer signed\n");
  static_cast<void>(forge("rows/updates/3.bin", 299, -1));
  static_cast<void>(forge("state/model.bin", 0));
  expect_finding("state: the data of model is not what the header's prev_state_root commits to\n");
}

TEST_F(Verify, a_file_that_is_cut_lengthened_or_gone_is_named) {
  const auto files = contents_of(x_batch);
  EXPECT_EQ(files.size(), 5U + 1 + 8 + 1 + 2);  // the five, the model, rows, state, tables
  for (const auto& [file, bytes] : files) {
    const std::string name = fs::path(file).filename().string();
    for (const std::string& changed : {bytes.substr(0, bytes.size() - 1), bytes + '\0', std::string()}) {
      write_text(x_batch / file, changed);
      const Finished finished = verify();
      EXPECT_EQ(finished.exit_code, kFoundInvalid) << file;
      EXPECT_NE(finished.out.find(name), std::string::npos) << file << ": " << finished.out;
    }
    fs::remove(x_batch / file);
    const Finished finished = verify();
    if (file == "manifest.json") {
      EXPECT_EQ(finished.exit_code, kBadInput) << "no batch at all";
    } else if (file.starts_with("model.")) {
      EXPECT_EQ(finished.exit_code, kFine) << "a convenience, which may be left out of what is sent to others";
    } else {
      EXPECT_EQ(finished.exit_code, kFoundInvalid) << file;
      EXPECT_NE(finished.out.find(name + ": no such file"), std::string::npos) << finished.out;
    }
    write_text(x_batch / file, bytes);
  }
  EXPECT_EQ(verify().exit_code, kFine);
}

TEST_F(Verify, says_how_many_bytes_a_data_file_should_have) {
  fs::resize_file(x_batch / "rows/updates/6.bin", 1199);
  expect_finding("file: " + (x_batch / "rows/updates/6.bin").string() + ": 1199 bytes instead of 1200\n");
  const json::object report = parsed(verify({"--json"}));
  EXPECT_EQ(report.at("findings").at(0).at("record"), 6);
}

TEST_F(Verify, finds_a_flipped_bit_in_every_part_of_the_description) {
  for (const std::string file : {"manifest.json", "program.tally", "program.bin", "header.bin"}) {
    const std::string bytes = read_text(x_batch / file);
    for (std::size_t at = 0; at < bytes.size(); at += std::max<std::size_t>(1, bytes.size() / 12)) {
      std::string changed = bytes;
      changed[at] ^= 1;
      write_text(x_batch / file, changed);
      const Finished finished = verify();
      EXPECT_EQ(finished.exit_code, kFoundInvalid) << file << " byte " << at;
      EXPECT_TRUE(finished.out.starts_with("INVALID\n")) << finished.out;
    }
    write_text(x_batch / file, bytes);
  }
  edit(x_batch / "program.tally", [](std::string& bytes) { bytes[2] ^= 1; });
  expect_finding("program: program.tally is not the text whose SHA-256 the manifest gives\n");
}

TEST_F(Verify, a_changed_model_file_is_found) {
  edit(x_batch / "model.npy", [](std::string& bytes) { bytes.back() ^= 1; });
  expect_finding("model: ");
}

TEST_F(Verify, a_valid_batch_in_json) {
  const Finished finished = verify({"--json", "--threads", "2"});
  EXPECT_EQ(finished.exit_code, kFine);
  const json::object report = parsed(finished);
  EXPECT_EQ(report.at("valid"), true);
  EXPECT_EQ(report.at("program"), "fedavg");
  EXPECT_EQ(report.at("entries_compared"), 301);
  EXPECT_EQ(report.at("row_bytes"), 9600);
  EXPECT_EQ(report.at("findings"), json::array{});
  EXPECT_EQ(report.at("batch_id"), json::parse(read_text(x_batch / "manifest.json")).at("batch_id"));
}

TEST_F(Verify, refuses_folders_that_are_not_there) {
  expect_refusal(tally({"verify", (x_folder / "none").string()}), kBadInput, "none: no such batch directory");
  // As inspect says it. A manifest that is there and damaged is a finding.
  const Finished no_batch = tally({"verify", x_folder.path().string()});
  expect_refusal(no_batch, kBadInput, "manifest.json: no such file; is " + x_folder.path().string() + " a batch");
  EXPECT_EQ(no_batch.err, tally({"inspect", x_folder.path().string()}).err);
  write_text(x_batch / "manifest.json", "");
  EXPECT_EQ(verify().exit_code, kFoundInvalid);
  expect_refusal(tally({"verify"}), kBadInput, "directory is required");
}

TEST_F(Verify, inspect_summarises_without_checking) {
  static_cast<void>(forge("tables/next_model.bin", 17));
  const Finished finished = tally({"inspect", x_batch.string()});
  EXPECT_EQ(finished.exit_code, kFine) << finished.err;
  for (const std::string line :
       {"program     fedavg\n", "dims        K=8 D=300\n", "field       examples of each record\n",
        "row         updates: i32[300] of each record\n", "state       model: i32[300]\n", "table       total: i64\n",
        "table       next_model: i32[300]\n", "next        model = next_model\n", "batch       1, 8 records\n",
        "model       model.npy\n"}) {
    EXPECT_NE(finished.out.find(line), std::string::npos) << line << finished.out;
  }
  const Finished as_json = tally({"inspect", x_batch.string(), "--json"});
  EXPECT_EQ(as_json.exit_code, kFine);
  EXPECT_EQ(parsed(as_json), json::parse(read_text(x_batch / "manifest.json")).as_object());
}

TEST_F(Verify, names_in_a_manifest_do_not_reach_the_terminal_as_commands) {
  edit(x_batch / "manifest.json", [](std::string& text) {
    const std::string name = "\"program\": \"fedavg";
    text.replace(text.find(name), name.size(), "\"program\": \"fed\\u001b[2J");
  });
  const Finished finished = tally({"inspect", x_batch.string()});
  EXPECT_EQ(finished.exit_code, kFine) << finished.err;
  EXPECT_TRUE(finished.out.starts_with("program     fed\\x1b[2J\n")) << finished.out;
  EXPECT_EQ(verify().out.find('\x1b'), std::string::npos);
}

TEST_F(Verify, inspect_refuses_what_is_no_batch) {
  expect_refusal(tally({"inspect", x_folder.path().string()}), kBadInput, "manifest.json: no such file");
  edit(x_batch / "manifest.json", [](std::string& text) { text.insert(1, " "); });
  expect_refusal(tally({"inspect", x_batch.string()}), kFoundInvalid, "manifest.json: ");
}

}  // namespace
}  // namespace tally::cli
