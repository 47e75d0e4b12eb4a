// Attacks the range proof with random programs on random and extreme inputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/ranges/range_proof.h"
#include "tests/support/accumulator_machine.h"
#include "tests/support/mutate_program.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::RandomBatch;
using test::Rng;
using test::ValueStyle;

TEST(RangeAttack, random_programs_use_every_opcode_and_element_type) {
  std::set<Op> ops;
  std::set<ElementType> types;
  std::set<ItemKind> kinds;
  std::size_t loops = 0;
  std::size_t several_results = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng);
    loops += program.loops.size();
    for (const Object& object : program.objects) types.insert(object.type);
    for (const Item& item : program.items) {
      kinds.insert(item.kind);
      several_results += item.results.size() > 1 ? 1U : 0U;
      if (!item.body) continue;
      for (const Instruction& op : item.body->step) ops.insert(op.op);
      for (const Instruction& op : item.body->finish) ops.insert(op.op);
    }
  }
  EXPECT_EQ(ops.size(), kOpcodes.size());
  EXPECT_EQ(types.size(), 5U);
  EXPECT_EQ(kinds.size(), 3U);
  EXPECT_GT(loops, 20U);
  EXPECT_GT(several_results, 50U);
}

TEST(RangeAttack, random_batches_compute) {
  std::uint64_t entries = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng);
    RandomBatch batch(program, rng, {seed % 2 == 0 ? ValueStyle::kUniform : ValueStyle::kExtreme, 5});
    failed += test::compute_tables(program, batch);
    for (const Item& item : program.items) entries += item.body ? element_count(item.extents, batch.values()) : 0;
  }
  EXPECT_GT(entries, 1000U);
  EXPECT_LT(failed, entries / 2);
}

/// Runs a section as a hint, which gives any register's value, up to and including each instruction in turn, and checks
/// that the value lies in its proved interval. `skipz` does nothing there: ranges hold behind it too.
void check_intervals(const Evaluation& evaluation, std::size_t item, std::uint64_t entry, std::uint64_t fold,
                     const std::vector<Instruction>& code, const std::vector<Range>& proved,
                     std::span<const i128> accumulators) {
  ASSERT_EQ(code.size(), proved.size());
  InputsAccess access(evaluation);
  const SectionContext context{evaluation.program, evaluation.values,           item, entry, fold,
                               SectionKind::kHint, evaluation.program.constants};
  std::vector<Instruction> prefix;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const bool has_result = opcode_info(code[i].op).uses(kUsesDst);
    if (has_result) prefix.push_back(code[i]);  // without RETs and REQs, which would end or overwrite
    std::vector<Instruction> probe = prefix;
    probe.push_back({Op::kRet, 0, has_result ? code[i].dst : code[i].a, 0, 0});
    std::array<i128, 1> value{};
    std::array<i128, kMaxAccumulators> copy{};
    std::ranges::copy(accumulators, copy.begin());
    ASSERT_EQ(run_section(context, probe, access, std::span(copy).first(accumulators.size()), value),
              SectionOutcome::kDone);
    ASSERT_TRUE(proved[i].contains(value[0]))
        << "item " << item << ", instruction " << i << ", " << to_string(value[0]);
  }
}

/// Walks the folds of some entries of every item, checking every accumulator and every instruction.
std::uint64_t check_program(const Program& program, const RandomBatch& batch, Rng& rng) {
  const Evaluation evaluation{program, batch.values(), batch.inputs()};
  std::uint64_t checked = 0;
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    if (!program.items[item].body) continue;
    const Body& body = *program.items[item].body;
    const auto ranges = prove_item(program, item);
    EXPECT_TRUE(ranges.has_value());
    const std::uint64_t entries = element_count(program.items[item].extents, batch.values());
    for (std::uint64_t tries = std::min<std::uint64_t>(entries, 3); tries > 0; --tries) {
      const std::uint64_t entry = test::pick(rng, 0, entries - 1);
      Accumulators accumulators = initial_accumulators(program.items[item]);
      const std::span<const i128> used = std::span(accumulators).first(body.init.size());
      const std::uint64_t length = fold_length(program, batch.values(), item);
      for (std::uint64_t fold = 0; fold <= length; ++fold) {
        for (std::size_t j = 0; j < used.size(); ++j) {
          EXPECT_TRUE(body.accumulators[j].contains(used[j])) << "item " << item << ", accumulator " << j;
        }
        if (fold == length) break;
        check_intervals(evaluation, item, entry, fold, body.step, ranges->step, used);
        run_steps(evaluation, item, entry, fold, fold + 1, accumulators);
      }
      check_intervals(evaluation, item, entry, 0, body.finish, ranges->finish, used);
      ++checked;
    }
  }
  return checked;
}

