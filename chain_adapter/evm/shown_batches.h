// Which batches a transaction rests on without naming them by their headers (docs/spec.md, 13.1). The settlement's
// contract keeps a word of a batch, and takes the rest from its header: so whoever sends the transaction shows theirs
// behind it.
#pragma once

#include <vector>

#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::chain {

/// In the order in which the contract looks for them. One header more than it needs does no harm, one less is
/// HeaderNotShown: whoever gets that asks again at the newest state.
[[nodiscard]] std::vector<proof::BatchId> batches_to_show(const proof::StateReader& state,
                                                          const proof::Transaction& transaction);

}  // namespace tally::chain
