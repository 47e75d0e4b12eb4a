#include "fraud_proof/commitments/roots.h"

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::proof {

StateRoot state_root(std::span<const Digest> commitments) { return {tables_root(commitments)}; }

Digest tables_root(std::span<const Digest> commitments) {
  math::ByteWriter leaves;
  for (const Digest& commitment : commitments) leaves.raw(commitment.bytes);
  return tree_root_of_bytes(leaves.view(), sizeof(Digest::bytes));
}

Digest records_root(math::Bytes records, std::size_t record_bytes, math::TaskPool& pool) {
  TALLY_ASSERT(record_bytes > 0);
  TALLY_ASSERT(records.size() % record_bytes == 0);
  return tree_root_of_bytes(records, record_bytes, pool);
}

}  // namespace tally::proof
