#include "fraud_proof/step/one_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "deterministic_math/bytecode/cost.h"
#include "tests/support/committed_memory.h"
#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::proof {
namespace {

using math::Accumulators;
using math::ResultValues;
using test::CommittedMemory;
using test::pick;
using test::RandomBatch;
using test::Rng;

constexpr std::array<std::uint32_t, 3> kLeafSizes = {64, 128, 1024};

/// A random program with random data, tables computed, and all of it committed.
struct RandomWorld {
  explicit RandomWorld(Rng& rng, std::uint64_t max_dim = 6)
      : program(test::random_program(rng, {.max_items = 6})),
        data(program, rng, {.style = static_cast<test::ValueStyle>(pick(rng, 0, 1)), .max_dim = max_dim}),
        failed(test::compute_tables(program, data)),
        committed(program, data.values(), data.inputs(), kLeafSizes[pick(rng, 0, kLeafSizes.size() - 1)]) {}

  [[nodiscard]] math::Evaluation evaluation() const { return {program, data.values(), data.inputs()}; }

  math::Program program;
  RandomBatch data;
  std::uint64_t failed;
  CommittedMemory committed;
};

/// What the interpreter says of a transition.
TransitionEnd interpret(const math::Evaluation& evaluation, const Transition& transition, Accumulators before) {
  const std::uint64_t length = math::fold_length(evaluation.program, evaluation.values, transition.item);
  if (transition.number < length) {
    math::run_steps(evaluation, transition.item, transition.entry, transition.number, transition.number + 1, before);
    return {TransitionEnd::Kind::kAccumulators, before, {}};
  }
  const auto results = math::run_finish(evaluation, transition.item, transition.entry, before);
  if (!results) return {};
  return {TransitionEnd::Kind::kResults, {}, *results};
}

void expect_equal(const OrRefused<TransitionEnd>& found, const TransitionEnd& expected) {
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_TRUE(found->kind == expected.kind);
  ASSERT_EQ(found->accumulators, expected.accumulators);
  ASSERT_EQ(found->results, expected.results);
}

/// Every byte of a witness is in the cost that the validator limits.
void check_size(RandomWorld& world, const Transition& transition, math::Bytes witness) {
  const math::TaskShape shape{.dims = world.data.values().dims, .leaf_bytes = world.committed.batch().leaf_bytes};
  const std::uint64_t length = math::fold_length(world.program, world.data.values(), transition.item);
  const auto section = transition.number < length ? math::CodeSection::kStep : math::CodeSection::kFinish;
  ASSERT_LE(witness.size(), math::section_cost(world.program, shape, transition.item, section).opening_bytes);
}

/// Plays every transition of one entry. Gives the state before the last one.
void check_entry(RandomWorld& world, std::uint16_t item, std::uint64_t entry) {
  const CommittedBatch& batch = world.committed.batch();
  const auto count = transitions(batch, item, entry);
  ASSERT_EQ(count.value(), math::fold_length(world.program, world.data.values(), item) + 1);
  Accumulators state = math::initial_accumulators(world.program.items[item]);
  for (std::uint64_t number = 0; number < *count; ++number) {
    const Transition transition{item, entry, number};
    const auto witness = make_witness(batch, transition, state, world.committed);
    check_size(world, transition, witness);
    const TransitionEnd expected = interpret(world.evaluation(), transition, state);
    expect_equal(run_transition(batch, transition, state, witness), expected);
    if (expected.kind == TransitionEnd::Kind::kAccumulators) state = expected.accumulators;
  }
  const math::Item& played = world.program.items[item];
  const auto openings = make_result_openings(batch, item, entry, world.committed);
  const auto results = open_results(batch, item, entry, openings);
  ASSERT_TRUE(results.has_value());
  const std::size_t columns = played.kind == math::ItemKind::kTable ? played.results.size() : 0;
  ASSERT_TRUE(columns > 0 || openings.empty());
  for (std::size_t column = 0; column < results->size(); ++column) {
    const auto expected = [&]() -> math::i128 {
      if (column >= columns) return 0;
      const math::ObjectId table = played.results[column];
      return math::read_element(world.data.table(table), world.program.objects[table].type, entry);
    };
    ASSERT_EQ((*results)[column], expected());
  }
}

/// Worlds from consecutive seeds, until a test fails.
template <class Check>
void for_worlds(std::uint64_t worlds, std::uint64_t max_dim, Check check) {
  for (std::uint64_t seed = 0; seed < worlds && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    RandomWorld world(rng, max_dim);
    check(world, rng);
  }
}

std::uint64_t entries_of(const RandomWorld& world, std::uint16_t item) {
  const math::Item& counted = world.program.items[item];
  return counted.body ? math::element_count(counted.extents, world.data.values()) : 0;
}

TEST(OneStep, agrees_with_the_interpreter_on_every_transition_of_every_entry) {
  std::uint64_t failed = 0;
  for_worlds(400, 3, [&](RandomWorld& world, Rng&) {
    failed += world.failed;
    for (std::uint16_t item = 0; item < world.program.items.size(); ++item) {
      for (std::uint64_t entry = 0; entry < entries_of(world, item); ++entry) check_entry(world, item, entry);
    }
  });
  EXPECT_GT(failed, 0U) << "some entries should be FAIL";
}

TEST(OneStep, pitfall_9_takes_a_witness_of_exactly_the_bytes_that_the_validator_counts) {
  // fedavg in K = 8, D = 40: the finish opens total, one of 4 tables, and model[20], one of 2 states, in the second
  // of 3 leaves.
  math::Program program = test::small_program();
  program.dims[2].hi = 40;
  Rng rng(1);
  RandomBatch data(program, {.dims = {8, 2, 40}, .batch = 1}, rng);
  static_cast<void>(test::compute_tables(program, data));
  CommittedMemory committed(program, data.values(), data.inputs(), 64);
  constexpr std::uint16_t kAverage = 2;
  const auto witness = make_witness(committed.batch(), {kAverage, 20, 8}, {}, committed);
  const math::TaskShape shape{.dims = {8, 2, 40}, .leaf_bytes = 64};
  EXPECT_EQ(witness.size(), math::section_cost(program, shape, kAverage, math::CodeSection::kFinish).opening_bytes);
  const auto step = make_witness(committed.batch(), {kAverage, 20, 3}, {}, committed);
  EXPECT_EQ(step.size(), math::section_cost(program, shape, kAverage, math::CodeSection::kStep).opening_bytes);
}

TEST(OneStep, agrees_with_the_interpreter_in_larger_batches) {
  for_worlds(200, 40, [](RandomWorld& world, Rng& rng) {
    for (std::uint16_t item = 0; item < world.program.items.size(); ++item) {
      const std::uint64_t entries = entries_of(world, item);
      if (entries > 0) check_entry(world, item, pick(rng, 0, entries - 1));
    }
  });
}

TEST(OneStep, is_total_for_any_accumulators) {
  for_worlds(500, 6, [](RandomWorld& world, Rng& rng) {
    const CommittedBatch& batch = world.committed.batch();
    for (std::uint16_t item = 0; item < world.program.items.size(); ++item) {
      const std::uint64_t entries = entries_of(world, item);
      if (entries == 0) continue;
      Accumulators before{};
      for (std::size_t i = 0; i < world.program.items[item].body->init.size(); ++i) {
        before[i] = test::pick_value(rng, math::type_range(math::ElementType::kI128), test::ValueStyle::kExtreme);
      }
      const std::uint64_t entry = pick(rng, 0, entries - 1);
      const Transition transition{item, entry, pick(rng, 0, *transitions(batch, item, entry) - 1)};
      const auto witness = make_witness(batch, transition, before, world.committed);
      expect_equal(run_transition(batch, transition, before, witness),
                   interpret(world.evaluation(), transition, before));
    }
  });
}

/// fedavg and friends by hand: K = 5, D = 3, two leaves in no table.
struct SmallWorld {
  SmallWorld() { static_cast<void>(test::compute_tables(program, data)); }

