#include "deterministic_math/executor/runner.h"

#include <algorithm>
#include <cstring>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/prf.h"

namespace tally::math {

namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

std::byte* AlignedBuffer::reserve(std::size_t bytes) {
  if (x_memory.size() < bytes + kCacheLine) x_memory.resize(bytes + kCacheLine);
  const auto address = reinterpret_cast<std::uintptr_t>(x_memory.data());
  return x_memory.data() + (kCacheLine - address % kCacheLine) % kCacheLine;
}

Runner::Runner(const Graph& graph, const Code& code, const BatchValues& values, RowSource* rows,
               std::uint64_t inner_extent)
    : x_graph(graph),
      x_code(code),
      x_values(values),
      x_rows(rows),
      x_inner_extent(inner_extent),
      x_scalars(graph.nodes.size(), 0),
      x_own(code.slots.size(), nullptr),
      x_data(code.slots.size(), nullptr) {}

void Runner::reserve(std::size_t lanes, std::size_t group) {
  std::byte* const held = x_held.reserve(x_code.held_bytes * lanes);
  std::byte* const temporary = x_group.reserve(x_code.group_bytes * group);
  for (std::size_t slot = 0; slot < x_code.slots.size(); ++slot) {
    const Slot& place = x_code.slots[slot];
    x_own[slot] = place.held ? held + place.offset * lanes : temporary + place.offset * group;
    x_data[slot] = x_own[slot];
  }
  x_mask.assign(group, 1);
  x_scratch.resize(group * lane_bytes(LaneType::k128));
}

i128 Runner::evaluate(const ScalarStep& step) {
  const Node& node = x_graph.nodes[step.node];
  const auto value = [&](NodeId id) { return id == kNoNode ? i128{0} : x_scalars[id]; };
  switch (node.kind) {
    case NodeKind::kConstant:
      return node.value;
    case NodeKind::kVariable:
      break;
    case NodeKind::kAccumulator:
      TALLY_ASSERT(false);
      break;
    case NodeKind::kLoad:
      return load_scalar(x_code.loads[step.load], x_rows, value(node.a), value(node.b), entry_position(0));
    case NodeKind::kCompute:
      return compute_scalar(node.op, value(node.a), value(node.b), value(node.c), node.imm);
  }
  if (node.imm >= kFirstDimVariable) {
    return static_cast<i128>(x_values.dims[static_cast<std::size_t>(node.imm - kFirstDimVariable)]);
  }
  switch (static_cast<Variable>(node.imm)) {
    case Variable::kIndex0:
      return x_position.index0;
    case Variable::kIndex1:
      return x_position.index1;
    case Variable::kFold:
      return x_position.fold;
    case Variable::kBatch:
      return x_values.batch;
    case Variable::kSeedHigh:
      return x_values.seed_high;
    case Variable::kSeedLow:
      return x_values.seed_low;
  }
  return 0;
}

bool Runner::run_scalars(Phase phase) {
  for (const ScalarStep& step : x_code.scalars[static_cast<std::size_t>(phase)]) {
    if (step.guard) {
      if (x_scalars[step.node] == 0) return false;
    } else {
      x_scalars[step.node] = evaluate(step);
    }
  }
  return true;
}

bool Runner::run_lanes(Phase phase, std::size_t lane, std::size_t count) {
  const std::vector<LaneStep>& steps = x_code.lanes[static_cast<std::size_t>(phase)];
  const bool guarded = x_code.lane_guards && phase == Phase::kRepeated;
  if (guarded) std::ranges::fill(mask(count), std::uint8_t{1});
  for (const LaneStep& step : steps) {
    if (step.kind == LaneStepKind::kGuard) {
      keep_nonzero(x_code.slots[step.a.slot].type, mask(count), lanes(step.a.slot, lane));
      if (std::memchr(x_mask.data(), 1, count) == nullptr) return false;
    } else {
      run_step(step, lane, count);
    }
  }
  return true;
}

const std::byte* Runner::lanes(SlotId slot, std::size_t lane) const {
  const Slot& place = x_code.slots[slot];
  return place.held ? x_own[slot] + lane * lane_bytes(place.type) : x_data[slot];
}

std::byte* Runner::output(SlotId slot, std::size_t lane) const {
  const Slot& place = x_code.slots[slot];
  return place.held ? x_own[slot] + lane * lane_bytes(place.type) : x_own[slot];
}

std::byte* Runner::accumulator_lanes(std::size_t accumulator) const {
  return x_own[x_code.accumulators[accumulator].slot];
}

void Runner::lend_accumulator(std::size_t accumulator, std::byte* lanes) {
  x_own[x_code.accumulators[accumulator].slot] = lanes;
}

LaneOperand Runner::operand(const Source& source, std::size_t lane) const {
  if (source.slot != kNoSlot) return {lanes(source.slot, lane), Spread::kLanes};
  if (source.scalar == kNoNode) return {};
  return {std::as_bytes(std::span(&x_scalars[source.scalar], 1)).data(), Spread::kUniform};
}

EntryPosition Runner::entry_position(std::size_t lane) const {
  EntryPosition entry{x_position.flat, x_position.index0, Form::kUniform, Form::kUniform};
  if (x_code.axis == Axis::kEntry || x_code.axis == Axis::kFlatEntry) {
    entry.flat += static_cast<i128>(lane);
    entry.flat_form = Form::kRun;
  }
  if (x_code.axis == Axis::kFlatEntry) entry.round_form = Form::kLanes;
  // Rank 0 and 1: the only index is the one that lanes run along.
  if (x_code.axis == Axis::kEntry && x_inner_extent == 0) {
    entry.round += static_cast<i128>(lane);
    entry.round_form = Form::kRun;
  }
  return entry;
}

LaneCoordinate Runner::coordinate(const Source& source, Form form, std::size_t lane) const {
  LaneCoordinate result;
  result.form = form;
  if (form == Form::kLanes) {
    result.lanes = lanes(source.slot, lane);
  } else if (source.scalar != kNoNode) {
    result.base = x_scalars[source.scalar];
    if (form == Form::kRun) result.base += static_cast<i128>(lane);
  }
  return result;
}

void Runner::run_load(const LaneStep& step, std::size_t lane, std::size_t count) {
  const Load& load = x_code.loads[step.load];
  const Slot& slot = x_code.slots[step.dst];
  std::byte* const dst = output(step.dst, lane);
  const LaneCoordinate a = coordinate(step.a, step.a_form, lane);
  const LaneCoordinate b = coordinate(step.b, step.b_form, lane);
  const EntryPosition entry = entry_position(lane);
  if (step.kind == LaneStepKind::kLoadRun) {
    const std::uint64_t done = (x_code.axis == Axis::kFold ? x_position.fold : lane) + count;
    const std::size_t ahead =
        static_cast<std::size_t>(std::min<std::uint64_t>(count, x_lanes - std::min(x_lanes, done)));
    const std::byte* const data = load_run(load, x_rows, slot.type, dst, a, b, entry, count, ahead);
    if (!slot.held) {
      x_data[step.dst] = data;
    } else if (data != dst) {
      std::memcpy(dst, data, count * lane_bytes(slot.type));
    }
    return;
  }
  EntryLanes entry_lanes;
  if (entry.round_form == Form::kLanes) {
    run_index(static_cast<std::int32_t>(Variable::kIndex0), x_scratch.data(), lane, count);
    entry_lanes.rounds = x_scratch.data();
  }
  load_gather(load, x_rows, slot.type, dst, a, b, entry, entry_lanes, count);
  if (!slot.held) x_data[step.dst] = dst;
}

const std::byte* Runner::load_row(const LaneStep& step, std::size_t cache, std::size_t lane, std::size_t count) {
  TALLY_ASSERT(cache < kLoadCaches);
  Load load = x_code.loads[step.load];
  load.cache += cache;
  const LaneType type = x_code.slots[step.dst].type;
  if (load.cache >= x_rows_held.size()) x_rows_held.resize(load.cache + 1);
  std::vector<std::byte>& held = x_rows_held[load.cache];
  held.resize(std::max(held.size(), count * lane_bytes(type)));
  return load_run(load, x_rows, type, held.data(), coordinate(step.a, step.a_form, lane),
                  coordinate(step.b, step.b_form, lane), entry_position(lane), count, 0);
}

const std::byte* Runner::row_in_place(SlotId slot, std::size_t cache, std::size_t lane, std::size_t count) {
  const std::vector<LaneStep>& steps = x_code.lanes[static_cast<std::size_t>(Phase::kRepeated)];
  const auto step = std::ranges::find(steps, slot, &LaneStep::dst);
  if (step == steps.end() || step->kind != LaneStepKind::kLoadRun) return nullptr;
  TALLY_ASSERT(cache < kLoadCaches);
  Load load = x_code.loads[step->load];
  if (load.object.kind != ObjectKind::kRow) return nullptr;
  load.cache += cache;
  return math::row_in_place(load, x_rows, x_code.slots[slot].type, coordinate(step->a, step->a_form, lane),
                            coordinate(step->b, step->b_form, lane), entry_position(lane), count);
}

// As 64-bit lanes.
void Runner::run_index(std::int32_t variable, std::byte* dst, std::size_t lane, std::size_t count) const {
  std::uint64_t row = (x_position.flat + lane) / x_inner_extent;
  std::uint64_t column = (x_position.flat + lane) % x_inner_extent;
  const bool first = variable == static_cast<std::int32_t>(Variable::kIndex0);
  for (std::size_t i = 0; i < count; ++i) {
    put_lane<std::uint64_t>(dst, i, first ? row : column);
    if (++column == x_inner_extent) {
      column = 0;
      ++row;
    }
  }
}

void Runner::run_prf(const LaneStep& step, std::size_t lane, std::size_t count) {
  const auto value = [](const LaneOperand& source, std::size_t i) {
    return get_lane<i128>(source.data, source.spread == Spread::kUniform ? 0 : i);
  };
  const LaneOperand a = operand(step.a, lane);
  const LaneOperand b = operand(step.b, lane);
  const LaneOperand c = operand(step.c, lane);
  std::byte* const dst = output(step.dst, lane);
  Digest digest{};
  i128 digest_a = 0;
  i128 digest_b = 0;
  i128 block = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const i128 key_a = value(a, i);
    const i128 key_b = value(b, i);
    const i128 counter = value(c, i);
    if (counter < 0 || counter >= (i128{1} << 63)) {
      put_lane<std::int64_t>(dst, i, 0);
      continue;
    }
    if (block != counter / kPrfWords || key_a != digest_a || key_b != digest_b) {
      block = counter / kPrfWords;
      digest_a = key_a;
      digest_b = key_b;
      digest = prf_block(key_a, key_b, static_cast<std::uint64_t>(block));
    }
    put_lane<std::int64_t>(dst, i, prf_word(digest, static_cast<unsigned>(counter % kPrfWords)));
  }
}

