// A member's claim on a payable state: what anyone shows to the chain so that the member's entry becomes money.
#pragma once

#include <cstdint>

#include "fraud_proof/settlement/transaction.h"
#include "sequencer/defender/answer.h"

namespace tally::sequencer {

/// The claim of entry `member` of `state`, a payable state of the batch's program that has the entry, as it is after
/// the batch. Throws as the data's leaves do: std::runtime_error where they are not what was posted.
[[nodiscard]] proof::ClaimPayout make_payout_claim(const PosterData& data, math::ObjectId state, std::uint64_t member);

}  // namespace tally::sequencer
