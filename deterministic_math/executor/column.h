// The column plan: a fold over records whose accumulators take plain sums over one element of each row.
//
// Lanes run over the parameters; several records' rows are read at a time, so that an accumulator is loaded and stored
// once for all of them and memory serves several streams. Recognised terms, with x the row's element:
//
//   x * c           c the same for all lanes (a weight)
//   x < c, x <= c, c < x, c <= x    c a lane that the fold leaves alone (a claimed order statistic)
//   select(a < x and x < b, x, 0)   a, b such lanes (a trimmed sum)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/executor/code.h"

namespace tally::math {

enum class ColumnTermKind : std::uint8_t { kWeighted, kBelow, kUpTo, kAbove, kFrom, kInside, kRanks };

struct ColumnTerm {
  std::size_t accumulator = 0;
  ColumnTermKind kind = ColumnTermKind::kWeighted;
  NodeId weight = kNoNode;  // kWeighted; none: 1
  SlotId bound = kNoSlot;   // hoisted 32-bit lanes
  SlotId upper = kNoSlot;   // kInside
  std::size_t up_to = 0;    // kRanks: the accumulator of x <= bound; `accumulator` is that of x < bound
};

struct ColumnPlan {
  LaneStep load;
  std::vector<ColumnTerm> terms;
};

/// The plan of a step scheduled over entries, if it has this shape.
[[nodiscard]] std::optional<ColumnPlan> match_column(const Code& code);

/// Rows that are read at a time, and lanes of them that are worked on at a time.
inline constexpr std::size_t kColumnRows = 8;
inline constexpr std::size_t kColumnLanes = 1024;
static_assert(kColumnRows <= kLoadCaches);

/// Elements of some records' rows (i32, `count` each) and what weights them.
struct ColumnRows {
  std::size_t number = 0;  // at most kColumnRows
  std::array<const std::byte*, kColumnRows> rows{};
  std::array<std::int64_t, kColumnRows> weights{};
};

/// accumulator[i] += sum over rows; 64-bit lanes.
void add_weighted(std::byte* accumulator, const ColumnRows& rows, std::size_t count);

/// accumulator[i] += number of rows for which the comparison with bound[i] holds; 32-bit lanes.
void add_counts(ColumnTermKind kind, std::byte* accumulator, const ColumnRows& rows, const std::byte* bound,
                std::size_t count);

/// Two accumulators of 32-bit lanes and the bound that both count against.
struct ColumnRanks {
  std::byte* below = nullptr;
  std::byte* up_to = nullptr;
  const std::byte* bound = nullptr;
};

/// below[i] += number of rows whose element is below bound[i], up_to[i] += of those at most bound[i].
void add_ranks(std::span<const ColumnRanks> terms, const ColumnRows& rows, std::size_t count);

/// accumulator[i] += sum of the rows' elements strictly between lower[i] and upper[i]; 64-bit lanes.
void add_inside(std::byte* accumulator, const ColumnRows& rows, const std::byte* lower, const std::byte* upper,
                std::size_t count);

}  // namespace tally::math
