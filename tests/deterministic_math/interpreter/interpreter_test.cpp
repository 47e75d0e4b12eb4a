#include "deterministic_math/interpreter/interpreter.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/small_program.h"

namespace tally::math {
namespace {

using test::small_program;

/// A batch of the small program: K = 3, D = 2.
struct SmallBatch {
  Program program = small_program();
  BatchValues values{{3, 2, 2}, 5, 0, 0};
  std::vector<std::int64_t> examples = {10, 20, 1000};  // the last is clamped to 100
  std::vector<std::uint64_t> members = {0, 1, 0};
  std::vector<std::uint64_t> nonces = {7, 8, 9};
  std::vector<std::byte> rows = std::vector<std::byte>(3 * 2 * 4);
  std::vector<std::byte> model = std::vector<std::byte>(2 * 4);
  std::vector<std::byte> middle = std::vector<std::byte>(2 * 4);
  std::vector<std::byte> total = std::vector<std::byte>(8);
  std::vector<std::byte> next_model = std::vector<std::byte>(2 * 4);
  std::vector<std::byte> walk = std::vector<std::byte>(2 * 8);

  struct Rows final : RowSource {
    std::span<const std::byte> memory;
    std::span<const std::byte> view(ObjectId, std::uint64_t record, std::uint64_t first, std::size_t count,
                                    std::span<std::byte>) override {
      return memory.subspan(record * 8 + first * 4, count * 4);
    }
  } source;
  Inputs inputs;

  SmallBatch() {
    const std::array<i128, 6> updates = {5, -7, 100, 200, -3, 2147483647};
    for (std::size_t i = 0; i < updates.size(); ++i) write_element(rows, ElementType::kI32, i, updates[i]);
    write_element(model, ElementType::kI32, 0, 50);
    write_element(model, ElementType::kI32, 1, -60);
    source.memory = rows;
    inputs.members = members;
    inputs.nonces = nonces;
    inputs.fields.resize(program.objects.size());
    inputs.fields[test::kExamples] = examples;
    inputs.tables.resize(program.objects.size());
    inputs.tables[test::kModel] = model;
    inputs.tables[test::kMiddle] = middle;
    inputs.tables[test::kTotal] = total;
    inputs.tables[test::kNextModel] = next_model;
    inputs.tables[test::kWalk] = walk;
    inputs.rows = &source;
  }

