#include "verifier/replay/verify_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/keys/development_keys.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/eip712.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

using test::build;
using test::forge_table;
using test::read_bytes;
using test::recommit;
using test::TemporaryFolder;
using test::TestBatch;
using test::verify;
using test::write_bytes;

// Bytes of a record of fedavg: address, member, nonce, one row, one field, signature.
constexpr std::size_t kRecordBytes = 20 + 8 + 8 + 32 + 8 + 65;

std::string first_message(const VerifyReport& report) {
  return report.findings.empty() ? "nothing is wrong" : report.findings.front().message;
}

/// A fedavg batch on disk.
class VerifyBatch : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(build(x_batch.inputs(), x_path).has_value()); }

  [[nodiscard]] VerifyReport verify_all() const { return verify(x_path, Findings::kAll); }

  TemporaryFolder x_folder;
  TestBatch x_batch{"fedavg"};
  std::filesystem::path x_path = x_folder.path() / "batch";
};

TEST_F(VerifyBatch, finds_nothing_wrong_with_what_was_built) {
  const VerifyReport report = verify(x_path);
  EXPECT_TRUE(report.findings.empty()) << first_message(report);
  EXPECT_EQ(report.entries, 6U);
  ASSERT_TRUE(report.manifest.has_value());
  EXPECT_EQ(report.manifest->shape.program, "fedavg");
}

TEST_F(VerifyBatch, refuses_each_flipped_byte_of_each_file) {
  std::size_t flips = 0;
  for (const auto& [name, good] : test::read_folder(x_path)) {
    for (std::size_t i = 0; i < good.size(); ++i, ++flips) {
      test::write_byte(x_path / name, i, static_cast<std::uint8_t>(good[i] ^ (1U << (i % 8))));
      ASSERT_FALSE(verify(x_path).findings.empty()) << name << " byte " << i;
      test::write_byte(x_path / name, i, good[i]);
    }
  }
  EXPECT_GT(flips, 4000U);
  EXPECT_TRUE(verify(x_path).findings.empty());
}

TEST_F(VerifyBatch, refuses_each_file_that_is_cut_longer_missing_or_a_folder) {
  for (const auto& [name, good] : test::read_folder(x_path)) {
    std::vector<std::uint8_t> bytes = good;
    bytes.pop_back();
    write_bytes(x_path / name, bytes);
    EXPECT_FALSE(verify(x_path).findings.empty()) << name;
    bytes = good;
    bytes.push_back(0);
    write_bytes(x_path / name, bytes);
    EXPECT_FALSE(verify(x_path).findings.empty()) << name;
    write_bytes(x_path / name, {});
    EXPECT_FALSE(verify(x_path).findings.empty()) << name;
    std::filesystem::remove(x_path / name);
    // Without its model file, a batch is as good as before.
    EXPECT_EQ(verify(x_path).findings.empty(), name == "model.npy") << name;
    std::filesystem::create_directory(x_path / name);
    EXPECT_FALSE(verify(x_path).findings.empty()) << name;
    std::filesystem::remove(x_path / name);
    write_bytes(x_path / name, good);
  }
  EXPECT_EQ(verify(x_folder.path() / "nowhere").findings.at(0).kind, FindingKind::kFile);
}

TEST_F(VerifyBatch, says_what_is_wrong_where_a_file_is_shortened_while_it_is_read) {
  math::ThreadPool pool(1);
  VerifyOptions options;
  options.pool = &pool;
  options.progress = [&](std::string_view, std::uint64_t done, std::uint64_t) {
    if (done == 0) std::filesystem::resize_file(x_path / "rows/updates/1.bin", 0);
  };
  const VerifyReport report = verify_batch(x_path, options);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings.front().kind, FindingKind::kRow) << first_message(report);
}

TEST_F(VerifyBatch, names_the_first_entry_that_is_not_its_fold) {
  forge_table(x_path, x_batch.program(), "next_model", 3, 7);
  const VerifyReport report = verify(x_path);
  ASSERT_EQ(report.findings.size(), 1U);
  const Finding& finding = report.findings.front();
  EXPECT_EQ(finding.kind, FindingKind::kEntry);
  EXPECT_EQ(finding.name, "next_model");
  EXPECT_EQ(finding.index, std::vector<std::uint64_t>{3});
  EXPECT_EQ(finding.committed.value(), finding.right.value() + 7);

  // A smaller entry takes its place; `total` also changes what next_model should be.
  forge_table(x_path, x_batch.program(), "next_model", 1, -1);
  EXPECT_EQ(verify(x_path).findings.at(0).entry, 1U);
  forge_table(x_path, x_batch.program(), "total", 0, 1);
  EXPECT_EQ(verify(x_path).findings.at(0).name, "total");
  EXPECT_TRUE(verify(x_path).findings.at(0).index.empty());
  EXPECT_GE(verify_all().findings.size(), 3U);
}