void Runner::run_step(const LaneStep& step, std::size_t lane, std::size_t count) {
  const LaneType type = x_code.slots[step.dst].type;
  std::byte* const dst = output(step.dst, lane);
  switch (step.kind) {
    case LaneStepKind::kCompute:
      compute_lanes(step.op, type, dst, operand(step.a, lane), operand(step.b, lane), operand(step.c, lane), step.imm,
                    count);
      break;
    case LaneStepKind::kConvert:
      convert_lanes(type, dst, x_code.slots[step.a.slot].type, lanes(step.a.slot, lane), count);
      break;
    case LaneStepKind::kToCoordinate:
      convert_coordinates(dst, x_code.slots[step.a.slot].type, lanes(step.a.slot, lane), count);
      break;
    case LaneStepKind::kCount:
      count_lanes(type, dst, x_scalars[step.a.scalar] + static_cast<i128>(lane), count);
      break;
    case LaneStepKind::kIndex:
      run_index(step.imm, x_scratch.data(), lane, count);
      convert_lanes(type, dst, LaneType::k64, x_scratch.data(), count);
      break;
    case LaneStepKind::kLoadRun:
    case LaneStepKind::kLoadGather:
      run_load(step, lane, count);
      return;
    case LaneStepKind::kPrf:
      run_prf(step, lane, count);
      break;
    case LaneStepKind::kGuard:
      TALLY_ASSERT(false);
      break;
  }
  if (!x_code.slots[step.dst].held) x_data[step.dst] = dst;
}

