// Selection networks: the values of some ranks out of n, by minima and maxima alone, for many columns at a time.
//
// Runs of 16 rows are sorted in registers by a fixed network; Batcher's odd-even merges join the runs. Comparators
// whose outputs no wanted rank depends on are left out, and where one output is enough, only that is computed. (K. E.
// Batcher, Sorting networks and their applications, 1968.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/executor/lanes.h"

namespace tally::math {

/// Rows that networks are made for.
inline constexpr std::size_t kNetworkRun = 16;
inline constexpr std::size_t kMaxNetworkRows = 64;

/// Lanes that are worked on at a time; tiles have multiples of it.
inline constexpr std::size_t kNetworkLanes = 64;

enum class Exchange : std::uint8_t { kBoth, kMinimum, kMaximum };

/// Rows low < high are put in order; or only the smaller is kept, in row `low`, or only the larger, in row `high`.
struct Comparator {
  std::uint8_t low = 0;
  std::uint8_t high = 0;
  Exchange exchange = Exchange::kBoth;
};

/// The merges for `rows` sorted rows in runs of 16 (a power of two from 16 to 64), for ascending ranks below `rows`.
[[nodiscard]] std::vector<Comparator> merge_network(std::size_t rows, std::span<const std::size_t> ranks);

/// Keys of many columns: `lanes` of them, a multiple of kNetworkLanes, in each row.
struct KeyTile {
  LaneType type = LaneType::k64;
  std::span<const std::byte* const> rows;
  std::size_t lanes = 0;
};

/// Writes the keys of each of `ranks` to outputs[i], `lanes` values of the tile's type (k32 or k64). The tile has 16,
/// 32 or 64 rows.
void select_by_network(const KeyTile& tile, std::span<const Comparator> merges, std::span<const std::size_t> ranks,
                       std::span<std::byte* const> outputs);

/// The same for any number of rows, and a rank for each lane (64 bits, within 0 .. rows-1), by bisection: each step
/// counts the keys up to a bound.
void select_by_counting(const KeyTile& tile, std::span<const std::int64_t> ranks, std::byte* output);

}  // namespace tally::math