TEST_F(VerifyBatch, names_a_flipped_number_that_nobody_committed_to) {
  std::vector<std::uint8_t> bytes = read_bytes(x_path / "tables/next_model.bin");
  bytes[4 * 2] ^= 1;
  write_bytes(x_path / "tables/next_model.bin", bytes);
  const VerifyReport report = verify_all();
  ASSERT_GE(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kEntry);
  EXPECT_EQ(report.findings[0].entry, 2U);
  EXPECT_EQ(report.findings[1].kind, FindingKind::kTablesRoot);
}

TEST_F(VerifyBatch, finds_records_out_of_order_and_doubled) {
  const std::vector<std::uint8_t> good = read_bytes(x_path / "records.bin");
  ASSERT_EQ(good.size(), 3 * kRecordBytes);
  std::vector<std::uint8_t> bytes = good;
  std::swap_ranges(bytes.begin(), bytes.begin() + kRecordBytes, bytes.begin() + kRecordBytes);
  write_bytes(x_path / "records.bin", bytes);
  recommit(x_path, x_batch.program());
  std::vector<Finding> findings = verify_all().findings;
  EXPECT_TRUE(std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.kind == FindingKind::kRecordOrder && finding.record == 1U;
  }));

  bytes = good;
  std::copy_n(good.begin() + kRecordBytes, kRecordBytes, bytes.begin() + 2 * kRecordBytes);
  write_bytes(x_path / "records.bin", bytes);
  std::filesystem::copy_file(x_path / "rows/updates/1.bin", x_path / "rows/updates/2.bin",
                             std::filesystem::copy_options::overwrite_existing);
  recommit(x_path, x_batch.program());
  findings = verify(x_path).findings;
  EXPECT_EQ(findings.at(0).kind, FindingKind::kRecordOrder);
  EXPECT_EQ(findings.at(0).record, 2U);
}

TEST_F(VerifyBatch, finds_what_the_signer_did_not_sign) {
  const std::vector<std::uint8_t> good = read_bytes(x_path / "records.bin");
  struct Case {
    std::size_t place;  // within the record
    FindingKind kind;
  };
  // Address, member, nonce, row commitment, field, signature.
  for (const Case& c : {Case{5, FindingKind::kRecordSignature}, Case{27, FindingKind::kRecordSigner},
                        Case{35, FindingKind::kRecordSigner}, Case{40, FindingKind::kRecordSignature},
                        Case{75, FindingKind::kRecordSignature}, Case{100, FindingKind::kRecordSignature}}) {
    std::vector<std::uint8_t> bytes = good;
    bytes[kRecordBytes + c.place] ^= 1;
    write_bytes(x_path / "records.bin", bytes);
    recommit(x_path, x_batch.program());
    const VerifyReport report = verify(x_path);
    ASSERT_EQ(report.findings.size(), 1U) << c.place;
    EXPECT_EQ(report.findings[0].kind, c.kind) << first_message(report);
    EXPECT_EQ(report.findings[0].record, 1U);
  }
}

TEST_F(VerifyBatch, blames_a_changed_row_and_not_the_entries_that_follow_from_it) {
  std::vector<std::uint8_t> bytes = read_bytes(x_path / "rows/updates/2.bin");
  bytes[2] ^= 64;
  write_bytes(x_path / "rows/updates/2.bin", bytes);
  const VerifyReport report = verify(x_path);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kRow) << first_message(report);
  EXPECT_EQ(report.findings[0].name, "updates");
  EXPECT_EQ(report.findings[0].record, 2U);
}

TEST_F(VerifyBatch, finds_a_state_that_the_header_does_not_commit_to) {
  std::vector<std::uint8_t> bytes = read_bytes(x_path / "state/model.bin");
  bytes[0] ^= 1;
  write_bytes(x_path / "state/model.bin", bytes);
  const VerifyReport report = verify(x_path);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kState);
  EXPECT_EQ(report.findings[0].name, "model");
}