void Runner::update_accumulators(std::size_t lane, std::size_t count) {
  for (const AccumulatorCode& accumulator : x_code.accumulators) {
    const Source& updated = accumulator.updated;
    if (updated.slot == kNoSlot && updated.scalar == kNoNode) continue;
    const LaneType type = x_code.slots[accumulator.slot].type;
    std::byte* const dst = output(accumulator.slot, lane);
    const std::byte* source = x_scratch.data();
    if (updated.slot == kNoSlot) {
      fill_lanes(type, x_scratch.data(), x_scalars[updated.scalar], count);
    } else {
      source = lanes(updated.slot, lane);
    }
    if (x_code.lane_guards) {
      blend_lanes(type, dst, source, mask(count));
    } else {
      std::memcpy(dst, source, count * lane_bytes(type));
    }
  }
}

i128 Runner::reduced(Reduction reduction, const Term& term, i128 old, std::size_t count) {
  const bool uniform = term.value.slot == kNoSlot;
  const auto active = [&] {
    return x_code.lane_guards ? static_cast<i128>(std::ranges::count(mask(count), std::uint8_t{1}))
                              : static_cast<i128>(count);
  };
  if (uniform) {
    const i128 value = x_scalars[term.value.scalar];
    if (reduction == Reduction::kSum) return compute_scalar(Op::kMul, value, active(), 0, 0);
    return value;
  }
  const std::byte* source = lanes(term.value.slot, 0);
  if (x_code.lane_guards) {
    // Skipped lanes count as 0 in a sum; for min and max as any lane that is not skipped.
    i128 neutral = 0;
    if (reduction != Reduction::kSum) {
      const auto first =
          static_cast<std::size_t>(std::find(x_mask.begin(), x_mask.end(), std::uint8_t{1}) - x_mask.begin());
      neutral = read_lane(term.type, source, first);
    }
    fill_lanes(term.type, x_scratch.data(), neutral, count);
    blend_lanes(term.type, x_scratch.data(), source, mask(count));
    source = x_scratch.data();
  }
  switch (reduction) {
    case Reduction::kSum:
      return sum_lanes(term.type, source, count);
    case Reduction::kMin:
      return min_lanes(term.type, source, count);
    case Reduction::kMax:
      return max_lanes(term.type, source, count);
    case Reduction::kNone:
    case Reduction::kSequential:
      break;
  }
  return old;
}

