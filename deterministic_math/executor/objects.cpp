#include "deterministic_math/executor/objects.h"

#include <algorithm>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

bool is_unsigned(const ObjectView& object) {
  return object.kind == ObjectKind::kMember || object.kind == ObjectKind::kNonce;
}

// Elements of members and nonces are unsigned in memory; all others are what their type says.
i128 element_of(const ObjectView& object, const std::byte* data, std::uint64_t index) {
  if (is_unsigned(object)) return get_lane<std::uint64_t>(data, index);
  return get_element(object.type, data, index);
}

bool visible(const Load& load, i128 flat, i128 first, i128 entry_flat, i128 entry_round) {
  switch (load.rule) {
    case LoadRule::kVisible:
      return true;
    case LoadRule::kSmallerFlat:
      return flat < entry_flat;
    case LoadRule::kUpToRound:
      return first <= entry_round;
    case LoadRule::kEarlierRound:
      return first < entry_round;
    case LoadRule::kNever:
      return false;
  }
  return false;
}

// Half-open range of lanes.
struct LaneRange {
  i128 first = 0;
  i128 last = 0;
  void cut(i128 lo, i128 hi) {
    first = std::max(first, lo);
    last = std::max(first, std::min(last, hi));
  }
};

// Lanes with x + lane*(x is a run) < y + lane*(y is a run).
void cut_below(LaneRange& lanes, i128 x, Form x_form, i128 y, Form y_form) {
  const bool x_runs = x_form == Form::kRun;
  const bool y_runs = y_form == Form::kRun;
  if (x_runs == y_runs) {
    if (x >= y) lanes.last = lanes.first;
  } else if (x_runs) {
    lanes.cut(lanes.first, y - x);
  } else {
    lanes.cut(x - y + 1, lanes.last);
  }
}

struct Run {
  LaneRange lanes;
  std::uint64_t record = 0;
  i128 start = 0;  // element of lane 0, within the record for rows and in the table otherwise; may be negative
};

Run resolve_run(const Load& load, const LaneCoordinate& a, const LaneCoordinate& b, const EntryPosition& entry,
                std::size_t count) {
  const ObjectView& object = load.object;
  Run run;
  run.lanes.last = static_cast<i128>(count);
  const LaneCoordinate& last = object.rank == 2 ? b : a;
  const i128 bound = static_cast<i128>(object.extents[object.rank == 2 ? 1 : 0]);
  // Far outside, and lane arithmetic below could leave i128.
  const i128 far = i128{1} << 100;
  if (last.base < -far || last.base > far) {
    run.lanes.last = 0;
    return run;
  }
  run.lanes.cut(-last.base, bound - last.base);
  run.start = last.base;
  if (object.rank == 2) {
    if (a.base < 0 || a.base >= static_cast<i128>(object.extents[0])) {
      run.lanes.last = run.lanes.first;
      return run;
    }
    run.record = static_cast<std::uint64_t>(a.base);
    if (object.kind != ObjectKind::kRow) run.start += a.base * bound;
  }
  switch (load.rule) {
    case LoadRule::kVisible:
      break;
    case LoadRule::kSmallerFlat:
      cut_below(run.lanes, run.start, Form::kRun, entry.flat, entry.flat_form);
      break;
    case LoadRule::kUpToRound:
      cut_below(run.lanes, a.base - 1, a.form, entry.round, entry.round_form);
      break;
    case LoadRule::kEarlierRound:
      cut_below(run.lanes, a.base, a.form, entry.round, entry.round_form);
      break;
    case LoadRule::kNever:
      run.lanes.last = run.lanes.first;
      break;
  }
  return run;
}

void load_part(const Load& load, LaneType type, std::byte* dst, const std::byte* data, std::uint64_t index,
               std::size_t count) {
  if (!is_unsigned(load.object)) {
    load_lanes(type, dst, load.object.type, data + index * element_bytes(load.object.type), load.clamp, count);
    return;
  }
  with_lane_type(type, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    for (std::size_t i = 0; i < count; ++i) {
      put_lane<T>(dst, i, static_cast<T>(load.clamp.clamp(get_lane<std::uint64_t>(data, index + i))));
    }
  });
}

