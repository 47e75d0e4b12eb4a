// Why the contract refused a call, from what it reverted with.
#pragma once

#include <optional>

#include "chain_adapter/evm/rpc_client.h"
#include "fraud_proof/refusals/reason.h"

namespace tally::chain {

/// Nothing where the error is no revert, or one by no reason of fraud_proof/refusals/reason.h.
[[nodiscard]] std::optional<proof::ChainRefusal> refusal_of_call(const RpcError& error);

/// Of a transaction in a block that did not get what it rested on (HeaderNotShown, SeedNotShown): a reorganisation has
/// taken that back, or other transactions came first. As the reason that comes nearest.
[[nodiscard]] std::optional<proof::ChainRefusal> refusal_by_what_it_rests_on(const RpcError& error);

}  // namespace tally::chain
