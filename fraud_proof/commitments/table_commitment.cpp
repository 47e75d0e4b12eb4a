#include "fraud_proof/commitments/table_commitment.h"

#include <bit>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"

namespace tally::proof {

bool is_leaf_size(std::uint32_t leaf_bytes) {
  return std::has_single_bit(leaf_bytes) && leaf_bytes >= kMinLeafBytes && leaf_bytes <= kMaxLeafBytes;
}

bool TableShape::is_valid() const {
  if (!std::has_single_bit(element_bytes) || element_bytes > 16 || rank > 2) return false;
  if ((rank < 1 && dim0 != 1) || (rank < 2 && dim1 != 1)) return false;
  return math::u128{dim0} * dim1 < kMaxTableElements;
}

std::uint64_t TableShape::elements() const {
  TALLY_ASSERT(is_valid());
  return dim0 * dim1;
}

std::uint64_t TableShape::data_bytes() const { return elements() * element_bytes; }

std::uint64_t TableShape::leaves(std::uint32_t leaf_bytes) const {
  TALLY_ASSERT(is_leaf_size(leaf_bytes));
  return (data_bytes() + leaf_bytes - 1) / leaf_bytes;
}

Digest table_commitment(const TableShape& shape, std::uint32_t leaf_bytes, const Digest& tree_root) {
  TALLY_ASSERT(shape.is_valid());
  TALLY_ASSERT(is_leaf_size(leaf_bytes));
  math::ByteWriter bytes = tagged(HashTag::kTable);
  bytes.u8(shape.element_bytes);
  bytes.u8(shape.rank);
  bytes.u64be(shape.dim0);
  bytes.u64be(shape.dim1);
  bytes.u32be(leaf_bytes);
  bytes.raw(tree_root.bytes);
  return math::sha256(bytes.view());
}

}  // namespace tally::proof
