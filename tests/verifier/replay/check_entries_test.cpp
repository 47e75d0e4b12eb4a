#include "verifier/replay/check_entries.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_files.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

constexpr std::string_view kBoundedSum = R"(
program bounded_sum
dim K in 1..16
record x: i64 in 0..1000
table sum: i64 {
  fold k in K { s = s + x[k] } from s = 0
  require s <= 100
  return s
}
)";

/// A batch whose one entry is 1 + 2 + 3, and the verifier's step for entries with an interpreter of the test's.
class CheckEntries : public testing::Test {
 protected:
  void SetUp() override {
    sequencer::BatchInputs inputs = x_test_batch.inputs();
    for (std::int64_t k = 0; k < 3; ++k) inputs.records[static_cast<std::size_t>(k)].fields[0] = k + 1;
    const std::filesystem::path path = x_folder.path() / "batch";
    ASSERT_TRUE(test::build(std::move(inputs), path).has_value());
    x_batch = read_description(chain::BatchPaths(path)).value();
    x_columns = chain::record_columns(x_batch.program(), test::read_bytes(path / "records.bin"));
    x_sum = test::read_bytes(path / "tables/sum.bin");
  }

  [[nodiscard]] std::vector<Finding> check(const EntryEvaluator& scalar, std::stop_token stop = {}) const {
    const std::vector<math::Object>& objects = x_batch.program().objects;
    math::Inputs inputs;
    inputs.members = x_columns.members;
    inputs.nonces = x_columns.nonces;
    inputs.fields.resize(objects.size());
    inputs.tables.resize(objects.size());
    for (std::size_t id = 0; id < objects.size(); ++id) {
      if (objects[id].kind == math::ObjectKind::kField) inputs.fields[id] = x_columns.fields[0];
      if (objects[id].kind == math::ObjectKind::kComputed) inputs.tables[id] = std::as_bytes(std::span(x_sum));
    }
    math::ThreadPool pool(1);
    const chain::Work work(std::move(stop), {});
    FindingList findings(Findings::kFirst, 1);
    EXPECT_EQ(check_entries(x_batch, inputs, pool, work, findings, scalar), 1U);
    return findings.findings();
  }

  /// An interpreter that has one answer; none is FAIL.
  static EntryEvaluator always(std::optional<math::i128> value) {
    return [value](const math::Evaluation&, std::size_t, std::uint64_t) -> std::optional<math::ResultValues> {
      if (!value) return std::nullopt;
      math::ResultValues results{};
      results.at(0) = *value;
      return results;
    };
  }

  test::TemporaryFolder x_folder;
  test::TestBatch x_test_batch{kBoundedSum, {.dims = {3}}};
  Description x_batch;
  chain::RecordColumns x_columns;
  std::vector<std::uint8_t> x_sum;
};

TEST_F(CheckEntries, asks_the_interpreter_only_about_an_entry_that_is_wrong) {
  const EntryEvaluator unwanted = [](const math::Evaluation&, std::size_t, std::uint64_t) {
    ADD_FAILURE() << "nothing is wrong";
    return std::optional<math::ResultValues>();
  };
  EXPECT_TRUE(check(unwanted).empty());
  ++x_sum[0];
  const std::vector<Finding> findings = check(math::evaluate_entry);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, FindingKind::kEntry);
  EXPECT_EQ(findings[0].message, "sum is 7, but its fold gives 6");
}

TEST_F(CheckEntries, raises_an_alarm_where_the_interpreter_finds_another_value) {
  ++x_sum[0];
  const std::vector<Finding> findings = check(always(7));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, FindingKind::kAlarm);
  EXPECT_EQ(findings[0].name, "sum");
  EXPECT_EQ(findings[0].message,
            "executor and interpreter disagree, which is a bug of this program: the executor says that sum is 7, but "
            "its fold gives 6; the interpreter says 7");
  EXPECT_EQ(check(always(8)).at(0).kind, FindingKind::kAlarm);
  EXPECT_EQ(check(always(6)).at(0).kind, FindingKind::kEntry);
}

TEST_F(CheckEntries, can_be_stopped_while_the_interpreter_confirms) {
  ++x_sum[0];
  std::stop_source stop;
  const EntryEvaluator stopping = [&](const math::Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
    stop.request_stop();
    return math::evaluate_entry(evaluation, item, entry);
  };
  EXPECT_THROW(static_cast<void>(check(stopping, stop.get_token())), chain::Stopped);
}

TEST_F(CheckEntries, raises_an_alarm_where_only_one_of_the_two_fails) {
  ++x_sum[0];
  EXPECT_EQ(check(always(std::nullopt)).at(0).kind, FindingKind::kAlarm);
  EXPECT_TRUE(check(always(std::nullopt)).at(0).message.ends_with("the interpreter says FAIL"));
  x_columns.fields[0] = {100, 1, 0};
  EXPECT_EQ(check(always(std::nullopt)).at(0).kind, FindingKind::kEntry);
  EXPECT_EQ(check(math::evaluate_entry).at(0).message, "sum is 7, but its fold is FAIL");
  EXPECT_EQ(check(always(101)).at(0).kind, FindingKind::kAlarm);
}

}  // namespace
}  // namespace tally::verifier