void Runner::reduce(std::size_t count) {
  bool sequential = false;
  for (std::size_t j = 0; j < x_code.accumulators.size(); ++j) {
    const AccumulatorCode& accumulator = x_code.accumulators[j];
    i128& value = x_scalars[x_graph.accumulators[j]];
    switch (accumulator.reduction) {
      case Reduction::kNone:
        break;
      case Reduction::kSequential:
        sequential = true;
        break;
      case Reduction::kSum:
        for (const Term& term : accumulator.terms) {
          const i128 sum = reduced(Reduction::kSum, term, value, count);
          value = compute_scalar(term.negative ? Op::kSub : Op::kAdd, value, sum, 0, 0);
        }
        break;
      case Reduction::kMin:
      case Reduction::kMax:
        for (const Term& term : accumulator.terms) {
          const i128 extreme = reduced(accumulator.reduction, term, value, count);
          value = accumulator.reduction == Reduction::kMin ? std::min(value, extreme) : std::max(value, extreme);
        }
        break;
    }
  }
  if (sequential) reduce_sequentially(count);
}

void Runner::reduce_sequentially(std::size_t count) {
  std::array<i128, kMaxAccumulators> fresh{};
  for (std::size_t lane = 0; lane < count; ++lane) {
    if (x_code.lane_guards && x_mask[lane] == 0) continue;
    for (const LaneInput& input : x_code.sequential_inputs) {
      x_scalars[input.node] = read_lane(x_code.slots[input.slot].type, lanes(input.slot, 0), lane);
    }
    bool skipped = false;
    for (const ScalarStep& step : x_code.sequential) {
      if (step.guard) {
        skipped = x_scalars[step.node] == 0;
        if (skipped) break;
      } else {
        x_scalars[step.node] = evaluate(step);
      }
    }
    if (skipped) continue;
    for (std::size_t j = 0; j < x_code.accumulators.size(); ++j) fresh[j] = x_scalars[x_graph.updated[j]];
    for (std::size_t j = 0; j < x_code.accumulators.size(); ++j) {
      if (x_code.accumulators[j].reduction == Reduction::kSequential) x_scalars[x_graph.accumulators[j]] = fresh[j];
    }
  }
}

}  // namespace tally::math
