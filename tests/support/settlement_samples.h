// One transaction and one event of each kind, all fields set to something.
#pragma once

#include <vector>

#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::test {

/// In the order of their kinds; several of a kind that has variants.
[[nodiscard]] std::vector<proof::Transaction> sample_transactions();
[[nodiscard]] std::vector<proof::Event> sample_events();

}  // namespace tally::test
