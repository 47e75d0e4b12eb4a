// Which batches a transaction rests on without naming them by their headers (docs/spec.md, 13.1). The settlement's
// contract keeps a word of a batch, and takes the rest from its header: so whoever sends the transaction shows theirs
// behind it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::chain {

/// In the order in which the contract looks for them. One header more than it needs does no harm, one less is
/// HeaderNotShown: whoever gets that asks again at the newest state.
[[nodiscard]] std::vector<proof::BatchId> batches_to_show(const proof::StateReader& state,
                                                          const proof::Transaction& transaction);

using FindHeader = std::function<std::optional<proof::BatchHeader>(const proof::BatchId&)>;

/// What the contract is called with for an encoded transaction: with the headers of those batches, as far as they are
/// found, and for a post with the seed of its parent's children, where one is sealed.
[[nodiscard]] std::vector<std::uint8_t> call_data_at(const proof::StateReader& state,
                                                     const proof::Transaction& transaction, math::Bytes encoded,
                                                     const FindHeader& find);

}  // namespace tally::chain
