// The records of a batch one by one, and what folds read of them.
#pragma once

#include <cstdint>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/records/record.h"
#include "verifier/replay/description.h"
#include "verifier/replay/finding_list.h"

namespace tally::verifier {

/// Adds a finding for each record out of order, not by the member that the identity says, or not signed. `bytes` has
/// exactly the size of the batch's records.
void check_records(const Description& batch, math::Bytes bytes, math::TaskPool& pool, FindingList& findings);

/// The records by columns.
struct RecordColumns {
  std::vector<std::uint64_t> members;
  std::vector<std::uint64_t> nonces;
  std::vector<std::vector<std::int64_t>> fields;  // in program order
  std::vector<std::vector<math::Digest>> rows;    // commitments, in program order
};

[[nodiscard]] RecordColumns record_columns(const Description& batch, math::Bytes bytes);

}  // namespace tally::verifier
