// What a caller hands to the settlement's contract (docs/spec.md, 13.1): transact(bytes).
#pragma once

#include <cstdint>
#include <vector>

#include "chain_adapter/evm/abi.h"

namespace tally::chain {

/// Of an encoded transaction.
[[nodiscard]] std::vector<std::uint8_t> call_data(math::Bytes transaction);

/// The transaction in the data of a call that the contract took. It is read as the contract reads it, which is laxer
/// than AbiReader: values may stand anywhere, and what no value uses may be anything.
[[nodiscard]] OrNotAbi<math::Bytes> called_with(math::Bytes call_data);

}  // namespace tally::chain
