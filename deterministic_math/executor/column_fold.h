// Runs the column plan on a block of entries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/executor/column.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/runner.h"
#include "deterministic_math/executor/stop_checks.h"

namespace tally::math {

class ColumnFold {
 public:
  /// `step` runs plan.step_code; all must outlive this.
  ColumnFold(const Plan& plan, Runner& step, StopChecks& checks) : x_plan(plan), x_step(step), x_checks(checks) {}

  /// Folds all records into the accumulators of the step's block, which has `count` lanes.
  void run(std::size_t count);

 private:
  // Some records' rows over one row block, with each term's weights.
  struct Batch {
    ColumnRows rows;
    std::array<std::array<std::int64_t, kColumnRows>, kMaxAccumulators> weights{};
  };

  void fold_block(std::size_t block, std::size_t lanes);
  /// False where the row's memory lasts only until the cache is used again.
  bool add_record(Batch& batch, std::size_t block, std::size_t lanes);
  void fold(Batch& batch, std::size_t offset, std::size_t lane, std::size_t lanes);
  void add_term(const ColumnTerm& term, const ColumnRows& rows, std::size_t lane, std::size_t lanes);
  void add_all_ranks(const ColumnRows& rows, std::size_t lane, std::size_t lanes);
  [[nodiscard]] std::byte* accumulator_at(std::size_t accumulator, std::size_t lane) const;

  const Plan& x_plan;
  Runner& x_step;
  StopChecks& x_checks;
  std::vector<Batch> x_batches;
};

}  // namespace tally::math
