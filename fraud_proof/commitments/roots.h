// Roots over lists of commitments and over records.
#pragma once

#include <span>

#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/commitments/ids.h"

namespace tally::proof {

/// The tree whose leaves are the 32-byte commitments of the state tables in program order. Of the genesis tables it is
/// the task's genesis root.
[[nodiscard]] StateRoot state_root(std::span<const Digest> commitments);

/// The same over the advice and computed tables in program order.
[[nodiscard]] Digest tables_root(std::span<const Digest> commitments);

/// The tree with one record a leaf, `records` being the content of records.bin.
[[nodiscard]] Digest records_root(math::Bytes records, std::size_t record_bytes, math::TaskPool& pool);

}  // namespace tally::proof
