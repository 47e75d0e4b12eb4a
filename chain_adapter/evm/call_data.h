// What a caller hands to the settlement's contract (docs/spec.md, 13.1): transact(bytes), or
// transactShowing(bytes,bytes).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "chain_adapter/evm/abi.h"
#include "fraud_proof/commitments/header.h"

namespace tally::chain {

/// Of an encoded transaction, the headers of the batches that it rests on, and the seed that a post means
/// (shown_batches.h).
[[nodiscard]] std::vector<std::uint8_t> call_data(math::Bytes transaction,
                                                  std::span<const proof::BatchHeader> shown = {},
                                                  const std::optional<proof::Digest>& seed = std::nullopt);

/// The transaction in the data of a call that the contract took. It is read as the contract reads it, which is laxer
/// than AbiReader: values may stand anywhere, and what no value uses may be anything.
[[nodiscard]] OrNotAbi<math::Bytes> called_with(math::Bytes call_data);

}  // namespace tally::chain
