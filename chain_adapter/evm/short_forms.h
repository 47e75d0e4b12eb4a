// What the contract is not told because it has it, and what it does not tell because it was told (docs/spec.md, 13.1):
// the header of a batch, where a move shows nothing of it; and in events all of a batch or of a game's state but a
// hash, since both follow from the call.
#pragma once

#include <cstdint>
#include <vector>

#include "chain_adapter/evm/shown_batches.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::chain {

/// A transaction of 10.3 as the contract is to get it.
[[nodiscard]] std::vector<std::uint8_t> shortened(math::Bytes transaction);

/// The transaction of such bytes. A header that is not there and that nobody finds has nothing but its task.
[[nodiscard]] proof::OrRefused<proof::Transaction> decode_call(math::Bytes call, const FindHeader& find);

/// An event as the contract tells it: its kind, and its fields.
[[nodiscard]] std::vector<std::uint8_t> log_bytes(const proof::Event& event);

}  // namespace tally::chain
