// Hints of many entries at a time: lanes run over entries, and the keys of every index v make one row of a tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "deterministic_math/hints/keys.h"

namespace tally::math {

/// Writes advice of consecutive entries.
class HintWorker {
 public:
  virtual ~HintWorker() = default;
  /// Entries [first, first + count), within one row of entries; outs[h] takes hint h's values, raw, for those entries.
  virtual void evaluate(std::uint64_t first, std::size_t count, std::span<std::byte* const> outs) = 0;
};

/// What workers share: the keys of the first hint, and each hint's rank.
struct HintPlan {
  std::vector<HintContext> contexts;  // the hints'; they share keys
  Axis axis = Axis::kEntry;
  Graph keys;
  Code keys_code;
  std::vector<Graph> ranks;  // kth only
  std::vector<Code> rank_codes;
  std::size_t row_loads = 0;
  std::size_t block = 1;  // entries of a task
  [[nodiscard]] const HintContext& first() const { return contexts.front(); }
  [[nodiscard]] bool has_where() const { return keys.returned.size() > 1; }
};

/// For kth, first and argmin with lanes over entries; blocks have `plan.block` entries at most.
[[nodiscard]] std::unique_ptr<HintWorker> make_column_worker(const HintPlan& plan);

/// One entry at a time; lanes run along v. For perm, one row of entries at a time.
[[nodiscard]] std::unique_ptr<HintWorker> make_list_worker(const HintPlan& plan);

/// Writes an advice value, clamped to its range.
void write_advice(const HintContext& context, std::byte* out, std::size_t index, i128 value);

}  // namespace tally::math
