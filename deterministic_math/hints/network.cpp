#include "deterministic_math/hints/network.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/executor/objects.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

constexpr std::size_t kVectorBytes = 64;
// Groups of lanes between what is sorted and what is asked for.
constexpr std::size_t kAhead = 2;

// Vectors of the compiler's own: values of a network stay in registers, whatever their width.
template <class T>
struct VectorOf;
template <>
struct VectorOf<std::int32_t> {
  using Type [[gnu::vector_size(kVectorBytes)]] = std::int32_t;
};
template <>
struct VectorOf<std::int64_t> {
  using Type [[gnu::vector_size(kVectorBytes)]] = std::int64_t;
};

// Vectors pass by reference: wider ones than the base level's have no place in its calling convention.
template <class V>
TALLY_INLINE inline void read(V& value, const std::byte* memory) {
  std::memcpy(&value, memory, sizeof(V));
}

template <class V>
TALLY_INLINE inline void write(std::byte* memory, const V& value) {
  std::memcpy(memory, &value, sizeof(V));
}

template <class V>
TALLY_INLINE inline void put_in_order(V& low, V& high) {
  const V x = low;
  const V y = high;
  low = x < y ? x : y;
  high = x < y ? y : x;
}

// Calls take(low, high) for the comparators of Batcher's sort that merge runs of `run` rows and longer ones.
template <class F>
constexpr void for_comparators(std::size_t rows, std::size_t run, F&& take) {
  for (std::size_t p = run; p < rows; p *= 2) {
    for (std::size_t k = p; k >= 1; k /= 2) {
      for (std::size_t j = k % p; j + k < rows; j += 2 * k) {
        for (std::size_t i = 0; i < std::min(k, rows - j - k); ++i) {
          if ((i + j) / (2 * p) == (i + j + k) / (2 * p)) take(i + j, i + j + k);
        }
      }
    }
  }
}

constexpr std::size_t count_comparators(std::size_t rows) {
  std::size_t count = 0;
  for_comparators(rows, 1, [&](std::size_t, std::size_t) { ++count; });
  return count;
}

constexpr auto kSortRun = [] {
  std::array<std::pair<std::size_t, std::size_t>, count_comparators(kNetworkRun)> result{};
  std::size_t next = 0;
  for_comparators(kNetworkRun, 1, [&](std::size_t low, std::size_t high) { result[next++] = {low, high}; });
  return result;
}();

template <class V, std::size_t... Index>
TALLY_INLINE inline void sort_run(V* rows, std::index_sequence<Index...>) {
  (put_in_order(rows[kSortRun[Index].first], rows[kSortRun[Index].second]), ...);
}

// Sorts 16 rows from `src` to `dst`, one vector of lanes.
template <class V>
TALLY_INLINE inline void sort_rows(const std::byte* const* src, std::size_t at, std::byte* dst,
                                   std::size_t dst_stride) {
  V rows[kNetworkRun];
  for (std::size_t r = 0; r < kNetworkRun; ++r) read(rows[r], src[r] + at);
  sort_run(rows, std::make_index_sequence<kSortRun.size()>{});
  for (std::size_t r = 0; r < kNetworkRun; ++r) write(dst + r * dst_stride, rows[r]);
}

template <class T>
TALLY_INLINE inline void run_merges(std::byte* rows, std::span<const Comparator> merges) {
  using V = typename VectorOf<T>::Type;
  constexpr std::size_t kStride = kNetworkLanes * sizeof(T);
  for (const Comparator& comparator : merges) {
    std::byte* const low = rows + comparator.low * kStride;
    std::byte* const high = rows + comparator.high * kStride;
    for (std::size_t at = 0; at < kStride; at += kVectorBytes) {
      V x;
      V y;
      read(x, low + at);
      read(y, high + at);
      put_in_order(x, y);
      if (comparator.exchange != Exchange::kMaximum) write(low + at, x);
      if (comparator.exchange != Exchange::kMinimum) write(high + at, y);
    }
  }
}

template <class T>
TALLY_INLINE inline void select_lanes(const KeyTile& tile, std::span<const Comparator> merges,
                                      std::span<const std::size_t> ranks, std::span<std::byte* const> outputs) {
  using V = typename VectorOf<T>::Type;
  constexpr std::size_t kStride = kNetworkLanes * sizeof(T);
  alignas(kVectorBytes) std::byte rows[kMaxNetworkRows * kStride];
  for (std::size_t start = 0; start < tile.lanes * sizeof(T); start += kStride) {
    for (std::size_t run = 0; run < tile.rows.size(); run += kNetworkRun) {
      for (std::size_t r = run; r < run + kNetworkRun; ++r) prefetch(tile.rows[r] + start + kAhead * kStride, kStride);
      for (std::size_t at = 0; at < kStride; at += kVectorBytes) {
        sort_rows<V>(&tile.rows[run], start + at, rows + run * kStride + at, kStride);
      }
    }
    run_merges<T>(rows, merges);
    for (std::size_t i = 0; i < ranks.size(); ++i) std::memcpy(outputs[i] + start, rows + ranks[i] * kStride, kStride);
  }
}