// Elements that lanes of this type may be read from without a copy.
bool readable_in_place(const Load& load, LaneType type, const std::byte* memory) {
  return !is_unsigned(load.object) && lane_bytes(type) == element_bytes(load.object.type) &&
         load.clamp.contains(type_range(load.object.type)) &&
         reinterpret_cast<std::uintptr_t>(memory) % lane_bytes(type) == 0;
}

}  // namespace

ObjectView view_object(const Program& program, const BatchValues& values, const Inputs& inputs, ObjectId id) {
  const Object& object = program.objects[id];
  ObjectView view;
  view.kind = object.kind;
  view.id = id;
  view.type = object.type;
  view.rank = object.rank;
  std::uint64_t elements = 1;
  for (std::size_t axis = 0; axis < object.rank; ++axis) {
    view.extents[axis] = extent_value(object.extents[axis], values);
    elements *= view.extents[axis];
  }
  switch (object.kind) {
    case ObjectKind::kMember:
      TALLY_ASSERT(inputs.members.size() == elements);
      view.data = std::as_bytes(inputs.members).data();
      break;
    case ObjectKind::kNonce:
      TALLY_ASSERT(inputs.nonces.size() == elements);
      view.data = std::as_bytes(inputs.nonces).data();
      break;
    case ObjectKind::kField:
      TALLY_ASSERT(inputs.fields.at(id).size() == elements);
      view.data = std::as_bytes(inputs.fields[id]).data();
      break;
    case ObjectKind::kRow:
      TALLY_ASSERT(inputs.rows != nullptr || elements == 0);
      break;
    case ObjectKind::kState:
    case ObjectKind::kAdvice:
    case ObjectKind::kComputed:
      TALLY_ASSERT(inputs.tables.at(id).size() == elements * element_bytes(object.type));
      view.data = inputs.tables[id].data();
      break;
  }
  return view;
}

RowBlocks::Block RowBlocks::block(const Load& load, std::uint64_t record, std::uint64_t position) {
  if (load.cache >= x_held.size()) x_held.resize(load.cache + 1);
  Held& held = x_held[load.cache];
  const std::uint64_t first = position - position % kRowBlock;
  if (!held.valid || held.record != record || held.block.first != first || held.row != load.object.id) {
    const std::uint64_t length = load.object.extents[1];
    held.valid = false;
    held.row = load.object.id;
    held.record = record;
    held.block.first = first;
    held.block.count = static_cast<std::size_t>(std::min<std::uint64_t>(kRowBlock, length - first));
    const std::size_t bytes = held.block.count * element_bytes(load.object.type);
    held.scratch.resize(bytes);
    held.block.data = x_source->view(load.object.id, record, first, held.block.count, held.scratch);
    TALLY_ASSERT(held.block.data.size() >= bytes);
    held.block.lasting = held.block.data.data() != held.scratch.data();
    held.valid = true;
  }
  return held.block;
}

i128 load_scalar(const Load& load, RowBlocks& rows, i128 a, i128 b, const EntryPosition& entry) {
  const ObjectView& object = load.object;
  const std::array<i128, kMaxRank> coordinates{a, b};
  std::uint64_t flat = 0;
  for (std::size_t axis = 0; axis < object.rank; ++axis) {
    if (coordinates[axis] < 0 || coordinates[axis] >= static_cast<i128>(object.extents[axis]))
      return load.clamp.clamp(0);
    flat = flat * object.extents[axis] + static_cast<std::uint64_t>(coordinates[axis]);
  }
  if (!visible(load, static_cast<i128>(flat), object.rank == 0 ? 0 : a, entry.flat, entry.round)) {
    return load.clamp.clamp(0);
  }
  if (object.kind != ObjectKind::kRow) return load.clamp.clamp(element_of(object, object.data, flat));
  const RowBlocks::Block block = rows.block(load, static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b));
  return load.clamp.clamp(get_element(object.type, block.data.data(), static_cast<std::uint64_t>(b) - block.first));
}

