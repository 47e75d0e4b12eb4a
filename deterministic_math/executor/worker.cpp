#include "deterministic_math/executor/worker.h"

#include <algorithm>

#include "deterministic_math/executor/column_fold.h"
#include "deterministic_math/executor/lanes.h"
#include "deterministic_math/executor/stop_checks.h"

namespace tally::math {

ResultBlock::ResultBlock(const Plan& plan)
    : x_plan(plan), x_columns(plan.columns.size()), x_views(plan.columns.size()) {}

void ResultBlock::start(std::uint64_t first, std::size_t count) {
  x_first = first;
  for (std::size_t c = 0; c < x_columns.size(); ++c) {
    x_columns[c].resize(count * element_bytes(x_plan.columns[c].type));
    // Columns that the finish returns are written whole.
    const bool returned =
        std::ranges::find(x_plan.finish.returned, c, &ReturnedValue::column) != x_plan.finish.returned.end();
    if (!returned) std::ranges::fill(x_columns[c], std::byte{0});
  }
  x_failed.assign(count, 0);
}

void ResultBlock::deliver(EntrySink& sink) {
  if (std::ranges::find(x_failed, std::uint8_t{1}) != x_failed.end()) {
    for (std::size_t c = 0; c < x_columns.size(); ++c) {
      for (std::size_t i = 0; i < x_failed.size(); ++i) {
        if (x_failed[i] != 0) put_element(x_plan.columns[c].type, x_columns[c].data(), i, 0);
      }
    }
  }
  for (std::size_t c = 0; c < x_columns.size(); ++c) x_views[c] = x_columns[c];
  sink.accept({x_plan.item, x_first, x_failed.size(), x_views, x_failed});
}

namespace {

// Accumulators of a whole block stay in memory between steps, so that each row is read in long runs; a group of lanes
// goes through a step's operations at a time.
class EntryWorker final : public Worker {
 public:
  EntryWorker(const Plan& plan, std::size_t block)
      : x_plan(plan),
        x_block(block),
        x_step(plan.step, plan.step_code, plan.values, plan.inputs.rows, plan.inner_extent),
        x_finish(plan.finish, plan.finish_code, plan.values, plan.inputs.rows, plan.inner_extent),
        x_results(plan),
        x_checks(plan.pool) {
    x_step.reserve(block, kGroupLanes);
    x_finish.reserve(0, kGroupLanes);
    if (!plan.has_fold) return;
    for (std::size_t j = 0; j < plan.finish.accumulators.size(); ++j) {
      x_finish.lend_accumulator(j, x_step.accumulator_lanes(j));
    }
  }

  void evaluate(std::uint64_t first, std::size_t count, EntrySink& sink) override {
    for (std::size_t done = 0; done < count; done += x_block) {
      evaluate_block(first + done, std::min(x_block, count - done), sink);
    }
  }

 private:
  void evaluate_block(std::uint64_t first, std::size_t count, EntrySink& sink) {
    const Position position = x_plan.position(first);
    if (x_plan.has_fold) run_fold(position, count);
    x_results.start(first, count);
    x_finish.set_position(position);
    x_finish.run_scalars(Phase::kHoisted);
    for_groups(count, [&](std::size_t lane, std::size_t lanes) { finish_group(lane, lanes); });
    x_results.deliver(sink);
    x_checks.spend(count);
  }

  template <class F>
  void for_groups(std::size_t count, F&& function) {
    for (std::size_t lane = 0; lane < count; lane += kGroupLanes) function(lane, std::min(kGroupLanes, count - lane));
  }

  void run_fold(const Position& position, std::size_t count) {
    const Body& body = x_plan.body();
    for (std::size_t j = 0; j < body.init.size(); ++j) {
      const LaneType type = x_plan.step_code.slots[x_plan.step_code.accumulators[j].slot].type;
      fill_lanes(type, x_step.accumulator_lanes(j), body.init[j], count);
    }
    x_step.set_position(position, count);
    if (x_plan.fold_length == 0 || !x_step.run_scalars(Phase::kHoisted)) return;
    for_groups(count, [&](std::size_t lane, std::size_t lanes) { x_step.run_lanes(Phase::kHoisted, lane, lanes); });
    if (x_plan.column) return ColumnFold(x_plan, x_step, x_checks).run(count);
    for (std::uint64_t fold = 0; fold < x_plan.fold_length; ++fold) {
      x_checks.spend(count);
      x_step.set_fold(fold);
      if (!x_step.run_scalars(Phase::kRepeated)) continue;
      for_groups(count, [&](std::size_t lane, std::size_t lanes) {
        if (x_step.run_lanes(Phase::kRepeated, lane, lanes)) x_step.update_accumulators(lane, lanes);
      });
    }
  }

  void finish_group(std::size_t lane, std::size_t lanes) {
    x_finish.run_lanes(Phase::kRepeated, lane, lanes);
    const Code& code = x_plan.finish_code;
    const std::span<std::uint8_t> failed = x_results.failed().subspan(lane, lanes);
    for (std::size_t i = 0; i < code.requirements.size(); ++i) {
      const Source& source = code.requirements[i];
      if (source.slot != kNoSlot) {
        fail_zero(code.requirement_types[i], failed, x_finish.lanes(source.slot, lane));
      } else if (x_finish.scalar(source.scalar) == 0) {
        std::ranges::fill(failed, std::uint8_t{1});
      }
    }
    if (x_plan.columns.empty()) return;
    for (std::size_t i = 0; i < code.returned.size(); ++i) {
      const ReturnedValue& value = x_plan.finish.returned[i];
      const Column& column = x_plan.columns[value.column];
      std::byte* const dst = x_results.column(value.column) + lane * element_bytes(column.type);
      const Source& source = code.returned[i];
      if (source.slot != kNoSlot) {
        const std::byte* const data = x_finish.lanes(source.slot, lane);
        if (!column.range.contains(x_plan.finish.nodes[value.node].range)) {
          fail_outside(code.returned_types[i], failed, data, column.range);
        }
        store_lanes(column.type, dst, code.returned_types[i], data, lanes);
      } else {
        const i128 scalar = x_finish.scalar(source.scalar);
        if (!column.range.contains(scalar)) std::ranges::fill(failed, std::uint8_t{1});
        for (std::size_t k = 0; k < lanes; ++k) put_element(column.type, dst, k, scalar);
      }
    }
  }

