#include "sequencer/batch/batch_builder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "sequencer/batch/model_encoder.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using test::build;
using test::TemporaryFolder;
using test::TestBatch;
using test::verify;

bool is_empty_folder(const std::filesystem::path& path) { return std::filesystem::is_empty(path); }

std::unique_ptr<ElementSource> numbers(const std::string& name, std::initializer_list<std::int32_t> values) {
  std::vector<std::byte> bytes(values.size() * sizeof(std::int32_t));
  std::uint64_t i = 0;
  for (const std::int32_t value : values) math::write_element(bytes, math::ElementType::kI32, i++, value);
  return stored_elements(name, std::move(bytes), sizeof(std::int32_t));
}

TEST(BatchBuilder, computes_the_weighted_mean_of_the_updates) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {2, 3}});
  BatchInputs inputs = batch.inputs();
  inputs.states[0] = numbers("model", {100, 200, -300});
  inputs.records[0].rows[0] = numbers("a", {10, 1, -9});
  inputs.records[0].fields = {3};
  inputs.records[1].rows[0] = numbers("b", {20, 2, 9});
  inputs.records[1].fields = {1};
  const auto built = build(std::move(inputs), folder.path() / "batch");
  ASSERT_TRUE(built.has_value()) << built.error().message;
  const std::vector<std::uint8_t> bytes = test::read_bytes(folder.path() / "batch/tables/next_model.bin");
  const auto table = std::as_bytes(std::span(bytes));
  // (30 + 20) / 4 = 12.5, to even 12; (3 + 2) / 4 = 1.25; (-27 + 9) / 4 = -4.5, to even -4.
  EXPECT_EQ(math::read_element(table, math::ElementType::kI32, 0), 112);
  EXPECT_EQ(math::read_element(table, math::ElementType::kI32, 1), 201);
  EXPECT_EQ(math::read_element(table, math::ElementType::kI32, 2), -304);
  EXPECT_EQ(built->row_bytes, 24U);
}

TEST(BatchBuilder, gives_the_same_bytes_for_every_number_of_threads_and_order_of_records) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {9, 9'001}, .leaf_bytes = 256});
  ASSERT_TRUE(build(batch.inputs(), folder.path() / "one", 1).has_value());
  const auto expected = test::read_folder(folder.path() / "one");
  EXPECT_EQ(expected.size(), 5U + 9U + 1U + 2U + 1U);
  for (const unsigned threads : {2U, 3U, 8U}) {
    BatchInputs inputs = batch.inputs();
    std::ranges::reverse(inputs.records);
    const std::filesystem::path path = folder.path() / std::to_string(threads);
    ASSERT_TRUE(build(std::move(inputs), path, threads).has_value());
    EXPECT_EQ(test::read_folder(path), expected);
  }
}

TEST(BatchBuilder, copes_with_more_records_than_files_may_be_open) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {700, 2}});
  const auto built = build(batch.inputs(), folder.path() / "batch", 2);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  EXPECT_TRUE(verify(folder.path() / "batch", verifier::Findings::kFirst, 2).findings.empty());
}