const std::byte* load_run(const Load& load, RowBlocks& rows, LaneType type, std::byte* dst, const LaneCoordinate& a,
                          const LaneCoordinate& b, const EntryPosition& entry, std::size_t count, std::size_t ahead) {
  const Run run = resolve_run(load, a, b, entry, count);
  const auto first = static_cast<std::size_t>(run.lanes.first);
  const auto last = static_cast<std::size_t>(run.lanes.last);
  const std::size_t width = lane_bytes(type);
  if (first >= last) {
    fill_lanes(type, dst, load.clamp.clamp(0), count);
    return dst;
  }
  auto index = static_cast<std::uint64_t>(run.start + run.lanes.first);
  const bool whole = first == 0 && last == count;
  if (load.object.kind != ObjectKind::kRow) {
    const std::byte* const memory = load.object.data + index * element_bytes(load.object.type);
    if (whole && readable_in_place(load, type, memory)) return memory;
    load_part(load, type, dst + first * width, load.object.data, index, last - first);
  } else {
    for (std::size_t lane = first; lane < last;) {
      const RowBlocks::Block block = rows.block(load, run.record, index);
      const auto offset = static_cast<std::size_t>(index - block.first);
      const std::size_t part = std::min(last - lane, block.count - offset);
      const std::byte* const memory = block.data.data() + offset * element_bytes(load.object.type);
      prefetch(memory + part * element_bytes(load.object.type), ahead * element_bytes(load.object.type));
      if (whole && part == count && readable_in_place(load, type, memory)) return memory;
      load_part(load, type, dst + lane * width, block.data.data(), offset, part);
      lane += part;
      index += part;
    }
  }
  fill_lanes(type, dst, load.clamp.clamp(0), first);
  fill_lanes(type, dst + last * width, load.clamp.clamp(0), count - last);
  return dst;
}

const std::byte* row_in_place(const Load& load, RowBlocks& rows, LaneType type, const LaneCoordinate& a,
                              const LaneCoordinate& b, const EntryPosition& entry, std::size_t count) {
  const Run run = resolve_run(load, a, b, entry, count);
  if (count == 0 || run.lanes.first != 0 || run.lanes.last != static_cast<i128>(count)) return nullptr;
  const auto start = static_cast<std::uint64_t>(run.start);
  const RowBlocks::Block block = rows.block(load, run.record, start);
  const auto offset = static_cast<std::size_t>(start - block.first);
  if (!block.lasting || block.count - offset < count) return nullptr;
  const std::byte* const memory = block.data.data() + offset * element_bytes(load.object.type);
  return readable_in_place(load, type, memory) ? memory : nullptr;
}

void load_gather(const Load& load, RowBlocks& rows, LaneType type, std::byte* dst, const LaneCoordinate& a,
                 const LaneCoordinate& b, const EntryPosition& entry, const EntryLanes& lanes, std::size_t count) {
  const auto coordinate = [](const LaneCoordinate& c, std::size_t lane) -> i128 {
    if (c.form == Form::kLanes) return get_lane<std::int64_t>(c.lanes, lane);
    return c.form == Form::kRun ? c.base + static_cast<i128>(lane) : c.base;
  };
  const auto position = [](Form form, i128 base, const std::byte* values, std::size_t lane) -> i128 {
    if (form == Form::kLanes) return get_lane<std::int64_t>(values, lane);
    return form == Form::kRun ? base + static_cast<i128>(lane) : base;
  };
  with_lane_type(type, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    for (std::size_t lane = 0; lane < count; ++lane) {
      EntryPosition own;
      own.flat = position(entry.flat_form, entry.flat, lanes.flats, lane);
      own.round = position(entry.round_form, entry.round, lanes.rounds, lane);
      put_lane<T>(dst, lane, static_cast<T>(load_scalar(load, rows, coordinate(a, lane), coordinate(b, lane), own)));
    }
  });
}

}  // namespace tally::math
