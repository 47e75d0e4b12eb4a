// What a judgment says of data that is missing.
#include "verifier/replay/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_leaves.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "tests/support/posted_batch.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;

// Three leaves of 64 bytes to a row x, a state and an advice, and one to a row y.
constexpr std::string_view kManyInputs = R"(
program many_inputs
dim K in 1..8
dim D in 1..64
record w: i64 in 1..9
row    x: i32[D]
row    y: i8[D]
state  s: i32[D]
advice a[d in D]: i32 in -2147483648..2147483647 hint kth(k in K: x[k, d], 0)
check [d in D] {
  fold k in K { n = n + select(x[k, d] < a[d], 1, 0) } from n = 0
  require n == 0
}
table t[d in D]: i64 { fold k in K { n = n + x[k, d] * w[k] + y[k, d] } from n = 0  return n + s[d] + a[d] }
)";
constexpr std::uint32_t kRecords = 3;
constexpr std::uint64_t kManyLeaves = 3;

class JudgeMissing : public testing::Test {
 protected:
  void SetUp() override {
    const auto built = test::build(x_batch.inputs(), directory());
    ASSERT_TRUE(built.has_value()) << built.error().message;
    x_posted = test::posted_batch(directory(), x_batch.program());
    x_posted.task.settings.availability = proof::LeafRequests{.max_requests = 100, .request_bond = {1}};
  }
  [[nodiscard]] fs::path directory() const { return x_folder.path() / "batch"; }
  void lose(const std::string& file) const { ASSERT_TRUE(fs::remove(directory() / file)) << file; }
  void damage(const std::string& file) const {
    const std::vector<std::uint8_t> bytes = test::read_bytes(directory() / file);
    test::write_byte(directory() / file, bytes.size() - 1, static_cast<std::uint8_t>(bytes.back() ^ 1));
  }

  [[nodiscard]] Verdict judged() const {
    math::ThreadPool pool(2);
    const chain::BatchPaths paths(directory());
    JudgeOptions options;
    options.pool = &pool;
    options.scratch = x_folder.path() / "scratch";
    return judge(x_posted, describe_posted(x_posted, paths), paths, options);
  }

