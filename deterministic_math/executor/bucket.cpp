#include "deterministic_math/executor/bucket.h"

#include <algorithm>
#include <numeric>

#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/stop_checks.h"
#include "deterministic_math/executor/worker.h"

namespace tally::math {

namespace {

constexpr std::uint32_t kOutsideKeys = 0xffffffff;

// Position of each fold index's key among the keys asked for, or kOutsideKeys.
std::vector<std::uint32_t> evaluate_keys(const Plan& plan, NodeId key, std::uint64_t first, std::uint64_t count) {
  Graph graph;
  graph.nodes = plan.step.nodes;
  graph.returned.push_back({0, key});
  std::size_t row_loads = 0;
  const Code code = schedule({plan.program, plan.values, plan.inputs, plan.item, graph, Axis::kFold, true, row_loads});
  Runner runner(graph, code, plan.values, plan.inputs.rows, plan.inner_extent);
  runner.reserve(0, kGroupLanes);
  runner.set_position({}, plan.fold_length);
  runner.run_scalars(Phase::kHoisted);
  StopChecks checks(plan.pool);
  std::vector<std::uint32_t> keys(plan.fold_length);
  const i128 begin = first;
  const i128 end = begin + count;
  for (std::uint64_t fold = 0; fold < plan.fold_length; fold += kGroupLanes) {
    const auto lanes = static_cast<std::size_t>(std::min<std::uint64_t>(kGroupLanes, plan.fold_length - fold));
    checks.spend(lanes);
    runner.set_fold(fold);
    runner.run_scalars(Phase::kRepeated);
    runner.run_lanes(Phase::kRepeated, 0, lanes);
    const Source& source = code.returned[0];
    for (std::size_t i = 0; i < lanes; ++i) {
      const i128 value = source.slot == kNoSlot ? runner.scalar(source.scalar)
                                                : read_lane(code.returned_types[0], runner.lanes(source.slot, 0), i);
      const bool inside = value >= begin && value < end;
      keys[fold + i] = inside ? static_cast<std::uint32_t>(value - begin) : kOutsideKeys;
    }
  }
  return keys;
}

}  // namespace

std::optional<NodeId> match_bucket(const Plan& plan) {
  const std::uint8_t rank = plan.program.items[plan.item].rank;
  if (rank == 0 || !plan.has_fold) return std::nullopt;
  const auto is_own_index = [&](NodeId id) {
    const Node& node = plan.step.nodes[id];
    return node.kind == NodeKind::kVariable && node.imm + 1 == static_cast<std::int32_t>(rank);
  };
  // A key that is the same for all fold indices counts too, as work does (cost.h): one entry takes every step.
  const auto is_key = [&](NodeId id) { return (plan.step.nodes[id].depends & ~kOnFold) == 0; };
  for (const NodeId guard : plan.step.guards) {
    const Node& node = plan.step.nodes[guard];
    if (node.kind != NodeKind::kCompute || node.op != Op::kEq) continue;
    if (is_own_index(node.a) && is_key(node.b)) return node.b;
    if (is_own_index(node.b) && is_key(node.a)) return node.a;
  }
  return std::nullopt;
}

Buckets::Buckets(const Plan& plan, NodeId key, std::uint64_t first, std::uint64_t count)
    : x_first(first), x_starts(count + 1, 0) {
  const std::vector<std::uint32_t> keys = evaluate_keys(plan, key, first, count);
  for (const std::uint32_t at : keys) {
    if (at != kOutsideKeys) ++x_starts[at + std::size_t{1}];
  }
  std::partial_sum(x_starts.begin(), x_starts.end(), x_starts.begin());
  x_steps.resize(x_starts.back());
  std::vector<std::uint32_t> next(x_starts.begin(), x_starts.end() - 1);
  for (std::size_t fold = 0; fold < keys.size(); ++fold) {
    if (keys[fold] != kOutsideKeys) x_steps[next[keys[fold]]++] = static_cast<std::uint32_t>(fold);
  }
}

}  // namespace tally::math
