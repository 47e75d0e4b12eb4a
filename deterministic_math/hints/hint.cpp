#include <algorithm>
#include <bit>

#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/tasks.h"
#include "deterministic_math/hints/columns.h"
#include "deterministic_math/hints/network.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

constexpr std::size_t kTileBytes = std::size_t{512} * 1024;
// A tile of more rows would not fit in memory beside others.
constexpr std::uint64_t kMaxTileRows = std::uint64_t{1} << 16;
constexpr std::uint64_t kShortInner = 64;

Axis choose_hint_axis(HintPlan& plan, std::uint64_t count) {
  const HintContext& context = plan.first();
  if (context.hint.kind == HintKind::kPerm || context.over() > kMaxTileRows) return Axis::kFold;
  const std::uint64_t inner = context.inner_extent();
  const Axis over_entries = inner != 0 && inner < kShortInner ? Axis::kFlatEntry : Axis::kEntry;
  std::size_t row_loads = 0;
  const auto cost = [&](Axis axis, std::uint64_t lanes) {
    return code_cost(schedule_hint(context, plan.keys, HintSection::kKeys, axis, row_loads), lanes);
  };
  const std::uint64_t lanes = over_entries == Axis::kEntry && inner != 0 ? std::min(inner, count) : count;
  return cost(Axis::kFold, context.over()) < cost(over_entries, lanes) ? Axis::kFold : over_entries;
}

std::size_t choose_hint_block(const HintPlan& plan, std::uint64_t count, unsigned threads) {
  if (plan.axis == Axis::kFold) return static_cast<std::size_t>(count / (4 * std::uint64_t{threads}) + 1);
  const std::size_t rows = static_cast<std::size_t>(std::max<std::uint64_t>(plan.first().over(), 1));
  const std::size_t lanes = kTileBytes / (rows * lane_bytes(plan.keys_code.returned_types.at(0)));
  return std::clamp(std::bit_floor(std::max<std::size_t>(lanes, 1)), kNetworkLanes, kRowBlock);
}

}  // namespace

bool share_keys(const Program& program, const Hint& first, const Hint& second) {
  if (first.kind != HintKind::kKth || second.kind != HintKind::kKth) return false;
  const Item& a = program.items[first.item];
  const Item& b = program.items[second.item];
  const bool alike = first.over == second.over && first.keys == second.keys && first.constants == second.constants &&
                     a.rank == b.rank && a.extents == b.extents && a.loop == kOutside && b.loop == kOutside;
  if (!alike) return false;
  // Keys must not read what becomes known only after the first hint.
  const std::size_t earliest = std::min(first.item, second.item);
  for (const std::vector<Instruction>* section : {&first.keys, &first.rank, &second.rank}) {
    for (const Instruction& code : *section) {
      if (code.op != Op::kLoad) continue;
      const auto owner = owner_item(program, static_cast<ObjectId>(code.imm));
      if (owner && *owner >= earliest) return false;
    }
  }
  return true;
}

void evaluate_hints(const Program& program, std::span<const Hint* const> hints, const BatchValues& values,
                    const Inputs& inputs, std::uint64_t first, std::uint64_t count, TaskPool& pool,
                    std::span<const std::span<std::byte>> outs) {
  TALLY_ASSERT(!hints.empty() && hints.size() == outs.size());
  HintPlan plan;
  for (const Hint* hint : hints) {
    TALLY_ASSERT(hint->kind != HintKind::kInput && (hint == hints[0] || share_keys(program, *hints[0], *hint)));
    plan.contexts.push_back({program, values, inputs, *hint});
  }
  const HintContext& context = plan.first();
  TALLY_ASSERT(first <= context.entries() && count <= context.entries() - first);
  if (count == 0) return;

  plan.keys = hint_graph(context, context.hint.keys);
  plan.axis = choose_hint_axis(plan, count);
  plan.keys_code = schedule_hint(context, plan.keys, HintSection::kKeys, plan.axis, plan.row_loads);
  const Axis rank_axis = plan.axis == Axis::kFold ? Axis::kScalar : plan.axis;
  for (const HintContext& own : plan.contexts) {
    if (own.hint.kind != HintKind::kKth) continue;
    plan.ranks.push_back(hint_graph(own, own.hint.rank));
    plan.rank_codes.push_back(schedule_hint(own, plan.ranks.back(), HintSection::kRank, rank_axis, plan.row_loads));
  }
  plan.block = choose_hint_block(plan, count, pool.threads());

  const std::uint64_t inner = context.inner_extent();
  const bool by_row = inner != 0 && (plan.axis == Axis::kEntry || context.hint.kind == HintKind::kPerm);
  const std::uint64_t row = by_row ? inner : context.entries();
  const std::uint64_t block = context.hint.kind == HintKind::kPerm ? row : plan.block;
  const Cuts cuts(first, count, row, block);
  LentWorkers<HintWorker> workers;
  const auto make = [&] { return plan.axis == Axis::kFold ? make_list_worker(plan) : make_column_worker(plan); };
  pool.run(cuts.size(), [&](std::size_t task) {
    const auto [start, entries] = cuts[task];
    std::vector<std::byte*> parts;
    for (std::size_t h = 0; h < outs.size(); ++h) {
      const HintContext& own = plan.contexts[h];
      const std::size_t width = element_bytes(program.objects[own.item().results.at(0)].type);
      TALLY_ASSERT(outs[h].size() == count * width);
      parts.push_back(outs[h].data() + (start - first) * width);
    }
    workers.use(make, [&, at = start, number = entries](HintWorker& worker) { worker.evaluate(at, number, parts); });
  });
}

void evaluate_hint(const Program& program, const Hint& hint, const BatchValues& values, const Inputs& inputs,
                   std::uint64_t first, std::uint64_t count, TaskPool& pool, std::span<std::byte> out) {
  const Hint* const hints[] = {&hint};
  const std::span<std::byte> outs[] = {out};
  evaluate_hints(program, hints, values, inputs, first, count, pool, outs);
}

}  // namespace tally::math
