#include "deterministic_math/hints/columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/executor/worker.h"
#include "deterministic_math/hints/network.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

constexpr std::int64_t kNoRank = -1;

std::size_t padded_lanes(std::size_t lanes) { return (lanes + kNetworkLanes - 1) / kNetworkLanes * kNetworkLanes; }

i128 largest_key(LaneType type) { return type_range(static_cast<ElementType>(type)).hi; }

class ColumnWorker final : public HintWorker {
 public:
  explicit ColumnWorker(const HintPlan& plan)
      : x_plan(plan),
        x_keys(plan.keys, plan.keys_code, plan.first().values, plan.first().inputs.rows, plan.first().inner_extent()),
        x_over(plan.first().over()) {
    x_keys.reserve(plan.block, kGroupLanes);
    for (std::size_t h = 0; h < plan.ranks.size(); ++h) {
      const HintContext& context = plan.contexts[h];
      x_ranks.push_back(std::make_unique<Runner>(plan.ranks[h], plan.rank_codes[h], context.values, context.inputs.rows,
                                                 context.inner_extent()));
      x_ranks.back()->reserve(0, kGroupLanes);
    }
    x_type = plan.keys_code.returned_types.at(0);
    // An odd number of cache lines, so that the rows of a column fall into different sets of the cache.
    x_stride = padded_lanes(plan.block) * lane_bytes(x_type) + 64;
  }

  void evaluate(std::uint64_t first, std::size_t count, std::span<std::byte* const> outs) override {
    x_count = count;
    x_lanes = padded_lanes(count);
    fill_tile(first);
    switch (x_plan.first().hint.kind) {
      case HintKind::kKth:
        select(first, outs);
        break;
      case HintKind::kFirst:
        find_first(outs[0]);
        break;
      case HintKind::kArgmin:
        find_smallest(outs[0]);
        break;
      case HintKind::kPerm:
      case HintKind::kInput:
        TALLY_ASSERT(false);
        break;
    }
  }

 private:
  std::byte* own_row(std::size_t row) { return x_memory + row * x_stride; }
  [[nodiscard]] const std::byte* tile_row(std::size_t row) const { return x_tile_rows[row]; }

  template <class F>
  void for_groups(F&& function) {
    for (std::size_t lane = 0; lane < x_count; lane += kGroupLanes) {
      function(lane, std::min(kGroupLanes, x_count - lane));
    }
  }

  // Rows of indices that no lane selects are left out; excluded keys of other rows become the largest.
  void fill_tile(std::uint64_t first) {
    const auto most = static_cast<std::size_t>(std::max<std::uint64_t>(x_over, 1));
    const std::size_t padded =
        std::max(most, most > kMaxNetworkRows ? most : std::bit_ceil(std::max(most, kNetworkRun)));
    x_memory = x_tile.reserve(padded * x_stride);
    x_index.clear();
    x_tile_rows.clear();
    x_chosen.assign(x_count, 0);
    x_keys.set_position(x_plan.first().position(first), x_count);
    x_keys.run_scalars(Phase::kHoisted);
    for_groups([&](std::size_t lane, std::size_t lanes) { x_keys.run_lanes(Phase::kHoisted, lane, lanes); });
    for (std::uint64_t v = 0; v < x_over; ++v) {
      x_keys.set_fold(v);
      x_keys.run_scalars(Phase::kRepeated);
      if (excluded()) continue;
      const std::byte* row = row_in_place();
      if (row == nullptr) {
        row = own_row(x_index.size());
        for_groups([&](std::size_t lane, std::size_t lanes) { fill_row(x_index.size(), lane, lanes); });
      }
      x_tile_rows.push_back(row);
      x_index.push_back(v);
    }
  }

  // Keys that are a row's own elements need no copy, if they fill the network's lanes.
  const std::byte* row_in_place() {
    const Source& key = x_plan.keys_code.returned[0];
    if (key.slot == kNoSlot || lane_where() || x_lanes != x_count) return nullptr;
    return x_keys.row_in_place(key.slot, 0, 0, x_count);
  }

  // Whether the `where` is the same for all lanes, and 0.
  bool excluded() {
    if (!x_plan.has_where()) return false;
    const Source& where = x_plan.keys_code.returned[1];
    return where.slot == kNoSlot && x_keys.scalar(where.scalar) == 0;
  }

  void fill_row(std::size_t row, std::size_t lane, std::size_t lanes) {
    x_keys.run_lanes(Phase::kRepeated, lane, lanes);
    const Source& key = x_plan.keys_code.returned[0];
    std::byte* const dst = own_row(row) + lane * lane_bytes(x_type);
    const bool all = !x_plan.has_where() || x_plan.keys_code.returned[1].slot == kNoSlot;
    if (all) {
      copy_keys(key, dst, lane, lanes);
      return;
    }
    x_mask.assign(lanes, 1);
    keep_nonzero(x_plan.keys_code.returned_types[1], x_mask, x_keys.lanes(x_plan.keys_code.returned[1].slot, lane));
    x_row.resize(lanes * lane_bytes(x_type));
    copy_keys(key, x_row.data(), lane, lanes);
    fill_lanes(x_type, dst, largest_key(x_type), lanes);
    blend_lanes(x_type, dst, x_row.data(), x_mask);
    x_masks.resize(std::max(x_masks.size(), (row + 1) * x_count));
    std::ranges::copy(x_mask, x_masks.begin() + static_cast<std::ptrdiff_t>(row * x_count + lane));
    for (std::size_t i = 0; i < lanes; ++i) x_chosen[lane + i] += x_mask[i];
  }

