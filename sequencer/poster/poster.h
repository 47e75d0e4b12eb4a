// Sends what was planned: seals the seed where one is needed, and posts.
#pragma once

#include <expected>
#include <string>

#include "sequencer/poster/post_plan.h"

namespace tally::sequencer {

/// Seals the seed of the batches on `parent`, unless it is sealed or the task needs none. Gives the fate of the last
/// try: kApplied also where there was nothing to do; kRefused with kSeedTooEarly where the sealing block is not there
/// yet, so that the caller comes back later.
[[nodiscard]] chain::TransactionFate seal_seed(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                               const proof::TaskId& task, const proof::BatchId& parent);

/// Submits the post and waits for its fate. std::logic_error where the chain built another batch than was planned.
[[nodiscard]] chain::TransactionFate post_batch(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                                const PostPlan& plan);

}  // namespace tally::sequencer