  const Plan& x_plan;
  std::size_t x_block;
  Runner x_step;
  Runner x_finish;
  ResultBlock x_results;
  StopChecks x_checks;
};

// One entry at a time. Its fold runs along lanes, or step by step where the plan's axis is kScalar.
class FoldWorker final : public Worker {
 public:
  explicit FoldWorker(const Plan& plan)
      : x_plan(plan),
        x_step(plan.step, plan.step_code, plan.values, plan.inputs.rows, plan.inner_extent),
        x_finish(plan),
        x_results(plan),
        x_checks(plan.pool) {
    x_step.reserve(0, kGroupLanes);
  }

  void evaluate(std::uint64_t first, std::size_t count, EntrySink& sink) override {
    x_results.start(first, count);
    for (std::size_t i = 0; i < count; ++i) {
      const Position position = x_plan.position(first + i);
      if (x_plan.has_fold) run_fold(position);
      std::array<i128, kMaxAccumulators> accumulators{};
      const std::size_t number = x_plan.step.accumulators.size();
      for (std::size_t j = 0; j < number; ++j) accumulators[j] = x_step.scalar(x_plan.step.accumulators[j]);
      x_finish.run(std::span(accumulators).first(number), position, i, x_results);
      x_checks.spend(1);
    }
    x_results.deliver(sink);
  }

 private:
  void run_fold(const Position& position) {
    const Body& body = x_plan.body();
    for (std::size_t j = 0; j < body.init.size(); ++j) x_step.scalar(x_plan.step.accumulators[j]) = body.init[j];
    x_step.set_position(position, x_plan.fold_length);
    if (x_plan.fold_length == 0 || !x_step.run_scalars(Phase::kHoisted)) return;
    if (x_plan.buckets) {
      const std::uint64_t own = x_plan.inner_extent == 0 ? position.index0 : position.index1;
      for (const std::uint32_t fold : x_plan.buckets->steps(own)) run_scalar_step(fold);
      return;
    }
    if (x_plan.axis == Axis::kScalar) {
      for (std::uint64_t fold = 0; fold < x_plan.fold_length; ++fold) run_scalar_step(fold);
      return;
    }
    for (std::uint64_t fold = 0; fold < x_plan.fold_length; fold += kGroupLanes) {
      const std::size_t lanes =
          static_cast<std::size_t>(std::min<std::uint64_t>(kGroupLanes, x_plan.fold_length - fold));
      x_checks.spend(lanes);
      x_step.set_fold(fold);
      if (!x_step.run_scalars(Phase::kRepeated)) continue;
      if (x_step.run_lanes(Phase::kRepeated, 0, lanes)) x_step.reduce(lanes);
    }
  }

  void run_scalar_step(std::uint64_t fold) {
    x_checks.spend(1);
    x_step.set_fold(fold);
    if (!x_step.run_scalars(Phase::kRepeated)) return;
    std::array<i128, kMaxAccumulators> fresh{};
    for (std::size_t j = 0; j < x_plan.step.updated.size(); ++j) fresh[j] = x_step.scalar(x_plan.step.updated[j]);
    for (std::size_t j = 0; j < x_plan.step.updated.size(); ++j) x_step.scalar(x_plan.step.accumulators[j]) = fresh[j];
  }

  const Plan& x_plan;
  Runner x_step;
  ScalarFinish x_finish;
  ResultBlock x_results;
  StopChecks x_checks;
};

}  // namespace

ScalarFinish::ScalarFinish(const Plan& plan)
    : x_plan(plan), x_runner(plan.finish, plan.finish_code, plan.values, plan.inputs.rows, plan.inner_extent) {
  x_runner.reserve(0, 0);
}

void ScalarFinish::run(std::span<const i128> accumulators, const Position& position, std::size_t entry,
                       ResultBlock& results) {
  for (std::size_t j = 0; j < accumulators.size(); ++j) {
    x_runner.scalar(x_plan.finish.accumulators[j]) = accumulators[j];
  }
  x_runner.set_position(position);
  x_runner.run_scalars(Phase::kHoisted);
  for (const NodeId node : x_plan.finish.requirements) {
    if (x_runner.scalar(node) == 0) results.set_failed(entry);
  }
  if (x_plan.columns.empty()) return;
  for (const ReturnedValue& value : x_plan.finish.returned) {
    const Column& column = x_plan.columns[value.column];
    const i128 scalar = x_runner.scalar(value.node);
    if (!column.range.contains(scalar)) results.set_failed(entry);
    put_element(column.type, results.column(value.column), entry, scalar);
  }
}

std::unique_ptr<Worker> make_entry_worker(const Plan& plan, std::size_t block) {
  return std::make_unique<EntryWorker>(plan, block);
}

std::unique_ptr<Worker> make_fold_worker(const Plan& plan) { return std::make_unique<FoldWorker>(plan); }

}  // namespace tally::math
