// A member's claim on a payable state: what anyone shows to the chain so that the member's entry becomes money.
#pragma once

#include <cstdint>
#include <optional>

#include "chain_adapter/chain/chain.h"
#include "fraud_proof/settlement/transaction.h"
#include "sequencer/defender/answer.h"

namespace tally::sequencer {

/// The claim of entry `member` of `state`, a payable state of the batch's program that has the entry, as it is after
/// the batch. Throws as the data's leaves do: std::runtime_error where they are not what was posted.
[[nodiscard]] proof::ClaimPayout make_payout_claim(const PosterData& data, math::ObjectId state, std::uint64_t member);

struct Payout {
  /// What these claims were credited with, whatever else happens to the wallet's credit meanwhile.
  proof::Wei paid{};
  /// The last one.
  std::optional<proof::ChainRefusal> refusal{};
};

/// Claims the member's entry of every payable state, one after another, until one is refused that has something to pay.
[[nodiscard]] Payout pay_out(chain::ChainAdapter& chain, const proof::PrivateKey& key, const PosterData& data,
                             std::uint64_t member);

}  // namespace tally::sequencer