TEST(RangeAttack, pitfall_7_no_value_ever_leaves_its_proved_range) {
  std::uint64_t checked = 0;
  for (std::uint64_t seed = 0; seed < 300 && !testing::Test::HasFailure(); ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng, {.max_items = 5});
    RandomBatch batch(program, rng, {seed % 2 == 0 ? ValueStyle::kUniform : ValueStyle::kExtreme, 5});
    test::compute_tables(program, batch);
    checked += check_program(program, batch, rng);
  }
  EXPECT_GT(checked, 1000U);
}

/// Fills every computed table with whatever its type holds.
void tell_lies(const Program& program, RandomBatch& batch, Rng& rng) {
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const Object& object = program.objects[id];
    if (object.kind != ObjectKind::kComputed) continue;
    for (std::uint64_t i = 0; i < element_count(object.extents, batch.values()); ++i) {
      const i128 lie = test::pick_value(rng, type_range(object.type), ValueStyle::kExtreme);
      write_element(batch.table(static_cast<ObjectId>(id)), object.type, i, lie);
    }
  }
}

TEST(RangeAttack, no_committed_table_however_false_drives_a_value_out_of_its_range) {
  for (std::uint64_t seed = 1000; seed < 1150 && !testing::Test::HasFailure(); ++seed) {
    Rng rng(seed);
    const Program program = test::random_program(rng, {.max_items = 5});
    RandomBatch batch(program, rng, {ValueStyle::kExtreme, 4});
    tell_lies(program, batch, rng);
    check_program(program, batch, rng);
  }
}

TEST(RangeAttack, pitfall_7_accumulators_that_feed_on_one_another_stay_in_their_ranges_to_the_last_step) {
  std::uint64_t proved = 0;
  for (std::uint64_t seed = 0; seed < 60000 && !testing::Test::HasFailure(); ++seed) {
    Rng rng(seed);
    const auto program = test::accumulator_machine(rng);
    if (!program) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomBatch batch(*program, rng, {ValueStyle::kExtreme, 8});
    const std::uint64_t failed = test::compute_tables(*program, batch);
    // Without `require`, only a declared range can make an honest entry FAIL.
    const bool declared = std::ranges::any_of(program->objects, [](const Object& object) {
      return object.kind == ObjectKind::kComputed && object.origin == RangeOrigin::kDeclared;
    });
    EXPECT_TRUE(declared || failed == 0);
    check_program(*program, batch, rng);
    tell_lies(*program, batch, rng);
    check_program(*program, batch, rng);
    ++proved;
  }
  EXPECT_GT(proved, 15000U);
}

/// Within what a test may walk.
bool is_small(const Program& program, const BatchValues& values) {
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    if (element_count(program.items[item].extents, values) > 1000) return false;
    if (fold_length(program, values, item) > 1000) return false;
  }
  return true;
}

TEST(RangeAttack, pitfall_9_crafted_bodies_are_refused_or_safe_and_run_to_a_result_anyway) {
  std::size_t refused = 0;
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 600 && !testing::Test::HasFailure(); ++seed) {
    Rng rng(seed);
    Program program = test::random_program(rng, {.max_items = 4});
    RandomBatch batch(program, rng, {ValueStyle::kExtreme, 4});
    for (std::uint64_t i = test::pick(rng, 1, 3); i > 0; --i) test::mutate_body(program, rng);
    if (!is_small(program, batch.values())) continue;
    const bool valid = validate(program).has_value();
    (valid ? accepted : refused) += 1;
    // Twice over: the same undefined-behaviour-free result both times, whatever the code is.
    test::compute_tables(program, batch);
    std::vector<std::optional<ResultValues>> first;
    for (int round = 0; round < 2; ++round) {
      std::size_t number = 0;
      for (std::size_t item = 0; item < program.items.size(); ++item) {
        if (!program.items[item].body || element_count(program.items[item].extents, batch.values()) == 0) continue;
        const auto results = evaluate_entry({program, batch.values(), batch.inputs()}, item, 0);
        if (round == 0) first.push_back(results);
        EXPECT_EQ(results, first[number++]);
      }
    }
    if (valid) check_program(program, batch, rng);
  }
  EXPECT_GT(refused, 200U);
  EXPECT_GT(accepted, 20U);
}

TEST(RangeAttack, pitfall_9_the_validator_is_total_on_mutated_programs) {
  std::set<ValidationReason> reasons;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Rng rng(seed);
    Program program = test::random_program(rng, {.max_items = 4});
    for (std::uint64_t i = test::pick(rng, 1, 3); i > 0; --i) test::mutate_program(program, rng);
    const auto valid = validate(program);
    if (!valid) reasons.insert(valid.error().reason);
    const auto decoded = decode_program(encode_program(program));
    EXPECT_TRUE(!valid || (decoded.has_value() && *decoded == program));
  }
  EXPECT_GT(reasons.size(), 12U);
}

}  // namespace
}  // namespace tally::math
