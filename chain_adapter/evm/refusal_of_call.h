// Why the contract refused a call, from what it reverted with.
#pragma once

#include <optional>

#include "chain_adapter/evm/rpc_client.h"
#include "fraud_proof/refusals/reason.h"

namespace tally::chain {

/// Nothing where the error is no revert, or one by no reason of fraud_proof/refusals/reason.h.
[[nodiscard]] std::optional<proof::ChainRefusal> refusal_of_call(const RpcError& error);

}  // namespace tally::chain
