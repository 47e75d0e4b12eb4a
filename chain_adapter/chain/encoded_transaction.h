// The bytes of a transaction, as every chain takes them.
#pragma once

#include <cstdint>
#include <vector>

#include "fraud_proof/settlement/transaction.h"

namespace tally::chain {

/// Throws std::length_error above proof::kMaxTransactionBytes.
[[nodiscard]] std::vector<std::uint8_t> encoded_transaction(const proof::Transaction& transaction);

}  // namespace tally::chain
