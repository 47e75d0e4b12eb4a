// The records of a batch one by one.
#pragma once

#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/records/record.h"
#include "verifier/replay/description.h"
#include "verifier/replay/finding_list.h"

namespace tally::verifier {

/// Adds a finding for each record out of order, not by the member that the identity says, or not signed. `bytes` has
/// exactly the size of the batch's records.
void check_records(const Description& batch, math::Bytes bytes, math::TaskPool& pool, FindingList& findings);

}  // namespace tally::verifier
