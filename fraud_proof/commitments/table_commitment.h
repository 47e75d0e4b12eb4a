// What a table is committed to by: its element type, its shape, the size of its leaves, and the root of the RFC 9162
// tree over its data. The shape is part of the commitment, so two tables never share one.
#pragma once

#include <compare>
#include <cstdint>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof {

using math::Digest;

/// Leaves of a table's tree: a power of two of bytes in this range, set per task.
inline constexpr std::uint32_t kMinLeafBytes = 64;
inline constexpr std::uint32_t kMaxLeafBytes = 4096;
inline constexpr std::uint32_t kDefaultLeafBytes = 1024;
/// A table has fewer elements than this.
inline constexpr std::uint64_t kMaxTableElements = std::uint64_t{1} << 40;

[[nodiscard]] bool is_leaf_size(std::uint32_t leaf_bytes);

/// Elements are 1, 2, 4, 8 or 16 bytes; unused dims are 1.
struct TableShape {
  std::uint8_t element_bytes = 0;
  std::uint8_t rank = 0;
  std::uint64_t dim0 = 1;
  std::uint64_t dim1 = 1;
  auto operator<=>(const TableShape&) const = default;

  /// True iff the element size, the rank, the unused dims and the number of elements are within the bounds above.
  /// Everything else here asks for a valid shape.
  [[nodiscard]] bool is_valid() const;
  [[nodiscard]] std::uint64_t elements() const;
  [[nodiscard]] std::uint64_t data_bytes() const;
  /// Leaves of that size that hold the data; none for an empty table.
  [[nodiscard]] std::uint64_t leaves(std::uint32_t leaf_bytes) const;
};

/// SHA-256(0x02 ‖ u8 element_bytes ‖ u8 rank ‖ u64be dim0 ‖ u64be dim1 ‖ u32be leaf_bytes ‖ tree_root).
[[nodiscard]] Digest table_commitment(const TableShape& shape, std::uint32_t leaf_bytes, const Digest& tree_root);

}  // namespace tally::proof
