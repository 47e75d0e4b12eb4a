// What evaluate() finds out about an item before it runs: its graphs, its sizes, and the axis that lanes run along.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "deterministic_math/executor/bucket.h"
#include "deterministic_math/executor/code.h"
#include "deterministic_math/executor/column.h"
#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/graph.h"
#include "deterministic_math/executor/pairs.h"
#include "deterministic_math/executor/runner.h"

namespace tally::math {

/// A result table of the item.
struct Column {
  ElementType type = ElementType::kI64;
  Range range;
};

struct Plan {
  const Program& program;
  const BatchValues& values;
  const Inputs& inputs;
  std::size_t item = 0;
  const TaskPool* pool = nullptr;  // that lends the threads

  Graph step;  // empty without a fold
  Graph finish;
  bool has_fold = false;
  std::uint64_t fold_length = 0;
  std::uint64_t entries = 0;
  std::uint64_t inner_extent = 0;  // of the last index of two; 0 for fewer
  std::vector<Column> columns;

  Axis axis = Axis::kEntry;
  Code step_code;
  Code finish_code;
  // Faster plans for step_code, where its shape is known.
  std::optional<ColumnPlan> column;
  std::optional<PairPlan> pairs;
  std::shared_ptr<const Buckets> buckets;  // for axis kScalar

  [[nodiscard]] const Body& body() const { return *program.items[item].body; }
  [[nodiscard]] Position position(std::uint64_t entry) const;
};

/// Graphs and sizes; the axis is still to be chosen.
[[nodiscard]] Plan analyse(const Program& program, const BatchValues& values, const Inputs& inputs, std::size_t item);

/// How the item's entries depend on its own smaller ones.
enum class OwnLoads : std::uint8_t {
  kNone,
  kEarlierRows,  // only entries whose first index is smaller
  kAny,
};
[[nodiscard]] OwnLoads own_loads(const Plan& plan);

/// An estimate of what a step of a fold costs an entry, for comparing axes: `lanes` are as many as there are.
[[nodiscard]] std::uint64_t code_cost(const Code& code, std::uint64_t lanes);

/// The axis along which lanes are fullest and loads lie side by side.
[[nodiscard]] Axis choose_axis(const Plan& plan, std::uint64_t entries);

/// Schedules both sections for an axis; the finish of an entry whose fold ran along lanes is scalar.
void schedule_plan(Plan& plan, Axis axis);

/// Evaluates entries along a given axis, whatever suits: kFlatEntry needs two indices, kFold a fold. All entries that
/// the item reads must be there.
void evaluate_along(Plan& plan, Axis axis, const EvaluateOptions& options, TaskPool& pool, EntrySink& sink);

}  // namespace tally::math