  using Leaves = std::vector<proof::OpeningKey>;
  [[nodiscard]] math::ObjectId object(const std::string& name) const {
    const auto& names = x_batch.program().names.objects;
    return static_cast<math::ObjectId>(std::ranges::find(names, name) - names.begin());
  }
  [[nodiscard]] static Leaves records() {
    Leaves leaves;
    for (std::uint32_t k = 0; k < kRecords; ++k)
      leaves.push_back({.object = math::kMemberObject, .record = k, .leaf = 0});
    return leaves;
  }
  [[nodiscard]] Leaves part(const std::string& name, std::uint32_t record, std::uint64_t leaves) const {
    Leaves list;
    for (std::uint64_t leaf = 0; leaf < leaves; ++leaf) {
      list.push_back({.object = object(name), .record = record, .leaf = leaf});
    }
    return list;
  }
  [[nodiscard]] Leaves all_rows() const {
    Leaves all;
    for (std::uint32_t k = 0; k < kRecords; ++k) {
      for (const Leaves& row : {part("x", k, kManyLeaves), part("y", k, 1)})
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
  }
  void expect_missing(const std::vector<Leaves>& parts) const {
    const Verdict verdict = judged();
    EXPECT_EQ(verdict.kind, VerdictKind::kMissing) << verdict.message;
    Leaves expected;
    for (const Leaves& part : parts) expected.insert(expected.end(), part.begin(), part.end());
    EXPECT_TRUE(std::ranges::is_sorted(verdict.missing));
    Leaves found;
    const auto none = [](const proof::OpeningKey&) { return false; };
    while (const auto leaf = first_leaf_but(none, verdict.missing, static_cast<math::i128>(found.size()))) {
      found.push_back(*leaf);
    }
    std::ranges::sort(found);
    std::ranges::sort(expected);
    EXPECT_EQ(found, expected) << verdict.message;
  }

  test::TemporaryFolder x_folder;
  test::TestBatch x_batch{kManyInputs, {.dims = {kRecords, 40}}};
  PostedBatch x_posted;
};

TEST_F(JudgeMissing, nothing_where_all_inputs_are_there) {
  EXPECT_EQ(judged().kind, VerdictKind::kValid);
  lose("tables/t.bin");
  EXPECT_EQ(judged().kind, VerdictKind::kValid);
}

TEST_F(JudgeMissing, each_leaf_of_each_row_that_is_lost_or_damaged) {
  lose("rows/x/1.bin");
  expect_missing({part("x", 1, kManyLeaves)});
  EXPECT_EQ(judged().message, "x of record 1 is missing, or is not what the batch commits to");
  damage("rows/y/2.bin");
  expect_missing({part("x", 1, kManyLeaves), part("y", 2, 1)});
}

TEST_F(JudgeMissing, rows_that_were_read_and_are_damaged) {
  damage("rows/x/0.bin");
  damage("rows/x/2.bin");
  damage("rows/y/1.bin");
  expect_missing({part("x", 0, kManyLeaves), part("x", 2, kManyLeaves), part("y", 1, 1)});
}

TEST_F(JudgeMissing, states_and_advice_beside_the_rows) {
  lose("state/s.bin");
  damage("rows/x/0.bin");
  expect_missing({part("s", 0, kManyLeaves), part("x", 0, kManyLeaves)});
  EXPECT_EQ(judged().message, "s is missing, or is not what the batch commits to");
  damage("tables/a.bin");
  expect_missing({part("s", 0, kManyLeaves), part("a", 0, kManyLeaves), part("x", 0, kManyLeaves)});
}

TEST_F(JudgeMissing, all_rows_where_the_records_are) {
  damage("records.bin");
  expect_missing({records(), all_rows()});
  lose("records.bin");
  lose("rows/x/1.bin");
  lose("state/s.bin");
  expect_missing({records(), all_rows(), part("s", 0, kManyLeaves)});
}

TEST_F(JudgeMissing, everything_where_there_is_nothing) {
  fs::remove_all(directory());
  expect_missing({records(), all_rows(), part("s", 0, kManyLeaves), part("a", 0, kManyLeaves)});
}

TEST_F(JudgeMissing, the_same_where_no_leaf_can_be_demanded) {
  x_posted.task.settings.availability = proof::KeeperQuorum{};
  lose("rows/x/1.bin");
  expect_missing({part("x", 1, kManyLeaves)});
}

TEST_F(JudgeMissing, in_few_words_whatever_the_number_of_leaves) {
  fs::remove_all(directory());
  EXPECT_EQ(judged().missing, (std::vector<MissingPart>{
                                  {.object = math::kMemberObject, .records = kRecords},
                                  {.object = object("x"), .records = kRecords, .leaves = kManyLeaves},
                                  {.object = object("y"), .records = kRecords},
                                  {.object = object("s"), .leaves = kManyLeaves},
                                  {.object = object("a"), .leaves = kManyLeaves},
                              }));
}

constexpr std::string_view kTooManyLeaves = R"(
program too_many_leaves
dim K in 1..1048576
dim D in 1..524288
dim E in 1..1048576
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D, E]
table t[d in D]: i64 { fold k in K { n = n + x[k, d] * w[k] } from n = 0  return n + s[d, 0] }
)";

// As a stranger may post it: with no data behind it, and more leaves than fit into any memory.
TEST(Judge, names_more_missing_leaves_than_fit_into_memory) {
  const test::TemporaryFolder folder;
  const test::TestBatch batch(kTooManyLeaves, {.dims = {2, 3, 4}});
  const fs::path directory = folder.path() / "batch";
  ASSERT_TRUE(test::build(batch.inputs(), directory).has_value());
  PostedBatch posted = test::posted_batch(directory, batch.program());
  fs::remove_all(directory);
  constexpr std::uint64_t kManyRecords = 1 << 20;
  constexpr std::uint64_t kLength = 1 << 19;
  constexpr std::uint64_t kWidth = 1 << 20;
  posted.task.dims = {kLength, kWidth};
  posted.posted.header.record_count = kManyRecords;
  const proof::CommittedBatch committed{.program = batch.program().program,
                                        .header = posted.posted.header,
                                        .leaf_bytes = posted.task.settings.leaf_bytes,
                                        .values = proof::batch_values(proof::batch_dims(posted.task, kManyRecords),
                                                                      posted.posted.header.number, posted.posted.seed)};
  posted.posted.header.tables_root = proof::tables_root(
      chain::posted_commitments(committed, posted.posted.state_commitments, posted.posted.table_roots).tables);
  posted.posted.batch = proof::batch_id(posted.posted.header);
  math::ThreadPool pool(1);
  const chain::BatchPaths paths(directory);
  JudgeOptions options;
  options.pool = &pool;
  options.scratch = folder.path() / "scratch";
  const Verdict verdict = judge(posted, describe_posted(posted, paths), paths, options);
  EXPECT_EQ(verdict.kind, VerdictKind::kMissing);
  EXPECT_EQ(verdict.missing.size(), 3U);
  // Of the records, the rows and the state: 16 elements to a leaf of 64 bytes.
  EXPECT_TRUE(leaf_count(verdict.missing) == kManyRecords + kManyRecords * kLength / 16 + kLength * kWidth / 16);
}

}  // namespace
}  // namespace tally::verifier