TEST(BatchBuilder, refuses_each_bad_input_by_name_and_leaves_nothing) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg");
  std::set<BuildReason> seen;
  const auto refused = [&](BuildReason reason, const std::string& text,
                           const std::function<void(BatchInputs&)>& change) {
    BatchInputs inputs = batch.inputs();
    change(inputs);
    const auto built = build(std::move(inputs), folder.path() / "batch");
    ASSERT_FALSE(built.has_value()) << text;
    EXPECT_EQ(built.error().reason, reason) << built.error().message;
    EXPECT_NE(built.error().message.find(text), std::string::npos) << built.error().message;
    EXPECT_TRUE(is_empty_folder(folder.path())) << text;
    seen.insert(reason);
  };
  refused(BuildReason::kDims, "D is 0", [](BatchInputs& in) { in.dims[1] = 0; });
  refused(BuildReason::kDims, "3 records", [](BatchInputs& in) { in.dims[0] = 4; });
  refused(BuildReason::kDims, "1 dims", [](BatchInputs& in) { in.dims.pop_back(); });
  refused(BuildReason::kProgram, "work", [](BatchInputs& in) { in.settings.max_work = 1; });
  refused(BuildReason::kTask, "leaf_bytes", [](BatchInputs& in) { in.settings.leaf_bytes = 96; });
  refused(BuildReason::kTask, "31 fraction bits", [](BatchInputs& in) { in.frac_bits = 31; });
  refused(BuildReason::kTask, "3 records, but the task asks for 4",
          [](BatchInputs& in) { in.settings.min_records = 4; });
  refused(BuildReason::kSeed, "seed", [](BatchInputs& in) { in.seed.bytes[0] = 1; });
  refused(BuildReason::kRowCount, "update 1: 0 rows", [](BatchInputs& in) { in.records[1].rows.clear(); });
  refused(BuildReason::kRowCount, "0 states", [](BatchInputs& in) { in.states.clear(); });
  refused(BuildReason::kRowLength, "long.npy: 4 elements, but updates has 5",
          [](BatchInputs& in) { in.records[2].rows[0] = numbers("long.npy", {1, 2, 3, 4}); });
  refused(BuildReason::kRowLength, "state model has 5", [](BatchInputs& in) { in.states[0] = zero_elements(6); });
  refused(BuildReason::kElementType, "integers of 8 bytes",
          [](BatchInputs& in) { in.states[0] = stored_elements("m", std::vector<std::byte>(40), 8); });
  refused(BuildReason::kFieldRange, "update 0: examples is 0", [](BatchInputs& in) { in.records[0].fields = {0}; });
  refused(BuildReason::kDuplicateSigner, "update 0 and update 2 are signed by the same address",
          [](BatchInputs& in) { in.records[2].key = in.records[0].key; });
  refused(BuildReason::kAdviceMissing, "not an advice table",
          [](BatchInputs& in) { in.advice.push_back({"total", zero_elements(1)}); });
  refused(BuildReason::kModel, "4 parameters", [](BatchInputs& in) { in.layout->tensors[0].shape = {2, 2}; });
  refused(BuildReason::kModel, "out of order",
          [](BatchInputs& in) { in.layout->tensors.push_back(in.layout->tensors[0]); });
  EXPECT_EQ(seen.size(), 11U);
}

