// Sends what was planned: seals the seed where one is needed, and posts.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "sequencer/poster/post_plan.h"

namespace tally::sequencer {

/// Seals the seed of the batches on `parent`, unless it is sealed or the task needs none. Gives the fate of the last
/// try: kApplied also where there was nothing to do; kRefused with kSeedTooEarly where the sealing block is not there
/// yet, so that the caller comes back later.
[[nodiscard]] chain::TransactionFate seal_seed(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                               const proof::TaskId& task, const proof::BatchId& parent);

struct Posting {
  PostPlan plan;
  chain::TransactionFate fate;
};

/// Recomputes the batch in the directory, and gives the header that was found valid; throws where it is not.
using Verify = std::function<proof::BatchHeader()>;

/// Verifies and posts. Verifying may take long, and the chain and the directory may change meanwhile: what is posted is
/// planned afterwards, and refused (kHeader) unless it is what was verified. Planned before it too, so that what the
/// chain would refuse anyway is not verified for nothing. Without `verify` a wrong number costs the bond.
[[nodiscard]] std::expected<Posting, PostRefusal> verify_and_post(chain::ChainAdapter& chain,
                                                                  const proof::PrivateKey& key,
                                                                  const std::filesystem::path& directory,
                                                                  const PostOptions& options, const Verify& verify);

/// Submits the post and waits for its fate. std::logic_error where the chain built another batch than was planned.
[[nodiscard]] chain::TransactionFate post_batch(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                                const PostPlan& plan);

}  // namespace tally::sequencer