  void copy_keys(const Source& key, std::byte* dst, std::size_t lane, std::size_t lanes) {
    if (key.slot == kNoSlot) {
      fill_lanes(x_type, dst, x_keys.scalar(key.scalar), lanes);
    } else {
      std::memcpy(dst, x_keys.lanes(key.slot, lane), lanes * lane_bytes(x_type));
    }
  }

  [[nodiscard]] bool lane_where() const { return x_plan.has_where() && x_plan.keys_code.returned[1].slot != kNoSlot; }
  [[nodiscard]] bool chosen(std::size_t row, std::size_t lane) const {
    return !lane_where() || x_masks[row * x_count + lane] != 0;
  }
  [[nodiscard]] std::int64_t chosen_keys(std::size_t lane) const {
    return lane_where() ? x_chosen[lane] : static_cast<std::int64_t>(x_index.size());
  }

  // kNoRank where out of range.
  struct Ranks {
    bool same = true;  // for all lanes
    std::int64_t rank = kNoRank;
    std::vector<std::int64_t> lanes;  // where they differ
    [[nodiscard]] std::int64_t at(std::size_t lane) const { return same ? rank : lanes[lane]; }
  };

  // `network` stays true if one value is asked of all lanes, whether all have it or not.
  Ranks evaluate_ranks(std::size_t h, std::uint64_t first, bool& network) {
    Runner& runner = *x_ranks[h];
    runner.set_position(x_plan.contexts[h].position(first));
    runner.run_scalars(Phase::kHoisted);
    const Source& rank = runner.code().returned.at(0);
    Ranks ranks;
    ranks.same = rank.slot == kNoSlot && !lane_where();
    network = network && rank.slot == kNoSlot;
    const auto in_range = [&](i128 value, std::size_t lane) {
      return value >= 0 && value < chosen_keys(lane) ? static_cast<std::int64_t>(value) : kNoRank;
    };
    if (ranks.same) {
      ranks.rank = in_range(runner.scalar(rank.scalar), 0);
      return ranks;
    }
    ranks.lanes.assign(x_lanes, kNoRank);
    for_groups([&](std::size_t lane, std::size_t lanes) {
      runner.run_lanes(Phase::kRepeated, lane, lanes);
      for (std::size_t i = 0; i < lanes; ++i) {
        const i128 value = rank.slot == kNoSlot
                               ? runner.scalar(rank.scalar)
                               : read_lane(runner.code().returned_types[0], runner.lanes(rank.slot, lane), i);
        ranks.lanes[lane + i] = in_range(value, lane + i);
      }
    });
    return ranks;
  }

  // The advice's own memory where lanes can be selected straight into it.
  std::byte* selection_memory(std::size_t h, std::byte* out) {
    const HintContext& context = x_plan.contexts[h];
    const Object& advice = context.program.objects[context.item().results.at(0)];
    const auto type = static_cast<ElementType>(x_type);
    if (advice.type == type && advice.range.contains(type_range(type)) && x_lanes == x_count) return out;
    x_selected[h].resize(x_lanes * lane_bytes(x_type));
    return x_selected[h].data();
  }

  void select(std::uint64_t first, std::span<std::byte* const> outs) {
    const std::size_t rows = x_index.size();
    std::vector<Ranks> ranks;
    bool network = rows <= kMaxNetworkRows;
    for (std::size_t h = 0; h < outs.size(); ++h) ranks.push_back(evaluate_ranks(h, first, network));
    x_selected.resize(outs.size());
    std::vector<std::byte*> selected;
    for (std::size_t h = 0; h < outs.size(); ++h) selected.push_back(selection_memory(h, outs[h]));
    if (rows > 0 && x_type == LaneType::k128) {
      for (std::size_t h = 0; h < outs.size(); ++h) select_wide(ranks[h], selected[h]);
    } else if (rows > 0 && network) {
      select_by_networks(ranks, selected);
    } else if (rows > 0) {
      for (std::size_t h = 0; h < outs.size(); ++h) {
        x_rank.resize(x_lanes);
        for (std::size_t lane = 0; lane < x_lanes; ++lane) x_rank[lane] = std::max<std::int64_t>(ranks[h].at(lane), 0);
        select_by_counting({x_type, x_tile_rows, x_lanes}, x_rank, selected[h]);
      }
    }
    for (std::size_t h = 0; h < outs.size(); ++h) write_selected(h, ranks[h], selected[h], outs[h]);
  }

