// Hints of one entry at a time: its keys along v are a list.
#include <algorithm>
#include <numeric>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/executor/worker.h"
#include "deterministic_math/hints/columns.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

// Keys whose range is at most this many times their number are sorted by counting.
constexpr std::uint64_t kCountingSpread = 4;

template <class T>
class ListWorker final : public HintWorker {
 public:
  explicit ListWorker(const HintPlan& plan)
      : x_plan(plan),
        x_keys(plan.keys, plan.keys_code, plan.first().values, plan.first().inputs.rows, plan.first().inner_extent()),
        x_over(plan.first().over()) {
    x_keys.reserve(0, kGroupLanes);
    for (std::size_t h = 0; h < plan.ranks.size(); ++h) {
      const HintContext& context = plan.contexts[h];
      x_ranks.push_back(std::make_unique<Runner>(plan.ranks[h], plan.rank_codes[h], context.values, context.inputs.rows,
                                                 context.inner_extent()));
      x_ranks.back()->reserve(0, 0);
    }
  }

  void evaluate(std::uint64_t first, std::size_t count, std::span<std::byte* const> outs) override {
    if (x_plan.first().hint.kind == HintKind::kPerm) {
      list_keys(row_start(first));
      sort();
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t place = first + i - row_start(first);
        const i128 index = place < x_index.size() ? static_cast<i128>(x_index[place]) : 0;
        write_advice(x_plan.first(), outs[0], i, index);
      }
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      list_keys(first + i);
      if (x_plan.first().hint.kind != HintKind::kKth) {
        const bool want_first = x_plan.first().hint.kind == HintKind::kFirst;
        write_advice(x_plan.first(), outs[0], i, want_first ? first_chosen() : smallest());
        continue;
      }
      for (std::size_t h = 0; h < outs.size(); ++h) write_advice(x_plan.contexts[h], outs[h], i, select(h, first + i));
    }
  }

 private:
  std::uint64_t row_start(std::uint64_t entry) const {
    const std::uint64_t inner = x_plan.first().inner_extent();
    return inner == 0 ? 0 : entry - entry % inner;
  }

  void list_keys(std::uint64_t entry) {
    x_list.clear();
    x_index.clear();
    x_keys.set_position(x_plan.first().position(entry), x_over);
    x_keys.run_scalars(Phase::kHoisted);
    for (std::uint64_t v = 0; v < x_over; v += kGroupLanes) {
      const auto lanes = static_cast<std::size_t>(std::min<std::uint64_t>(kGroupLanes, x_over - v));
      x_keys.set_fold(v);
      x_keys.run_scalars(Phase::kRepeated);
      x_keys.run_lanes(Phase::kRepeated, 0, lanes);
      for (std::size_t i = 0; i < lanes; ++i) {
        if (x_plan.has_where() && value(1, i) == 0) continue;
        x_list.push_back(static_cast<T>(value(0, i)));
        x_index.push_back(v + i);
      }
    }
  }

  i128 value(std::size_t column, std::size_t lane) {
    const Source& source = x_plan.keys_code.returned[column];
    if (source.slot == kNoSlot) return x_keys.scalar(source.scalar);
    return read_lane(x_plan.keys_code.returned_types[column], x_keys.lanes(source.slot, 0), lane);
  }

  i128 first_chosen() const {
    const auto found = std::ranges::find_if(x_list, [](T condition) { return condition != 0; });
    return static_cast<i128>(found == x_list.end() ? x_over
                                                   : x_index[static_cast<std::size_t>(found - x_list.begin())]);
  }

  i128 smallest() const {
    if (x_list.empty()) return 0;
    return static_cast<i128>(x_index[static_cast<std::size_t>(std::ranges::min_element(x_list) - x_list.begin())]);
  }

  i128 select(std::size_t h, std::uint64_t entry) {
    Runner& runner = *x_ranks[h];
    runner.set_position(x_plan.contexts[h].position(entry));
    runner.run_scalars(Phase::kHoisted);
    const i128 rank = runner.scalar(x_plan.ranks[h].returned.at(0).node);
    if (rank < 0 || rank >= static_cast<i128>(x_list.size())) return 0;
    const auto nth = x_list.begin() + static_cast<std::ptrdiff_t>(rank);
    std::ranges::nth_element(x_list, nth);
    return *nth;
  }

  // Leaves the indices in ascending order of their keys, equal keys by index.
  void sort() {
    if (x_list.empty()) return;
    const auto [least, most] = std::ranges::minmax(x_list);
    const auto spread = static_cast<Unsigned<T>>(static_cast<Unsigned<T>>(most) - static_cast<Unsigned<T>>(least));
    if (spread < kCountingSpread * x_list.size()) {
      sort_by_counting(least, static_cast<std::size_t>(spread) + 1);
      return;
    }
    std::vector<std::size_t> order(x_list.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(
        order, [&](std::size_t i, std::size_t j) { return x_list[i] != x_list[j] ? x_list[i] < x_list[j] : i < j; });
    for (std::size_t& place : order) place = static_cast<std::size_t>(x_index[place]);
    x_index.assign(order.begin(), order.end());
  }

  void sort_by_counting(T least, std::size_t values) {
    const auto slot = [&](T key) {
      return static_cast<std::size_t>(static_cast<Unsigned<T>>(key) - static_cast<Unsigned<T>>(least));
    };
    std::vector<std::size_t> starts(values + 1, 0);
    for (const T key : x_list) ++starts[slot(key) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint64_t> sorted(x_list.size());
    for (std::size_t i = 0; i < x_list.size(); ++i) sorted[starts[slot(x_list[i])]++] = x_index[i];
    x_index = std::move(sorted);
  }

  const HintPlan& x_plan;
  Runner x_keys;
  std::vector<std::unique_ptr<Runner>> x_ranks;
  std::uint64_t x_over;
  std::vector<T> x_list;
  std::vector<std::uint64_t> x_index;
};

}  // namespace

std::unique_ptr<HintWorker> make_list_worker(const HintPlan& plan) {
  if (plan.keys_code.returned_types.at(0) == LaneType::k128) return std::make_unique<ListWorker<i128>>(plan);
  return std::make_unique<ListWorker<std::int64_t>>(plan);
}

}  // namespace tally::math
