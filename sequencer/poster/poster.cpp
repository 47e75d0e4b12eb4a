#include "sequencer/poster/poster.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include "sequencer/task/extend.h"

namespace tally::sequencer {

chain::TransactionFate seal_seed(chain::ChainAdapter& chain, const proof::PrivateKey& key, const proof::TaskId& task,
                                 const proof::BatchId& parent) {
  const chain::TransactionFate done{.kind = chain::TransactionFate::Kind::kApplied};
  const auto record = proof::read_task(chain.state(), task);
  if (!record || !reads_seed(chain.state(), record->preimage)) return done;
  if (proof::read_seed(chain.state(), task, parent)) return done;
  const proof::Transaction seal = proof::SealSeed{.task = task, .parent = parent};
  chain::TransactionFate fate = chain::submit_and_wait(chain, {.key = key, .value = {}, .transaction = seal});
  // Somebody else was faster.
  if (fate.refusal && fate.refusal->reason == proof::Reason::kSeedSealed) return done;
  return fate;
}

std::expected<Posting, PostRefusal> verify_and_post(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                                    const std::filesystem::path& directory, const PostOptions& options,
                                                    const Verify& verify) {
  chain::BatchIndex index;
  const auto plan_now = [&] {
    index.follow(chain);
    return plan_post(chain.state(), chain.head(), index, directory, key.address(), options);
  };
  auto plan = plan_now();
  if (plan && verify) {
    const proof::BatchHeader verified = verify();
    plan = plan_now();
    if (plan && plan->header != verified) {
      return std::unexpected(PostRefusal{.reason = PostReason::kHeader,
                                         .message = directory.string() + " holds batch " + to_hex(plan->batch) +
                                                    " now, and batch " + to_hex(proof::batch_id(verified)) +
                                                    " when it was verified",
                                         .chain = std::nullopt});
    }
  }
  if (!plan) return std::unexpected(std::move(plan.error()));
  chain::TransactionFate fate = post_batch(chain, key, *plan);
  return Posting{.plan = *std::move(plan), .fate = std::move(fate)};
}

chain::TransactionFate post_batch(chain::ChainAdapter& chain, const proof::PrivateKey& key, const PostPlan& plan) {
  // A reorganisation may have had another one sealed since, with which the batch is a false one.
  auto fault = plan.seed == math::Digest{} ? std::nullopt : seed_fault(chain.state(), plan.header, plan.seed);
  if (fault) {
    return {.kind = chain::TransactionFate::Kind::kRefused,
            .refusal = proof::ChainRefusal{.reason = proof::Reason::kSeedNotSealed, .message = *std::move(fault)}};
  }
  const proof::Transaction post = plan.post;
  chain::TransactionFate fate = chain::submit_and_wait(chain, {.key = key, .value = plan.bond, .transaction = post});
  for (const proof::Event& event : fate.events) {
    const auto* const posted = std::get_if<proof::Posted>(&event);
    if (posted != nullptr && posted->batch != plan.batch) {
      throw std::logic_error("the chain built batch " + to_hex(posted->batch) + " from the post of " +
                             to_hex(plan.batch));
    }
  }
  return fate;
}

}  // namespace tally::sequencer