  void select_by_networks(const std::vector<Ranks>& ranks, std::span<std::byte* const> selected) {
    const std::size_t rows = x_index.size();
    const std::size_t padded = std::max(kNetworkRun, std::bit_ceil(rows));
    for (std::size_t r = rows; r < padded; ++r) {
      fill_lanes(x_type, own_row(r), largest_key(x_type), x_lanes);
      x_tile_rows.push_back(own_row(r));
    }
    std::vector<std::size_t> wanted;
    std::vector<std::byte*> outputs;
    for (std::size_t h = 0; h < ranks.size(); ++h) {
      // With a where of lanes, some lanes may have the rank and others not.
      const std::int64_t rank = ranks[h].same ? ranks[h].rank : std::ranges::max(ranks[h].lanes);
      if (rank == kNoRank) continue;
      wanted.push_back(static_cast<std::size_t>(rank));
      outputs.push_back(selected[h]);
    }
    auto [merges, fresh] = x_merges.try_emplace({padded, wanted});
    if (fresh) merges->second = merge_network(padded, wanted);
    select_by_network({x_type, x_tile_rows, x_lanes}, merges->second, wanted, outputs);
  }

  void select_wide(const Ranks& ranks, std::byte* output) {
    std::vector<i128> column;
    for (std::size_t lane = 0; lane < x_count; ++lane) {
      if (ranks.at(lane) == kNoRank) continue;
      column.clear();
      for (std::size_t row = 0; row < x_index.size(); ++row) {
        if (chosen(row, lane)) column.push_back(get_lane<i128>(tile_row(row), lane));
      }
      const auto nth = column.begin() + ranks.at(lane);
      std::ranges::nth_element(column, nth);
      put_lane<i128>(output, lane, *nth);
    }
  }

  void write_selected(std::size_t h, const Ranks& ranks, std::byte* values, std::byte* out) {
    const HintContext& context = x_plan.contexts[h];
    const Object& advice = context.program.objects[context.item().results.at(0)];
    const bool all_found = ranks.same && ranks.rank != kNoRank;
    for (std::size_t lane = 0; lane < x_count && !all_found; ++lane) {
      if (ranks.at(lane) != kNoRank) continue;
      std::memset(values + lane * lane_bytes(x_type), 0, lane_bytes(x_type));
    }
    if (values == out) return;
    const Range held = type_range(static_cast<ElementType>(x_type));
    if (advice.range.contains(held)) {
      store_lanes(advice.type, out, x_type, values, x_count);
      return;
    }
    for (std::size_t lane = 0; lane < x_count; ++lane)
      write_advice(context, out, lane, read_lane(x_type, values, lane));
  }

  void find_first(std::byte* out) {
    with_lane_type(x_type, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      for (std::size_t lane = 0; lane < x_count; ++lane) {
        std::uint64_t found = x_over;
        for (std::size_t row = 0; row < x_index.size() && found == x_over; ++row) {
          if (chosen(row, lane) && get_lane<T>(tile_row(row), lane) != 0) found = x_index[row];
        }
        write_advice(x_plan.first(), out, lane, static_cast<i128>(found));
      }
    });
  }

  void find_smallest(std::byte* out) {
    with_lane_type(x_type, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      for (std::size_t lane = 0; lane < x_count; ++lane) {
        std::uint64_t found = 0;
        bool any = false;
        T best = 0;
        for (std::size_t row = 0; row < x_index.size(); ++row) {
          const T key = get_lane<T>(tile_row(row), lane);
          if (!chosen(row, lane) || (any && key >= best)) continue;
          any = true;
          best = key;
          found = x_index[row];
        }
        write_advice(x_plan.first(), out, lane, static_cast<i128>(found));
      }
    });
  }

  const HintPlan& x_plan;
  Runner x_keys;
  std::vector<std::unique_ptr<Runner>> x_ranks;
  std::uint64_t x_over;
  LaneType x_type = LaneType::k64;
  std::size_t x_stride = 0;
  std::size_t x_count = 0;
  std::size_t x_lanes = 0;
  AlignedBuffer x_tile;
  std::byte* x_memory = nullptr;
  std::vector<const std::byte*> x_tile_rows;
  std::vector<std::uint64_t> x_index;  // v of each row of the tile
  std::vector<std::int64_t> x_chosen;  // keys of each lane, where the `where` differs between lanes
  std::vector<std::uint8_t> x_mask;
  std::vector<std::uint8_t> x_masks;  // by row and lane
  std::vector<std::byte> x_row;
  std::vector<std::int64_t> x_rank;
  std::vector<std::vector<std::byte>> x_selected;
  std::map<std::pair<std::size_t, std::vector<std::size_t>>, std::vector<Comparator>> x_merges;
};

}  // namespace

void write_advice(const HintContext& context, std::byte* out, std::size_t index, i128 value) {
  const Object& advice = context.program.objects[context.item().results.at(0)];
  put_element(advice.type, out, index, advice.range.clamp(value));
}

std::unique_ptr<HintWorker> make_column_worker(const HintPlan& plan) { return std::make_unique<ColumnWorker>(plan); }

}  // namespace tally::math