  Rng rng{7};
  math::Program program = test::small_program();
  RandomBatch data{program, rng, {.max_dim = 4}};
};

// Pitfall 12: a fold ends where the batch says, and not where a challenger does.
TEST(OneStep, refuses_what_the_batch_does_not_have) {
  SmallWorld world;
  CommittedMemory committed(world.program, world.data.values(), world.data.inputs(), 64);
  const CommittedBatch& batch = committed.batch();
  const std::uint64_t records = world.data.values().dims[0];
  const std::uint64_t width = world.data.values().dims[2];
  const auto reason = [&](const Transition& transition) {
    const auto end = run_transition(batch, transition, {}, {});
    return end ? std::nullopt : std::optional(end.error().reason);
  };
  EXPECT_EQ(reason({4, 0, 0}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({0xffff, 0, 0}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({0, 1, 0}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({2, width, 0}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({0, 0, records + 1}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({0, 0, ~std::uint64_t{0}}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({1, 0, 1}), Reason::kNoSuchEntry);
  EXPECT_EQ(reason({0, 0, 0}), Reason::kOpeningMissing);
  EXPECT_EQ(open_results(batch, 4, 0, {}).error().reason, Reason::kNoSuchEntry);
  EXPECT_EQ(open_results(batch, 2, width, {}).error().reason, Reason::kNoSuchEntry);
  EXPECT_EQ(transitions(batch, 4, 0).error().reason, Reason::kNoSuchEntry);
  world.program.items[1].body.reset();
  EXPECT_EQ(reason({1, 0, 0}), Reason::kNoBody);
  EXPECT_EQ(open_results(batch, 1, 0, {}).error().reason, Reason::kNoBody);
}

TEST(OneStep, gives_no_results_and_takes_no_bytes_for_a_check) {
  SmallWorld world;
  CommittedMemory committed(world.program, world.data.values(), world.data.inputs(), 64);
  EXPECT_EQ(make_result_openings(committed.batch(), 1, 0, committed).size(), 0U);
  EXPECT_EQ(open_results(committed.batch(), 1, 0, {}).value(), ResultValues{});
  const std::array<std::uint8_t, 1> byte{};
  EXPECT_EQ(open_results(committed.batch(), 1, 0, byte).error().reason, Reason::kOpeningTrailing);
}

}  // namespace
}  // namespace tally::proof
