#include "verifier/challenger/checked_rows.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"
#include "verifier/replay/stored_rows.h"

namespace tally::verifier {
namespace {

constexpr std::uint64_t kLength = 2 * math::kRowBlock + 100;
constexpr std::uint64_t kRecords = 3;
constexpr math::ObjectId kRow = 5;
constexpr std::uint32_t kLeafBytes = 1024;

/// One row of three blocks for each record, and what the records commit to.
class CheckedRowsTest : public testing::Test {
 protected:
  CheckedRowsTest() {
    {
      const chain::RowFiles files = chain::RowFiles::create(paths(), shapes(), kRecords);
      for (std::uint64_t record = 0; record < kRecords; ++record) {
        std::vector<std::byte> bytes(kLength * 4);
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256 + record);
        files.write(0, record, 0, bytes);
      }
    }
    x_files = open();
    x_columns.rows.push_back(judge());
  }

  [[nodiscard]] chain::BatchPaths paths() const { return chain::BatchPaths(x_folder.path()); }
  [[nodiscard]] static std::vector<chain::RowShape> shapes() {
    return {{.name = "x", .type = math::ElementType::kI32, .length = kLength}};
  }
  [[nodiscard]] chain::RowFiles open() const { return chain::RowFiles::open(paths(), shapes(), kRecords).value(); }
  /// Keeps the roots of the blocks as they are now, and gives the rows' commitments.
  std::vector<math::Digest> judge() {
    chain::Work work({}, {});
    StoredRows stored(open(), kRow, kLeafBytes, work);
    math::ThreadPool pool(1);
    stored.complete(pool);
    x_roots.clear();
    for (const math::Digest& root : stored.block_roots()) {
      x_roots.insert(x_roots.end(), root.bytes.begin(), root.bytes.end());
    }
    std::vector<math::Digest> commitments;
    for (std::uint64_t record = 0; record < kRecords; ++record) commitments.push_back(stored.commitment(0, record));
    return commitments;
  }
  [[nodiscard]] std::filesystem::path roots() const { return x_folder.path() / "roots"; }
  void leave_roots() const { test::write_bytes(roots(), x_roots); }
  [[nodiscard]] CheckedRows rows() const { return {*x_files, x_columns, kRow, kLeafBytes, roots()}; }
  [[nodiscard]] static std::span<const std::byte> view(CheckedRows& rows, std::uint64_t record, std::uint64_t block) {
    const std::uint64_t first = block * math::kRowBlock;
    return rows.view(kRow, record, first, std::min<std::uint64_t>(math::kRowBlock, kLength - first), {});
  }
  [[nodiscard]] std::filesystem::path file(std::uint64_t record) const {
    return x_folder.path() / "rows/x" / (std::to_string(record) + ".bin");
  }
  void change(std::uint64_t record, std::uint64_t element) const {
    test::write_byte(file(record), element * 4,
                     static_cast<std::uint8_t>(test::read_bytes(file(record)).at(element * 4) ^ 1));
  }

  test::TemporaryFolder x_folder;
  std::optional<chain::RowFiles> x_files;
  chain::RecordColumns x_columns;
  std::vector<std::uint8_t> x_roots;
};

TEST_F(CheckedRowsTest, give_what_the_records_commit_to_with_or_without_the_roots_of_a_judgment) {
  for (const bool left : {false, true}) {
    if (left) leave_roots();
    CheckedRows rows = this->rows();
    for (std::uint64_t record = 0; record < kRecords; ++record) {
      const std::vector<std::uint8_t> bytes = test::read_bytes(file(record));
      for (std::uint64_t block = 0; block < 3; ++block) {
        const auto there = math::unsigned_bytes(view(rows, record, block));
        EXPECT_TRUE(std::ranges::equal(there, std::span(bytes).subspan(block * math::kRowBlock * 4, there.size())));
      }
      EXPECT_TRUE(std::ranges::equal(math::unsigned_bytes(rows.row(kRow, record)), bytes));
    }
  }
}

TEST_F(CheckedRowsTest, refuse_a_block_that_changed_whenever_it_changed) {
  leave_roots();
  CheckedRows rows = this->rows();
  static_cast<void>(view(rows, 1, 0));
  change(1, math::kRowBlock + 1);
  EXPECT_THROW(static_cast<void>(view(rows, 1, 1)), DataMissing);
  EXPECT_THROW(static_cast<void>(rows.row(kRow, 1)), DataMissing);
  // Other blocks, and other records, are as they were.
  EXPECT_NO_THROW(static_cast<void>(view(rows, 1, 2)));
  EXPECT_NO_THROW(static_cast<void>(view(rows, 0, 1)));
}

TEST_F(CheckedRowsTest, refuse_a_row_that_changed_before_where_no_roots_were_left) {
  change(2, 0);
  CheckedRows rows = this->rows();
  EXPECT_THROW(static_cast<void>(view(rows, 2, 2)), DataMissing);
  EXPECT_NO_THROW(static_cast<void>(view(rows, 1, 2)));
}

TEST_F(CheckedRowsTest, do_not_believe_the_roots_that_were_left) {
  x_roots.at(4) ^= 1;
  leave_roots();
  CheckedRows damaged = this->rows();
  EXPECT_NO_THROW(static_cast<void>(view(damaged, 0, 0)));
  change(0, 3);
  // Roots that fit the changed row.
  static_cast<void>(judge());
  leave_roots();
  CheckedRows fooled = this->rows();
  EXPECT_THROW(static_cast<void>(view(fooled, 0, 0)), DataMissing);
}

TEST_F(CheckedRowsTest, keep_a_view_while_a_few_others_are_taken) {
  CheckedRows rows = this->rows();
  const std::span<const std::byte> first = view(rows, 0, 0);
  for (std::uint64_t record = 0; record < kRecords; ++record) {
    for (std::uint64_t block = 0; block < 3; ++block) static_cast<void>(view(rows, record, block));
  }
  EXPECT_EQ(view(rows, 0, 0).data(), first.data());
}

}  // namespace
}  // namespace tally::verifier