/// Fails at one element, like a NaN in a file.
class FailingSource final : public ElementSource {
 public:
  [[nodiscard]] std::string name() const override { return "bad.npy"; }
  [[nodiscard]] std::uint64_t size() const override { return 20'000; }
  [[nodiscard]] std::size_t element_bytes() const override { return 4; }
  [[nodiscard]] std::expected<void, std::string> read(std::uint64_t first, std::span<std::byte> out) const override {
    if (first <= 17'000 && 17'000 < first + out.size() / 4) return std::unexpected("bad.npy: element 17000 is NaN");
    std::ranges::fill(out, std::byte{0});
    return {};
  }
};

TEST(BatchBuilder, refuses_a_name_too_long_for_a_file) {
  const TemporaryFolder folder;
  for (const std::size_t length : {200U, 201U}) {
    const std::string name(length, 't');
    const TestBatch batch("program long\ndim K in 1..4\ntable " + name + ": i64 { return K }\n", {.dims = {2}});
    const auto built = build(batch.inputs(), folder.path() / "batch");
    ASSERT_EQ(built.has_value(), length == 200);
    if (!built) {
      EXPECT_EQ(built.error().reason, BuildReason::kProgram);
    }
  }
}

TEST(BatchBuilder, names_the_update_that_cannot_be_read_and_leaves_nothing) {
  const TemporaryFolder folder;
  const TestBatch batch("krum", {.parameters = {{"f", 1}}, .dims = {6, 20'000}, .leaf_bytes = 1024});
  for (const unsigned threads : {1U, 2U, 4U}) {
    BatchInputs inputs = batch.inputs();
    inputs.records[3].rows[0] = std::make_unique<FailingSource>();
    const auto built = build(std::move(inputs), folder.path() / "batch", threads);
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().reason, BuildReason::kRowValue) << built.error().message;
    EXPECT_EQ(built.error().message, "bad.npy: element 17000 is NaN");
    EXPECT_TRUE(is_empty_folder(folder.path()));
  }
}

TEST(BatchBuilder, names_an_entry_that_fails) {
  const TemporaryFolder folder;
  const TestBatch batch(
      "program p dim K in 1..9 dim D <= 9 "
      "table a[i in D]: i64 in 0..3 { return i } "
      "check [i in D] { require i < 3 }",
      {.dims = {2, 6}});
  const auto built = build(batch.inputs(), folder.path() / "batch");
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().reason, BuildReason::kEntryFails);
  EXPECT_EQ(built.error().table, "a");
  EXPECT_EQ(built.error().entry, 4U);
  EXPECT_TRUE(is_empty_folder(folder.path()));
}

constexpr std::string_view kSupplied =
    "program p dim K in 1..9 dim D <= 9 "
    "advice root[i in D]: i64 in 0..100 hint input { require sq(root[i]) == i * i } "
    "table t[i in D]: i64 { return root[i] }";

TEST(BatchBuilder, takes_supplied_advice_that_passes_its_check_and_no_other) {
  const TemporaryFolder folder;
  const TestBatch batch(kSupplied, {.dims = {1, 4}});
  const auto built_with = [&](std::vector<std::int64_t> values) {
    BatchInputs inputs = batch.inputs();
    std::vector<std::byte> bytes(8 * values.size());
    for (std::size_t i = 0; i < values.size(); ++i) math::write_element(bytes, math::ElementType::kI64, i, values[i]);
    inputs.advice.push_back({"root", stored_elements("roots", std::move(bytes), 8)});
    return build(std::move(inputs), folder.path() / "batch");
  };
  EXPECT_EQ(build(batch.inputs(), folder.path() / "batch").error().reason, BuildReason::kAdviceMissing);
  EXPECT_EQ(built_with({0, 1, 2, 101}).error().reason, BuildReason::kRowValue);
  const auto wrong = built_with({0, 1, 3, 2});
  EXPECT_EQ(wrong.error().reason, BuildReason::kNoPassingAdvice);
  EXPECT_EQ(wrong.error().entry, 2U);
  ASSERT_TRUE(built_with({0, 1, 2, 3}).has_value());
  EXPECT_TRUE(verify(folder.path() / "batch").findings.empty());
  // Committed advice outside its range is found before anything that follows from it.
  test::forge_table(folder.path() / "batch", batch.program(), "root", 1, 100);
  EXPECT_EQ(verify(folder.path() / "batch").findings.at(0).kind, verifier::FindingKind::kAdviceRange);
}

TEST(BatchBuilder, stops_when_asked_and_leaves_nothing) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg", {.dims = {4, 3'000'000}, .leaf_bytes = 1024});
  math::ThreadPool pool(2);
  std::stop_source stop;
  BuildOptions options;
  options.target = folder.path() / "batch";
  options.pool = &pool;
  options.stop = stop.get_token();
  options.encode_model = model_encoder();
  options.progress = [&](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    if (phase == "fold" && done > total / 3) stop.request_stop();
  };
  const auto built = build_batch(batch.inputs(), options);
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().reason, BuildReason::kStopped);
  EXPECT_TRUE(is_empty_folder(folder.path()));
}

TEST(BatchBuilder, replaces_a_batch_only_when_told_to_and_nothing_else_ever) {
  const TemporaryFolder folder;
  const TestBatch batch("fedavg");
  const TestBatch other("fedavg", {.random_seed = 2});
  const std::filesystem::path path = folder.path() / "batch";
  math::ThreadPool pool(1);
  BuildOptions options;
  options.target = path;
  options.pool = &pool;
  options.encode_model = model_encoder();
  ASSERT_TRUE(build_batch(batch.inputs(), options).has_value());
  const auto first = test::read_folder(path);
  EXPECT_EQ(build_batch(other.inputs(), options).error().reason, BuildReason::kTargetExists);
  EXPECT_EQ(test::read_folder(path), first);
  options.replace = Replace::kReplace;
  ASSERT_TRUE(build_batch(other.inputs(), options).has_value());
  EXPECT_NE(test::read_folder(path), first);
  EXPECT_TRUE(verify(path).findings.empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);

  std::filesystem::create_directory(folder.path() / "home");
  test::write_bytes(folder.path() / "home/letter.txt", {1});
  options.target = folder.path() / "home";
  EXPECT_EQ(build_batch(batch.inputs(), options).error().reason, BuildReason::kTargetExists);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "home/letter.txt"));
}

}  // namespace
}  // namespace tally::sequencer
