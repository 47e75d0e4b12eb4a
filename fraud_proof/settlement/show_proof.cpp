// Commit and ShowProof: the local checks that take one transaction. Whoever sees such a proof on its way could send it
// first and take the reward, so it is committed to, with its sender's address, at least one block before it is shown.
#include <string>
#include <utility>

#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/settlement/tree.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::proof {

namespace {

OrRefused<void> check_commitment(const Call& call, const BatchId& batch, const ShowProof& show) {
  const Digest commitment = proof_commitment(call.sender, batch, show.proof, show.salt);
  const auto record = read_commitment(call.changes, call.sender, commitment);
  if (!record) return refuse(Reason::kNotCommitted, "the sender has not committed to " + math::to_hex(commitment));
  if (record->block < call.block.number) return {};
  return refuse(Reason::kCommittedTooLate, "the commitment is of this block, " + std::to_string(record->block));
}

}  // namespace

OrRefused<void> run(const Call& call, const Commit& commit) {
  if (read_commitment(call.changes, call.sender, commit.commitment))
    return refuse(Reason::kAlreadyCommitted, "the sender has committed to this before");
  call.changes.put(commitment_key(call.sender, commit.commitment), CommitmentRecord{.block = call.block.number});
  call.changes.emit(Committed{.by = call.sender, .commitment = commit.commitment});
  return {};
}

OrRefused<void> run(const Call& call, const ShowProof& show) {
  auto batch = find_batch(call.changes, show.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  if (auto open = check_challengeable(call, *batch, batch->settings.challenge_period_s); !open) {
    return open;
  }
  if (auto committed = check_commitment(call, batch->id, show); !committed) return committed;
  const CommittedBatch committed = committed_batch(call.changes, call.programs, show.header);
  const SignerLookup signers = [&](const Address& address) {
    return signer_term(call.changes, show.header.task, address);
  };
  const auto cause =
      check_local_proof(committed, show.proof,
                        {.domain = domain_separator(tallystick_domain(call.block.chain_id, call.block.contract)),
                         .signers = signers,
                         .posted_s = batch->node.posted_s});
  if (!cause) return std::unexpected(cause.error());
  return lose_batch(call, *batch, *cause, call.sender);
}

}  // namespace tally::proof