  [[nodiscard]] Evaluation evaluation() const { return {program, values, inputs}; }
  [[nodiscard]] std::optional<i128> entry(std::size_t item, std::uint64_t index) const {
    const auto results = evaluate_entry(evaluation(), item, index);
    if (!results) return std::nullopt;
    return (*results)[0];
  }
};

TEST(Interpreter, evaluates_a_weighted_mean_by_hand) {
  SmallBatch batch;
  EXPECT_EQ(batch.entry(0, 0), 130);
  write_element(batch.total, ElementType::kI64, 0, 130);
  // (5*10 + 100*20 - 3*100) / 130 = 13.46, and (-70 + 4000 + 214748364700) / 130 = 1651910528
  EXPECT_EQ(batch.entry(2, 0), 50 + 13);
  EXPECT_EQ(batch.entry(2, 1), -60 + 1651910528);
}

TEST(Interpreter, reads_what_is_committed_and_clamps_it) {
  SmallBatch batch;
  write_element(batch.total, ElementType::kI64, 0, 5000);  // outside the proved 0..800
  write_element(batch.walk, ElementType::kI64, 0, -4);
  EXPECT_EQ(batch.entry(3, 0), 800);
  EXPECT_EQ(batch.entry(3, 1), 800);
  write_element(batch.walk, ElementType::kI64, 0, 700);
  EXPECT_EQ(batch.entry(3, 1), 1500);
}

TEST(Interpreter, fails_an_entry_whose_requirement_or_range_is_broken) {
  SmallBatch batch;
  EXPECT_EQ(batch.entry(1, 0), 0);
  batch.program.items[1].body->finish[2] = {Op::kImm, 3, 0, 0, -100};
  EXPECT_EQ(batch.entry(1, 0), std::nullopt);
  write_element(batch.middle, ElementType::kI32, 0, -51);
  EXPECT_EQ(batch.entry(1, 0), 0);
  batch.program.objects[test::kTotal].range = {0, 129};
  EXPECT_EQ(batch.entry(0, 0), std::nullopt);
  batch.program.objects[test::kTotal].range = {0, 130};
  EXPECT_EQ(batch.entry(0, 0), 130);
}

TEST(Interpreter, skips_a_step_as_the_identity_even_after_writes) {
  SmallBatch batch;
  std::vector<Instruction>& step = batch.program.items[0].body->step;
  // No validator would pass it: adds, then skips where the fold index is 0.
  step.push_back({Op::kVar, 2, 0, 0, static_cast<std::int32_t>(Variable::kFold)});
  step.push_back({Op::kSkipZ, 0, 2, 0, 0});
  EXPECT_EQ(batch.entry(0, 0), 120);
}

TEST(Interpreter, agrees_with_itself_from_any_cut_of_the_fold) {
  SmallBatch batch;
  const std::uint64_t length = fold_length(batch.program, batch.values, 2);
  EXPECT_EQ(length, 3U);
  for (std::uint64_t cut = 0; cut <= length; ++cut) {
    Accumulators accumulators = initial_accumulators(batch.program.items[2]);
    run_steps(batch.evaluation(), 2, 1, 0, cut, accumulators);
    run_steps(batch.evaluation(), 2, 1, cut, length, accumulators);
    EXPECT_EQ(run_finish(batch.evaluation(), 2, 1, accumulators), evaluate_entry(batch.evaluation(), 2, 1));
  }
}

TEST(Interpreter, lets_a_long_fold_be_ended_between_steps) {
  struct Enough {};
  SmallBatch batch;
  batch.program.items[0].body->length = {ExtentKind::kConstant, 1'000'000};
  int calls = 0;
  const std::function<void()> third_ends = [&] {
    if (++calls == 3) throw Enough{};
  };
  Evaluation evaluation = batch.evaluation();
  evaluation.between_steps = &third_ends;
  EXPECT_THROW(static_cast<void>(evaluate_entry(evaluation, 0, 0)), Enough);
  EXPECT_EQ(calls, 3);
  // A short one has one moment.
  calls = 0;
  EXPECT_EQ(evaluate_entry(evaluation, 2, 0), evaluate_entry(batch.evaluation(), 2, 0));
  EXPECT_EQ(calls, 1);
}

TEST(Interpreter, lists_the_loads_of_a_step_in_order) {
  SmallBatch batch;
  InputsAccess memory(batch.evaluation());
  RecordingAccess recording(memory);
  const SectionContext context{batch.program, batch.values, 2, 1, 2, SectionKind::kStep, batch.program.constants};
  std::array<i128, 1> accumulators = {4};
  EXPECT_EQ(run_section(context, batch.program.items[2].body->step, recording, accumulators, {}),
            SectionOutcome::kDone);
  EXPECT_EQ(accumulators[0], 4 + 100 * i128{2147483647});
  EXPECT_EQ(recording.loads(), (std::vector<RecordedLoad>{{test::kExamples, 2}, {test::kUpdates, 5}}));
}

TEST(Interpreter, lists_no_load_that_reads_as_0) {
  SmallBatch batch;
  InputsAccess memory(batch.evaluation());
  RecordingAccess recording(memory);
  const SectionContext context{batch.program, batch.values, 3, 0, 0, SectionKind::kFinish, batch.program.constants};
  std::array<i128, 1> results{};
  EXPECT_EQ(run_section(context, batch.program.items[3].body->finish, recording, {}, results), SectionOutcome::kDone);
  EXPECT_EQ(recording.loads(), (std::vector<RecordedLoad>{{test::kTotal, 0}}));  // walk[-1] is out of bounds
}

/// Answers from a list of loads, in order, and nothing else.
struct ReplayAccess {
  std::vector<std::pair<RecordedLoad, i128>> values;
  std::size_t next = 0;
  std::optional<i128> load(ObjectId object, std::uint64_t element) {
    if (next == values.size() || values[next].first != RecordedLoad{object, element}) return std::nullopt;
    return values[next++].second;
  }
};

TEST(Interpreter, replays_a_section_from_a_witness_and_refuses_a_missing_load) {
  SmallBatch batch;
  const SectionContext context{batch.program, batch.values, 2, 1, 2, SectionKind::kStep, batch.program.constants};
  const std::vector<Instruction>& step = batch.program.items[2].body->step;
  std::array<i128, 1> accumulators = {4};
  ReplayAccess whole{{{{test::kExamples, 2}, 1000}, {{test::kUpdates, 5}, 2147483647}}};
  EXPECT_EQ(run_section(context, step, whole, accumulators, {}), SectionOutcome::kDone);
  EXPECT_EQ(accumulators[0], 4 + 100 * i128{2147483647});
  ReplayAccess partial{{{{test::kExamples, 2}, 1000}}};
  EXPECT_EQ(run_section(context, step, partial, accumulators, {}), SectionOutcome::kRefused);
  EXPECT_EQ(accumulators[0], 4 + 100 * i128{2147483647});
}

TEST(Interpreter, runs_hints_over_the_fold_index_with_their_own_pool) {
  SmallBatch batch;
  InputsAccess memory(batch.evaluation());
  const std::array<i128, 1> pool = {i128{1} << 90};
  const SectionContext context{batch.program, batch.values, 1, 0, 2, SectionKind::kHint, pool};
  const std::vector<Instruction> keys = {{Op::kVar, 1, 0, 0, static_cast<std::int32_t>(Variable::kFold)},
                                         {Op::kLoad, 1, 1, 0, test::kExamples},
                                         {Op::kConst, 2, 0, 0, 0},
                                         {Op::kAdd, 1, 1, 2, 0},
                                         {Op::kRet, 0, 1, 0, 0},
                                         {Op::kRet, 0, 3, 0, 1}};
  std::array<i128, 2> results = {1, 1};
  EXPECT_EQ(run_section(context, keys, memory, {}, results), SectionOutcome::kDone);
  EXPECT_EQ(results, (std::array<i128, 2>{(i128{1} << 90) + 100, 0}));
}

TEST(Interpreter, is_total_on_instructions_that_no_decoder_would_pass) {
  SmallBatch batch;
  InputsAccess memory(batch.evaluation());
  const SectionContext context{batch.program, batch.values, 2, 1, 2, SectionKind::kFinish, batch.program.constants};
  const std::vector<Instruction> code = {{static_cast<Op>(0xee), 1, 1, 1, 1},
                                         {Op::kConst, 1, 0, 0, 99},
                                         {Op::kConst, 1, 0, 0, -1},
                                         {Op::kVar, 1, 0, 0, 99},
                                         {Op::kVar, 1, 0, 0, -5},
                                         {Op::kLoad, 1, 0, 0, 99},
                                         {Op::kLoad, 1, 0, 0, -1},
                                         {Op::kAdd, 200, 255, 254, 0},
                                         {Op::kSel, 1, 77, 78, 250},
                                         {Op::kSkipZ, 0, 0, 0, 0},
                                         {Op::kRet, 0, 1, 0, 50},
                                         {Op::kRet, 0, 1, 0, -1}};
  std::array<i128, 1> results = {9};
  EXPECT_EQ(run_section(context, code, memory, {}, results), SectionOutcome::kDone);
  EXPECT_EQ(results[0], 0);
}

TEST(Interpreter, pitfall_5_a_register_that_nothing_wrote_is_0_in_every_section) {
  SmallBatch batch;
  batch.program.items[0].body->step = {{Op::kAdd, 0, 0, 5, 0}, {Op::kImm, 5, 0, 0, 77}};
  batch.program.items[0].body->finish = {{Op::kAdd, 0, 0, 5, 0}, {Op::kRet, 0, 0, 0, 0}};
  EXPECT_EQ(batch.entry(0, 0), 0);
}

TEST(Interpreter, reads_and_writes_every_element_type_at_its_ends) {
  for (const ElementType type :
       {ElementType::kI8, ElementType::kI16, ElementType::kI32, ElementType::kI64, ElementType::kI128}) {
    std::vector<std::byte> data(3 * element_bytes(type), std::byte{0xaa});
    for (const i128 value : {type_range(type).lo, type_range(type).hi, i128{-1}, i128{0}, i128{1}}) {
      write_element(data, type, 1, value);
      EXPECT_EQ(read_element(data, type, 1), value);
    }
    EXPECT_EQ(data.front(), std::byte{0xaa});
    EXPECT_EQ(data.back(), std::byte{0xaa});
  }
}

}  // namespace
}  // namespace tally::math
