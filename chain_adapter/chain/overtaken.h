// Whether a transaction has nothing left to do.
//
// A chain shows the records of its head, but tells events only when they cannot be taken back. A view that is made from
// events so asks for the same again, until the event of what was done is told, by its own hand or another's.
#pragma once

#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::chain {

/// By the records: it answers, claims or opens what was answered, claimed or opened before. Only for transactions about
/// games and requests; false for all others.
[[nodiscard]] bool is_overtaken(const proof::StateReader& state, const proof::Address& sender,
                                const proof::Transaction& transaction);

}  // namespace tally::chain
