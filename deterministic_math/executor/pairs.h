// The plan of pairs: entries (i, j) whose fold runs along rows i and j of records, or of tables that are whole by then.
//
// Recognised are sums of squared differences and of products of 32-bit elements, with any guards on i and j. Rows are
// read once for a tile of pairs, in pieces that stay in the nearest caches for all of them.
//
// The sum S of 64-bit products p may need more than 64 bits. Two 64-bit sums suffice: W, of p modulo 2^64, and H, of
// floor(p / 2^32). As the sum L of p mod 2^32 is below 2^64 (a fold has at most 2^28 steps), it is W - H * 2^32 modulo
// 2^64, and S = H * 2^32 + L.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "deterministic_math/executor/code.h"
#include "deterministic_math/executor/graph.h"

namespace tally::math {

enum class PairTerm : std::uint8_t { kSquaredDifference, kProduct };

struct PairPlan {
  PairTerm term = PairTerm::kSquaredDifference;
  LaneStep first;   // loads row i
  LaneStep second;  // loads row j
};

/// The plan of a step scheduled along the fold, if it has this shape.
[[nodiscard]] std::optional<PairPlan> match_pairs(const Graph& graph, const Code& code);

/// Rows on each side of a tile, and elements of them at a time.
inline constexpr std::size_t kPairRows = kLoadCaches;
inline constexpr std::size_t kPairLanes = 512;

struct PairSum {
  std::uint64_t wrapped = 0;
  std::uint64_t high = 0;
  [[nodiscard]] i128 total() const;
};

/// Adds `count` terms of two rows of i32.
void add_pair(PairTerm term, PairSum& sum, const std::byte* x, const std::byte* y, std::size_t count);

}  // namespace tally::math
