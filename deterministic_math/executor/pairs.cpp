#include "deterministic_math/executor/pairs.h"

#include <algorithm>
#include <array>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/stop_checks.h"
#include "deterministic_math/executor/worker.h"

namespace tally::math {

namespace {

class Matcher {
 public:
  Matcher(const Graph& graph, const Code& code)
      : x_graph(graph), x_code(code), x_steps(code.lanes[static_cast<std::size_t>(Phase::kRepeated)]) {}

  std::optional<PairPlan> match() const {
    if (x_code.axis != Axis::kFold || x_code.lane_guards || x_code.accumulators.size() != 1) return std::nullopt;
    const AccumulatorCode& accumulator = x_code.accumulators[0];
    if (accumulator.reduction != Reduction::kSum || accumulator.terms.size() != 1) return std::nullopt;
    const Term& term = accumulator.terms[0];
    const LaneStep* const product = term.negative ? nullptr : compute(term.value, Op::kMul);
    if (product == nullptr) return std::nullopt;
    PairPlan plan;
    const LaneStep* const x = row(product->a);
    const LaneStep* const y = row(product->b);
    if (x != nullptr && y != nullptr) {
      plan.term = PairTerm::kProduct;
      return ordered(plan, *x, *y);
    }
    const LaneStep* const difference = compute(product->a, Op::kSub);
    if (difference == nullptr || difference != compute(product->b, Op::kSub)) return std::nullopt;
    const LaneStep* const minuend = row(difference->a);
    const LaneStep* const subtrahend = row(difference->b);
    if (minuend == nullptr || subtrahend == nullptr) return std::nullopt;
    plan.term = PairTerm::kSquaredDifference;
    return ordered(plan, *minuend, *subtrahend);
  }

 private:
  // The step that computes a value, before conversions.
  const LaneStep* origin(const Source& source) const {
    SlotId slot = source.slot;
    while (slot != kNoSlot) {
      const auto step = std::ranges::find(x_steps, slot, &LaneStep::dst);
      if (step == x_steps.end()) return nullptr;
      if (step->kind != LaneStepKind::kConvert) return &*step;
      slot = step->a.slot;
    }
    return nullptr;
  }

  const LaneStep* compute(const Source& source, Op op) const {
    const LaneStep* const step = origin(source);
    return step != nullptr && step->kind == LaneStepKind::kCompute && step->op == op ? step : nullptr;
  }

  const LaneStep* row(const Source& source) const {
    const LaneStep* const step = origin(source);
    if (step == nullptr || step->kind != LaneStepKind::kLoadRun) return nullptr;
    const Load& load = x_code.loads[step->load];
    const bool narrow = x_code.slots[step->dst].type == LaneType::k32;
    return narrow && load.object.rank == 2 && load.rule == LoadRule::kVisible ? step : nullptr;
  }

  bool records(const LaneStep& load, Variable index) const {
    if (load.a.scalar == kNoNode) return false;
    const Node& node = x_graph.nodes[load.a.scalar];
    return node.kind == NodeKind::kVariable && node.imm == static_cast<std::int32_t>(index);
  }

  std::optional<PairPlan> ordered(PairPlan plan, const LaneStep& x, const LaneStep& y) const {
    const bool straight = records(x, Variable::kIndex0) && records(y, Variable::kIndex1);
    const bool crossed = records(x, Variable::kIndex1) && records(y, Variable::kIndex0);
    if (!straight && !crossed) return std::nullopt;
    plan.first = straight ? x : y;
    plan.second = straight ? y : x;
    return plan;
  }

  const Graph& x_graph;
  const Code& x_code;
  const std::vector<LaneStep>& x_steps;
};

TALLY_CLONES void add_squares(PairSum& sum, const std::byte* x, const std::byte* y, std::size_t count) {
  std::uint64_t total = 0;
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto a = get_lane<std::int32_t>(x, i);
    const auto b = get_lane<std::int32_t>(y, i);
    // The difference's magnitude is below 2^32, so its wrapped value is exact as an unsigned one.
    const std::uint32_t magnitude =
        static_cast<std::uint32_t>(a > b ? a : b) - static_cast<std::uint32_t>(a > b ? b : a);
    const std::uint64_t square = std::uint64_t{magnitude} * magnitude;
    total += square;
    high += square >> 32;
  }
  sum.wrapped += total;
  sum.high += high;
}

TALLY_CLONES void add_products(PairSum& sum, const std::byte* x, const std::byte* y, std::size_t count) {
  std::int64_t total = 0;
  std::int64_t high = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t product = std::int64_t{get_lane<std::int32_t>(x, i)} * get_lane<std::int32_t>(y, i);
    total = static_cast<std::int64_t>(static_cast<std::uint64_t>(total) + static_cast<std::uint64_t>(product));
    high += product >> 32;
  }
  sum.wrapped += static_cast<std::uint64_t>(total);
  sum.high += static_cast<std::uint64_t>(high);
}

// Entries of up to kPairRows rows of the table, tile after tile of columns.
class PairsWorker final : public Worker {
 public:
  explicit PairsWorker(const Plan& plan)
      : x_plan(plan),
        x_step(plan.step, plan.step_code, plan.values, plan.inputs.rows, plan.inner_extent),
        x_finish(plan),
        x_results(plan),
        x_checks(plan.pool) {
    x_step.reserve(0, 0);
  }

