// A section scheduled for lanes: what is computed once, what for every step of a fold, and what for every lane.
//
// Lanes run along one axis:
//
//   kEntry      consecutive entries along their last index; any other index is the same for all lanes
//   kFlatEntry  consecutive entries by flattened index, where the last index is too short to fill lanes
//   kFold       consecutive fold indices of one entry
//   kScalar     no lanes: every value is uniform (also for the finish of one entry)
//
// Values that are the same for all lanes are computed once as 128-bit scalars; so is the base of a run (a value that
// is base + lane). What does not depend on the fold index is hoisted out of the fold. Guards come first, so that a step
// that is skipped reads no rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/executor/graph.h"
#include "deterministic_math/executor/objects.h"

namespace tally::math {

enum class Axis : std::uint8_t { kEntry, kFlatEntry, kFold, kScalar };

/// kHoisted: once for each block of entries (or, along a fold, for each entry). kRepeated: for every step of the fold
/// (along a fold: for every block of fold indices).
enum class Phase : std::uint8_t { kHoisted = 0, kRepeated = 1 };

using SlotId = std::uint16_t;
inline constexpr SlotId kNoSlot = 0xffff;

/// Memory for a lane vector. Hoisted values and accumulators are held for all lanes of a block, temporaries for one
/// group of lanes; `offset` is in bytes for each lane of its arena.
struct Slot {
  LaneType type = LaneType::k64;
  bool held = false;
  std::size_t offset = 0;
};

/// An operand of lanes: a slot, or a node's scalar.
struct Source {
  SlotId slot = kNoSlot;
  NodeId scalar = kNoNode;
};

enum class LaneStepKind : std::uint8_t {
  kCompute,
  kConvert,       // a to the slot's type
  kToCoordinate,  // a to 64 bits, out of bounds if it does not fit
  kCount,         // a run's values
  kIndex,         // imm: an entry index of each lane (kFlatEntry)
  kLoadRun,
  kLoadGather,
  kPrf,
  kGuard,  // lanes where a is 0 skip the step
};

struct LaneStep {
  LaneStepKind kind = LaneStepKind::kCompute;
  Op op = Op::kImm;
  SlotId dst = kNoSlot;
  Source a;
  Source b;
  Source c;
  std::int32_t imm = 0;
  std::uint16_t load = 0;
  Form a_form = Form::kUniform;  // coordinates of loads
  Form b_form = Form::kUniform;
};

/// Computes one scalar, or (guard) ends the step where it is 0.
struct ScalarStep {
  NodeId node = kNoNode;
  bool guard = false;
  std::uint16_t load = 0;
};

/// How an accumulator changes along a fold of lanes.
enum class Reduction : std::uint8_t { kNone, kSum, kMin, kMax, kSequential };

struct Term {
  Source value;
  LaneType type = LaneType::k64;
  bool negative = false;
};

struct AccumulatorCode {
  SlotId slot = kNoSlot;                   // of its lanes (kEntry, kFlatEntry)
  Source updated;                          // lanes to copy back after a step; none: unchanged, or updated in place
  Reduction reduction = Reduction::kNone;  // kFold
  std::vector<Term> terms;                 // kFold; for min and max one for each operand
};

/// A value that a sequential step takes from lanes.
struct LaneInput {
  NodeId node = kNoNode;
  SlotId slot = kNoSlot;
};

struct Code {
  Axis axis = Axis::kScalar;
  std::vector<Slot> slots;
  std::array<std::vector<ScalarStep>, 2> scalars;  // by Phase
  std::array<std::vector<LaneStep>, 2> lanes;      // by Phase
  std::vector<Load> loads;                         // by LaneStep::load and ScalarStep::load
  std::vector<AccumulatorCode> accumulators;
  std::vector<Source> requirements;
  std::vector<Source> returned;  // as Graph::returned
  std::vector<LaneType> requirement_types;
  std::vector<LaneType> returned_types;
  // kFold: steps of accumulators that are no plain reduction, done lane after lane.
  std::vector<LaneInput> sequential_inputs;
  std::vector<ScalarStep> sequential;
  std::vector<NodeId> zeros;  // scalars that are the constant 0
  bool lane_guards = false;
  std::size_t held_bytes = 0;   // for each lane of a block
  std::size_t group_bytes = 0;  // for each lane of a group
};

/// What a code is made for.
struct CodeRequest {
  const Program& program;
  const BatchValues& values;
  const Inputs& inputs;
  std::size_t item = 0;
  const Graph& graph;
  Axis axis = Axis::kScalar;
  bool has_fold = false;   // of the section: a step
  std::size_t& row_loads;  // numbers the loads of rank 2 of all codes of a worker
};

[[nodiscard]] Code schedule(const CodeRequest& request);

}  // namespace tally::math
