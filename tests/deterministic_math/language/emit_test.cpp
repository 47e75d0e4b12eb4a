#include "deterministic_math/language/emit.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "deterministic_math/interpreter/section.h"
#include "deterministic_math/language/diagnostics.h"

namespace tally::math {
namespace {

struct NoLoads {
  i128 load(ObjectId, std::uint64_t) { return 0; }
};

/// The value of each node, straight from the graph.
std::vector<i128> values_of(const ValueGraph& graph, const std::vector<i128>& accumulators) {
  std::vector<i128> values;
  for (ValueId id = 0; id < graph.size(); ++id) {
    const ValueNode& node = graph[id];
    if (node.kind == ValueKind::kConstant) {
      values.push_back(node.value);
    } else if (node.kind == ValueKind::kAccumulator) {
      values.push_back(accumulators.at(static_cast<std::size_t>(node.imm)));
    } else {
      const i128 a = values[node.operands[0]];
      const i128 b = values[node.operands[1]];
      values.push_back(node.op == Op::kAdd   ? wrapping_add(a, b)
                       : node.op == Op::kSub ? wrapping_sub(a, b)
                       : node.op == Op::kLt  ? static_cast<i128>(a < b)
                                             : (values[node.operands[2]] != 0 ? a : b));
    }
  }
  return values;
}

struct StepRun {
  SectionOutcome outcome;
  std::vector<i128> accumulators;
};

StepRun run_step(const std::vector<Instruction>& code, std::vector<i128> accumulators, const std::vector<i128>& pool) {
  Program program;
  program.items.emplace_back();
  const BatchValues values;
  const SectionContext context{.program = program, .values = values, .constants = pool};
  NoLoads loads;
  const SectionOutcome outcome = run_section(context, code, loads, accumulators, {});
  return {outcome, accumulators};
}

/// A random graph over all accumulators, built node by node.
ValueGraph random_graph(std::size_t accumulators, std::size_t operations) {
  ValueGraph graph;
  for (std::size_t j = 0; j < accumulators; ++j) graph.accumulator(j, {});
  graph.constant(i128{*rc::gen::inRange(-3, 4)} << *rc::gen::element(0, 40), {});
  for (std::size_t i = 0; i < operations; ++i) {
    const auto node = [&] { return static_cast<ValueId>(*rc::gen::inRange<std::size_t>(0, graph.size())); };
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        graph.binary(Op::kAdd, node(), node(), {});
        break;
      case 1:
        graph.binary(Op::kSub, node(), node(), {});
        break;
      case 2:
        graph.binary(Op::kLt, node(), node(), {});
        break;
      default:
        graph.select(node(), node(), node(), {});
        break;
    }
  }
  return graph;
}

TEST(Emit, steps_compute_what_the_graph_says_whatever_the_registers) {
  EXPECT_TRUE(rc::check([] {
    const auto accumulators = *rc::gen::inRange<std::size_t>(1, kMaxAccumulators + 1);
    const ValueGraph graph = random_graph(accumulators, *rc::gen::inRange<std::size_t>(0, 30));
    const auto node = [&] { return static_cast<ValueId>(*rc::gen::inRange<std::size_t>(0, graph.size())); };
    StepRoots roots;
    for (std::size_t j = 0; j < accumulators; ++j) roots.accumulators.push_back(node());
    const bool guarded = *rc::gen::arbitrary<bool>();
    if (guarded) roots.guard = Root{Op::kSkipZ, node(), 0, {}};
    std::vector<i128> pool;
    const Section section = emit_step(graph, roots, pool);

    std::vector<i128> start;
    for (std::size_t j = 0; j < accumulators; ++j) start.push_back(*rc::gen::inRange(-3, 4));
    const std::vector<i128> values = values_of(graph, start);
    const StepRun run = run_step(section.code, start, pool);
    if (guarded && values[roots.guard->node] == 0) {
      RC_ASSERT(run.outcome == SectionOutcome::kSkipped);
      return;
    }
    RC_ASSERT(run.outcome == SectionOutcome::kDone);
    for (std::size_t j = 0; j < accumulators; ++j) {
      RC_ASSERT(run.accumulators[j] == values[roots.accumulators[j]]);
    }
    // Nothing before the guard may write an accumulator.
    const auto skip = std::ranges::find(section.code, Op::kSkipZ, &Instruction::op);
    for (auto it = section.code.begin(); guarded && it != skip; ++it) RC_ASSERT(it->dst >= accumulators);
  }));
}

TEST(Emit, rotates_accumulators_through_one_spare_register) {
  ValueGraph graph;
  StepRoots roots;
  for (std::size_t j = 0; j < 3; ++j) graph.accumulator(j, {});
  for (std::size_t j = 0; j < 3; ++j) roots.accumulators.push_back(static_cast<ValueId>((j + 1) % 3));
  std::vector<i128> pool;
  const Section section = emit_step(graph, roots, pool);
  EXPECT_EQ(section.code.size(), 4U);
  EXPECT_EQ(run_step(section.code, {10, 20, 30}, pool).accumulators, (std::vector<i128>{20, 30, 10}));
}

TEST(Emit, shares_repeated_values_and_drops_what_nothing_needs) {
  ValueGraph graph;
  const ValueId a = graph.accumulator(0, {});
  const ValueId b = graph.accumulator(1, {});
  const ValueId sum = graph.binary(Op::kAdd, a, b, {});
  EXPECT_EQ(graph.binary(Op::kAdd, b, a, {}), sum);
  graph.binary(Op::kMul, sum, sum, {});
  std::vector<i128> pool;
  EXPECT_EQ(emit_step(graph, {.guard = {}, .accumulators = {sum, b}, .span = {}}, pool).code.size(), 1U);
}

TEST(Emit, puts_only_large_constants_into_the_pool_once_each) {
  ValueGraph graph;
  const ValueId large = graph.constant(i128{1} << 31, {});
  const ValueId small = graph.constant(-(i128{1} << 31), {});
  std::vector<i128> pool{i128{1} << 40};
  const StepRoots roots{.guard = {}, .accumulators = {large, small}, .span = {}};
  const Section first = emit_step(graph, roots, pool);
  const Section second = emit_step(graph, roots, pool);
  EXPECT_EQ(pool, (std::vector<i128>{i128{1} << 40, i128{1} << 31}));
  EXPECT_EQ(first.code, second.code);
  EXPECT_EQ(first.code[0], (Instruction{.op = Op::kConst, .dst = 0, .imm = 1}));
  EXPECT_EQ(first.code[1], (Instruction{.op = Op::kImm, .dst = 1, .imm = std::numeric_limits<std::int32_t>::min()}));
}

}  // namespace
}  // namespace tally::math
