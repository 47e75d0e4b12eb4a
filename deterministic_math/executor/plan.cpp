#include "deterministic_math/executor/plan.h"

#include <algorithm>

#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::math {

namespace {

// Entries whose last index has fewer positions are numbered as lanes across rows.
constexpr std::uint64_t kShortInner = 64;

// Estimated cost of a lane, in plain operations.
constexpr std::uint64_t kPlainCost = 1;
constexpr std::uint64_t kTableGatherCost = 12;
constexpr std::uint64_t kRowGatherCost = 200;
constexpr std::uint64_t kSequentialCost = 12;
// Lanes beyond this many make a step no cheaper.
constexpr std::uint64_t kFullLanes = 128;

bool is_own(const Plan& plan, const Node& node) {
  return node.kind == NodeKind::kLoad &&
         load_site(plan.program, plan.item, static_cast<ObjectId>(node.imm)).rule == LoadRule::kSmallerFlat;
}

bool is_constant(const Graph& graph, NodeId node, bool positive) {
  const Node& value = graph.nodes[node];
  return value.kind == NodeKind::kConstant && (positive ? value.value > 0 : value.value < 0);
}

// The first index less a positive constant.
bool is_earlier_row(const Graph& graph, NodeId id) {
  const Node& node = graph.nodes[id];
  if (node.kind != NodeKind::kCompute) return false;
  const auto is_index = [&](NodeId operand) {
    const Node& variable = graph.nodes[operand];
    return variable.kind == NodeKind::kVariable && variable.imm == static_cast<std::int32_t>(Variable::kIndex0);
  };
  if (node.op == Op::kSub) return is_index(node.a) && is_constant(graph, node.b, true);
  if (node.op != Op::kAdd) return false;
  return (is_index(node.a) && is_constant(graph, node.b, false)) ||
         (is_index(node.b) && is_constant(graph, node.a, false));
}

Code schedule_step(const Plan& plan, Axis axis, std::size_t& row_loads) {
  return schedule({plan.program, plan.values, plan.inputs, plan.item, plan.step, axis, true, row_loads});
}

}  // namespace

Position Plan::position(std::uint64_t entry) const {
  Position position;
  position.flat = entry;
  position.index0 = inner_extent == 0 ? entry : entry / inner_extent;
  position.index1 = inner_extent == 0 ? 0 : entry % inner_extent;
  return position;
}

Plan analyse(const Program& program, const BatchValues& values, const Inputs& inputs, std::size_t item) {
  const Item& source = program.items.at(item);
  TALLY_ASSERT(source.body.has_value());
  const Body& body = *source.body;
  const auto ranges = prove_item(program, item);
  TALLY_ASSERT(ranges.has_value());
  Plan plan{.program = program,
            .values = values,
            .inputs = inputs,
            .item = item,
            .step = {},
            .finish = {},
            .columns = {},
            .step_code = {},
            .finish_code = {},
            .column = {},
            .pairs = {},
            .buckets = {}};
  plan.has_fold = body.fold == FoldKind::kFold;
  if (plan.has_fold) {
    plan.fold_length = extent_value(body.length, values);
    plan.step = build_graph({program, item, body.step, ranges->step, program.constants, ranges->accumulators});
  }
  plan.finish = build_graph({program, item, body.finish, ranges->finish, program.constants, ranges->accumulators});
  plan.entries = 1;
  for (std::size_t axis = 0; axis < source.rank; ++axis) plan.entries *= extent_value(source.extents[axis], values);
  if (source.rank == 2) plan.inner_extent = extent_value(source.extents[1], values);
  if (source.kind == ItemKind::kTable) {
    for (const ObjectId id : source.results)
      plan.columns.push_back({program.objects[id].type, program.objects[id].range});
  }
  return plan;
}

std::uint64_t code_cost(const Code& code, std::uint64_t lanes) {
  std::uint64_t cost = 0;
  for (const std::vector<LaneStep>& steps : code.lanes) {
    for (const LaneStep& step : steps) {
      if (step.kind != LaneStepKind::kLoadGather) {
        cost += kPlainCost;
      } else {
        cost += code.loads[step.load].object.kind == ObjectKind::kRow ? kRowGatherCost : kTableGatherCost;
      }
    }
  }
  cost = cost * kFullLanes / std::clamp<std::uint64_t>(lanes, 1, kFullLanes);
  return cost + kSequentialCost * code.sequential.size();
}

OwnLoads own_loads(const Plan& plan) {
  OwnLoads result = OwnLoads::kNone;
  for (const Graph* graph : {&plan.step, &plan.finish}) {
    for (const Node& node : graph->nodes) {
      if (!is_own(plan, node)) continue;
      if (node.b == kNoNode || !is_earlier_row(*graph, node.a)) return OwnLoads::kAny;
      result = OwnLoads::kEarlierRows;
    }
  }
  return result;
}

Axis choose_axis(const Plan& plan, std::uint64_t entries) {
  const Axis over_entries = plan.inner_extent != 0 && plan.inner_extent < kShortInner ? Axis::kFlatEntry : Axis::kEntry;
  if (!plan.has_fold) return over_entries;
  const std::uint64_t run = over_entries == Axis::kEntry && plan.inner_extent != 0 ? plan.inner_extent : entries;
  std::size_t row_loads = 0;
  const std::uint64_t by_entry = code_cost(schedule_step(plan, over_entries, row_loads), std::min(run, entries));
  const std::uint64_t by_fold = code_cost(schedule_step(plan, Axis::kFold, row_loads), plan.fold_length);
  return by_fold < by_entry ? Axis::kFold : over_entries;
}

void schedule_plan(Plan& plan, Axis axis) {
  std::size_t row_loads = 0;
  plan.axis = axis;
  if (plan.has_fold) plan.step_code = schedule_step(plan, axis, row_loads);
  const bool over_entries = axis == Axis::kEntry || axis == Axis::kFlatEntry;
  if (plan.has_fold && over_entries) plan.column = match_column(plan.step_code);
  if (plan.has_fold && plan.inner_extent != 0) plan.pairs = match_pairs(plan.step, plan.step_code);
  const Axis finish_axis = axis == Axis::kFold ? Axis::kScalar : axis;
  plan.finish_code =
      schedule({plan.program, plan.values, plan.inputs, plan.item, plan.finish, finish_axis, false, row_loads});
}

}  // namespace tally::math