  void evaluate(std::uint64_t first, std::size_t count, EntrySink& sink) override {
    x_first = first;
    x_last = first + count;
    x_sums.assign(count, {});
    const std::uint64_t columns = x_plan.inner_extent;
    const std::uint64_t last_row = (x_last - 1) / columns;
    for (std::uint64_t i = first / columns; i <= last_row; i += kPairRows) {
      for (std::uint64_t j = 0; j < columns; j += kPairRows) {
        run_tile(i, std::min(last_row + 1, i + kPairRows), j, std::min(columns, j + kPairRows));
      }
    }
    x_results.start(first, count);
    const i128 init = x_plan.body().init[0];
    for (std::size_t e = 0; e < count; ++e) {
      const std::array<i128, 1> accumulators{init + x_sums[e].total()};
      x_finish.run(accumulators, x_plan.position(first + e), e, x_results);
    }
    x_results.deliver(sink);
  }

 private:
  // A row of the tile: an entry that reads it, and its memory.
  struct Side {
    bool used = false;
    std::uint64_t entry = 0;
    const std::byte* data = nullptr;
  };

  void run_tile(std::uint64_t i0, std::uint64_t i1, std::uint64_t j0, std::uint64_t j1) {
    x_pairs.clear();
    x_rows.fill({});
    x_columns.fill({});
    x_checks.spend(kPairRows * kPairRows);
    for (std::uint64_t i = i0; i < i1; ++i) {
      for (std::uint64_t j = j0; j < j1; ++j) {
        const std::uint64_t entry = i * x_plan.inner_extent + j;
        if (entry < x_first || entry >= x_last || !enters(entry, 0)) continue;
        x_pairs.push_back({static_cast<std::size_t>(i - i0), static_cast<std::size_t>(j - j0),
                           static_cast<std::size_t>(entry - x_first)});
        x_rows[i - i0] = {true, entry, nullptr};
        x_columns[j - j0] = {true, entry, nullptr};
      }
    }
    if (x_pairs.empty()) return;
    for (std::uint64_t d = 0; d < x_plan.fold_length; d += kRowBlock) {
      run_block(d, static_cast<std::size_t>(std::min<std::uint64_t>(kRowBlock, x_plan.fold_length - d)));
    }
  }

  // Whether the entry's guards let it fold at all.
  bool enters(std::uint64_t entry, std::uint64_t fold) {
    Position position = x_plan.position(entry);
    position.fold = fold;
    x_step.set_position(position);
    return x_step.run_scalars(Phase::kHoisted) && x_step.run_scalars(Phase::kRepeated);
  }

  void load(std::array<Side, kPairRows>& sides, const LaneStep& step, std::uint64_t d, std::size_t count) {
    for (std::size_t r = 0; r < kPairRows; ++r) {
      if (!sides[r].used) continue;
      enters(sides[r].entry, d);
      sides[r].data = x_step.load_row(step, r, 0, count);
    }
  }

  void run_block(std::uint64_t d, std::size_t count) {
    x_checks.spend(x_pairs.size() * count);
    load(x_rows, x_plan.pairs->first, d, count);
    load(x_columns, x_plan.pairs->second, d, count);
    for (std::size_t lane = 0; lane < count; lane += kPairLanes) {
      const std::size_t lanes = std::min(kPairLanes, count - lane);
      const std::size_t offset = lane * lane_bytes(LaneType::k32);
      for (const Pair& pair : x_pairs) {
        add_pair(x_plan.pairs->term, x_sums[pair.entry], x_rows[pair.row].data + offset,
                 x_columns[pair.column].data + offset, lanes);
      }
    }
  }

  struct Pair {
    std::size_t row = 0;
    std::size_t column = 0;
    std::size_t entry = 0;
  };

  const Plan& x_plan;
  Runner x_step;
  ScalarFinish x_finish;
  ResultBlock x_results;
  StopChecks x_checks;
  std::uint64_t x_first = 0;
  std::uint64_t x_last = 0;
  std::vector<PairSum> x_sums;
  std::vector<Pair> x_pairs;
  std::array<Side, kPairRows> x_rows;
  std::array<Side, kPairRows> x_columns;
};

}  // namespace

i128 PairSum::total() const {
  const std::uint64_t low = wrapped - (high << 32);
  return static_cast<i128>(static_cast<std::int64_t>(high)) * (i128{1} << 32) + low;
}

std::optional<PairPlan> match_pairs(const Graph& graph, const Code& code) { return Matcher(graph, code).match(); }

void add_pair(PairTerm term, PairSum& sum, const std::byte* x, const std::byte* y, std::size_t count) {
  switch (term) {
    case PairTerm::kSquaredDifference:
      add_squares(sum, x, y, count);
      break;
    case PairTerm::kProduct:
      add_products(sum, x, y, count);
      break;
  }
}

std::unique_ptr<Worker> make_pairs_worker(const Plan& plan) { return std::make_unique<PairsWorker>(plan); }

}  // namespace tally::math
