// One thread's work on an item: entries in, blocks of results out. Each worker has its own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/runner.h"

namespace tally::math {

/// The results of a block of entries, on their way to the sink.
class ResultBlock {
 public:
  explicit ResultBlock(const Plan& plan);
  /// Room for `count` entries, none failed, and 0 in columns that the finish does not return.
  void start(std::uint64_t first, std::size_t count);
  [[nodiscard]] std::byte* column(std::size_t column) { return x_columns[column].data(); }
  [[nodiscard]] std::span<std::uint8_t> failed() { return x_failed; }
  void set_failed(std::size_t entry) { x_failed[entry] = 1; }
  /// Clears what failed entries returned, and hands the block over.
  void deliver(EntrySink& sink);

 private:
  const Plan& x_plan;
  std::uint64_t x_first = 0;
  std::vector<std::vector<std::byte>> x_columns;
  std::vector<std::span<const std::byte>> x_views;
  std::vector<std::uint8_t> x_failed;
};

class Worker {
 public:
  virtual ~Worker() = default;
  /// Entries [first, first + count): within one row of an item whose lanes run along its last index.
  virtual void evaluate(std::uint64_t first, std::size_t count, EntrySink& sink) = 0;
};

/// Runs the finish of single entries.
class ScalarFinish {
 public:
  explicit ScalarFinish(const Plan& plan);
  /// Writes entry `entry` of a block.
  void run(std::span<const i128> accumulators, const Position& position, std::size_t entry, ResultBlock& results);

 private:
  const Plan& x_plan;
  Runner x_runner;
};

/// For lanes over entries. Blocks have `block` entries at most.
[[nodiscard]] std::unique_ptr<Worker> make_entry_worker(const Plan& plan, std::size_t block);

/// For lanes along the fold, and for no lanes at all.
[[nodiscard]] std::unique_ptr<Worker> make_fold_worker(const Plan& plan);

/// For plan.pairs, over whole rows of entries.
[[nodiscard]] std::unique_ptr<Worker> make_pairs_worker(const Plan& plan);

/// Lanes of a group: what fits the nearest cache with some temporaries beside it.
inline constexpr std::size_t kGroupLanes = 512;

}  // namespace tally::math