TALLY_CLONES void select_32(const KeyTile& tile, std::span<const Comparator> merges, std::span<const std::size_t> ranks,
                            std::span<std::byte* const> outputs) {
  select_lanes<std::int32_t>(tile, merges, ranks, outputs);
}

TALLY_CLONES void select_64(const KeyTile& tile, std::span<const Comparator> merges, std::span<const std::size_t> ranks,
                            std::span<std::byte* const> outputs) {
  select_lanes<std::int64_t>(tile, merges, ranks, outputs);
}

// Smallest bound such that more than `rank` keys are at most the bound; four vectors of lanes.
template <class T>
TALLY_INLINE inline void bisect(const KeyTile& tile, std::size_t start, const std::int64_t* ranks, std::byte* output) {
  using V = typename VectorOf<T>::Type;
  constexpr std::size_t kVectors = 4;
  constexpr std::size_t kLanes = kVectorBytes / sizeof(T);
  V low[kVectors];
  V high[kVectors];
  V rank[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    read(low[v], tile.rows[0] + start + v * kVectorBytes);
    high[v] = low[v];
    for (std::size_t i = 0; i < kLanes; ++i) rank[v][i] = static_cast<T>(ranks[v * kLanes + i]);
  }
  for (std::size_t r = 1; r < tile.rows.size(); ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      V key;
      read(key, tile.rows[r] + start + v * kVectorBytes);
      low[v] = key < low[v] ? key : low[v];
      high[v] = key > high[v] ? key : high[v];
    }
  }
  bool open = true;
  while (open) {
    V bound[kVectors];
    V count[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
      // floor((low + high) / 2) without leaving the type
      bound[v] = (low[v] & high[v]) + ((low[v] ^ high[v]) >> 1);
      count[v] = V{};
    }
    for (std::size_t r = 0; r < tile.rows.size(); ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        V key;
        read(key, tile.rows[r] + start + v * kVectorBytes);
        count[v] -= key <= bound[v];  // a true lane is -1
      }
    }
    open = false;
    for (std::size_t v = 0; v < kVectors; ++v) {
      const V enough = count[v] > rank[v];
      high[v] = enough ? bound[v] : high[v];
      // Where the rank lies beyond the keys, the bound may be the largest of all numbers.
      low[v] = enough ? low[v] : bound[v] - (bound[v] < high[v]);
      for (std::size_t i = 0; i < kLanes; ++i) open = open || low[v][i] < high[v][i];
    }
  }
  for (std::size_t v = 0; v < kVectors; ++v) write(output + start + v * kVectorBytes, high[v]);
}

TALLY_CLONES void count_32(const KeyTile& tile, std::span<const std::int64_t> ranks, std::byte* output) {
  for (std::size_t lane = 0; lane < tile.lanes; lane += 64) bisect<std::int32_t>(tile, lane * 4, &ranks[lane], output);
}

TALLY_CLONES void count_64(const KeyTile& tile, std::span<const std::int64_t> ranks, std::byte* output) {
  for (std::size_t lane = 0; lane < tile.lanes; lane += 32) bisect<std::int64_t>(tile, lane * 8, &ranks[lane], output);
}

}  // namespace

std::vector<Comparator> merge_network(std::size_t rows, std::span<const std::size_t> ranks) {
  std::vector<Comparator> all;
  for_comparators(rows, kNetworkRun, [&](std::size_t low, std::size_t high) {
    all.push_back({static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high), Exchange::kBoth});
  });
  std::array<bool, kMaxNetworkRows> wanted{};
  for (const std::size_t rank : ranks) wanted.at(rank) = true;
  std::vector<Comparator> kept;
  for (std::size_t i = all.size(); i-- > 0;) {
    Comparator comparator = all[i];
    const bool low = wanted[comparator.low];
    const bool high = wanted[comparator.high];
    if (!low && !high) continue;
    if (!high) comparator.exchange = Exchange::kMinimum;
    if (!low) comparator.exchange = Exchange::kMaximum;
    wanted[comparator.low] = true;
    wanted[comparator.high] = true;
    kept.push_back(comparator);
  }
  std::ranges::reverse(kept);
  return kept;
}

void select_by_network(const KeyTile& tile, std::span<const Comparator> merges, std::span<const std::size_t> ranks,
                       std::span<std::byte* const> outputs) {
  TALLY_ASSERT(tile.lanes % kNetworkLanes == 0 && tile.rows.size() % kNetworkRun == 0 &&
               tile.rows.size() <= kMaxNetworkRows);
  TALLY_ASSERT(tile.type != LaneType::k128);
  if (tile.type == LaneType::k32) {
    select_32(tile, merges, ranks, outputs);
  } else {
    select_64(tile, merges, ranks, outputs);
  }
}

void select_by_counting(const KeyTile& tile, std::span<const std::int64_t> ranks, std::byte* output) {
  TALLY_ASSERT(tile.lanes % kNetworkLanes == 0 && ranks.size() >= tile.lanes && !tile.rows.empty());
  TALLY_ASSERT(tile.type != LaneType::k128 && tile.rows.size() <= kMaxDim);
  if (tile.type == LaneType::k32) {
    count_32(tile, ranks, output);
  } else {
    count_64(tile, ranks, output);
  }
}

}  // namespace tally::math
