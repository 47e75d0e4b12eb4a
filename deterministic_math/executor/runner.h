// Runs a scheduled section: its scalars, then its lanes, group by group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/executor/code.h"
#include "deterministic_math/executor/objects.h"

namespace tally::math {

/// Memory that starts on a cache line.
class AlignedBuffer {
 public:
  [[nodiscard]] std::byte* reserve(std::size_t bytes);

 private:
  std::vector<std::byte> x_memory;
};

/// Where a section runs: the entry (the first of a block of them), and the fold index (the first of a group of them).
struct Position {
  std::uint64_t flat = 0;
  std::uint64_t index0 = 0;
  std::uint64_t index1 = 0;
  std::uint64_t fold = 0;
};

class Runner {
 public:
  Runner(const Graph& graph, const Code& code, const BatchValues& values, RowSource* rows, std::uint64_t inner_extent);

  /// Reserves memory for blocks of up to `lanes`, and for groups of up to `group` lanes.
  void reserve(std::size_t lanes, std::size_t group);

  /// `lanes`: of the block; along a fold, of the whole fold.
  void set_position(const Position& position, std::uint64_t lanes = 0) {
    x_position = position;
    x_lanes = lanes;
  }
  void set_fold(std::uint64_t fold) { x_position.fold = fold; }

  /// False where a guard is 0.
  bool run_scalars(Phase phase);

  /// Lanes [lane, lane + count) of the block. False where the guards leave no lane.
  bool run_lanes(Phase phase, std::size_t lane, std::size_t count);

  /// Reads a run of the block's lanes for a load step, as run_lanes would, into one of the load's kLoadCaches caches.
  [[nodiscard]] const std::byte* load_row(const LaneStep& step, std::size_t cache, std::size_t lane, std::size_t count);

  /// The lanes of a slot that a repeated load of a row gives, where they can be read in place for as long as the source
  /// lives; else null. The block is asked for through one of the load's caches.
  [[nodiscard]] const std::byte* row_in_place(SlotId slot, std::size_t cache, std::size_t lane, std::size_t count);

  /// Lets accumulators take their values after a step of these lanes.
  void update_accumulators(std::size_t lane, std::size_t count);

  /// The same for a fold that runs along `count` lanes: adds them to the accumulators' scalars.
  void reduce(std::size_t count);

  [[nodiscard]] i128& scalar(NodeId node) { return x_scalars[node]; }
  [[nodiscard]] std::byte* accumulator_lanes(std::size_t accumulator) const;
  /// Lets a slot be memory of another runner.
  void lend_accumulator(std::size_t accumulator, std::byte* lanes);

  [[nodiscard]] const std::byte* lanes(SlotId slot, std::size_t lane) const;
  [[nodiscard]] const Code& code() const { return x_code; }
  [[nodiscard]] const Graph& graph() const { return x_graph; }

 private:
  [[nodiscard]] i128 evaluate(const ScalarStep& step);
  [[nodiscard]] LaneOperand operand(const Source& source, std::size_t lane) const;
  [[nodiscard]] std::byte* output(SlotId slot, std::size_t lane) const;
  [[nodiscard]] EntryPosition entry_position(std::size_t lane) const;
  [[nodiscard]] LaneCoordinate coordinate(const Source& source, Form form, std::size_t lane) const;
  void run_step(const LaneStep& step, std::size_t lane, std::size_t count);
  void run_load(const LaneStep& step, std::size_t lane, std::size_t count);
  void run_index(std::int32_t variable, std::byte* dst, std::size_t lane, std::size_t count) const;
  void run_prf(const LaneStep& step, std::size_t lane, std::size_t count);
  [[nodiscard]] i128 reduced(Reduction reduction, const Term& term, i128 old, std::size_t count);
  void reduce_sequentially(std::size_t count);
  [[nodiscard]] std::span<std::uint8_t> mask(std::size_t count) { return std::span(x_mask).first(count); }

  const Graph& x_graph;
  const Code& x_code;
  const BatchValues& x_values;
  RowBlocks x_rows;
  std::uint64_t x_inner_extent;
  Position x_position;
  std::uint64_t x_lanes = 0;
  std::vector<i128> x_scalars;
  AlignedBuffer x_held;
  AlignedBuffer x_group;
  std::vector<std::byte*> x_own;         // by slot
  std::vector<const std::byte*> x_data;  // by slot: own memory, or memory read in place
  std::vector<std::uint8_t> x_mask;
  std::vector<std::byte> x_scratch;
  std::vector<std::vector<std::byte>> x_rows_held;  // by cache of load_row
};

}  // namespace tally::math