TEST_F(VerifyBatch, stops_when_asked) {
  std::stop_source stop;
  stop.request_stop();
  math::ThreadPool pool(2);
  VerifyOptions options;
  options.pool = &pool;
  options.stop = stop.get_token();
  EXPECT_TRUE(verify_batch(x_path, options).stopped);
}

// Advice, scans, loops and several columns, with a FAIL that no value can repair.
constexpr std::string_view kManyKinds = R"(
program many_kinds
dim K in 1..16
dim D <= 64
record x: i64 in 0..100
row u: i32[D]
state s: i64[D] in 0..1<<40
table sum[d in D]: i64 { fold k in K { a = a + u[k, d] * x[k] } from a = 0  return a }
table scan[d in D]: i64 in -(1<<60)..1<<60, twice: i64 in -(1<<61)..1<<61 {
  let before = select(d > 0, scan[d - 1], 0)
  return clamp(before + div(sum[d], 1024), -(1<<60), 1<<60), 2 * d
}
loop t in 3 {
  table step[d in D]: i64 in 0..1000 { return min(1000, select(t > 0, step[t - 1, d] + 1, mod(sum[d], 7))) }
}
table bounded[d in D]: i64 in 0..50 { return d }
table next_s[d in D]: i64 in 0..1<<40 { return min(s[d] + step[2, d], 1<<40) }
next s = next_s
)";

TEST(VerifyKinds, finds_each_forged_number_of_each_table) {
  const TemporaryFolder folder;
  const TestBatch batch(kManyKinds, {.dims = {4, 6}});
  const std::filesystem::path path = folder.path() / "batch";
  const auto built = build(batch.inputs(), path);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  ASSERT_TRUE(verify(path).findings.empty()) << first_message(verify(path));
  for (const chain::ManifestResult& table : built->manifest.shape.tables) {
    std::uint64_t elements = 1;
    for (const std::uint64_t dim : table.dims) elements *= dim;
    for (std::uint64_t i = 0; i < elements; ++i) {
      forge_table(path, batch.program(), table.name, i, 1);
      const VerifyReport report = verify(path);
      ASSERT_EQ(report.findings.size(), 1U) << table.name << i;
      EXPECT_EQ(report.findings[0].kind, FindingKind::kEntry) << first_message(report);
      EXPECT_EQ(report.findings[0].name, table.name);
      EXPECT_EQ(report.findings[0].entry, i);
      forge_table(path, batch.program(), table.name, i, -1);
    }
  }
  EXPECT_TRUE(verify(path).findings.empty());
}

TEST(VerifyKinds, finds_the_same_for_every_number_of_threads) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {7, 10'000}, .leaf_bytes = 256});
  const std::filesystem::path path = folder.path() / "batch";
  ASSERT_TRUE(build(batch.inputs(), path).has_value());
  for (const std::uint64_t index : {4095U, 4096U, 9999U}) forge_table(path, batch.program(), "next_model", index, 1);
  for (const unsigned threads : {1U, 2U, 3U, 8U}) {
    const VerifyReport first = verify(path, Findings::kFirst, threads);
    ASSERT_EQ(first.findings.size(), 1U);
    EXPECT_EQ(first.findings[0].entry, 4095U);
    const VerifyReport all = verify(path, Findings::kAll, threads);
    std::vector<std::uint64_t> entries;
    for (const Finding& finding : all.findings) {
      if (finding.kind == FindingKind::kEntry) entries.push_back(finding.entry);
    }
    EXPECT_EQ(entries, (std::vector<std::uint64_t>{4095, 4096, 9999}));
  }
}

TEST(VerifyKinds, lists_no_more_than_it_is_asked_for) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {2, 50}});
  const std::filesystem::path path = folder.path() / "batch";
  ASSERT_TRUE(build(batch.inputs(), path).has_value());
  for (std::uint64_t i = 0; i < 20; ++i) forge_table(path, batch.program(), "next_model", 2 * i, 1);
  math::ThreadPool pool(2);
  VerifyOptions options;
  options.pool = &pool;
  options.findings = Findings::kAll;
  options.max_findings = 8;
  const VerifyReport report = verify_batch(path, options);
  ASSERT_EQ(report.findings.size(), 8U);
  EXPECT_TRUE(report.truncated);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(report.findings[i].entry, 2 * i);
}

}  // namespace
}  // namespace tally::verifier
