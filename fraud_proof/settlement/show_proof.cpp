// Commit and ShowProof: the local checks that take one transaction. Whoever sees such a proof on its way could send it
// first and take the reward, so it is committed to, with its sender's address, at least one block before it is shown.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "fraud_proof/checks/local_checks.h"
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

/// The member that an address belongs to in the task, and for how long it may sign.
SignerLookup signers_of(const Changes& changes, const TaskId& task) {
  return [&changes, task](const Address& address) -> std::optional<SignerTerm> {
    const auto binding = read_binding(changes, task, address);
    if (!binding) return std::nullopt;
    const auto member = read_member(changes, task, binding->member);
    TALLY_ASSERT(member.has_value());
    return SignerTerm{.member = binding->member,
                      .from_s = binding->bound_s,
                      .until_s = std::min(binding->unbound_s, member->exit_at_s)};
  };
}

/// Runs the check, and names the cause of the loss where it succeeds.
struct ProofChecker {
  const Call& call;
  const CommittedBatch& batch;
  std::uint64_t posted_s = 0;

  [[nodiscard]] KeccakDigest domain() const {
    return domain_separator(tallystick_domain(call.block.chain_id, call.block.contract));
  }

  OrRefused<LossCause> operator()(const RecordOrderProof& proof) const {
    return cause_if(check_record_order(batch, proof.index, proof.openings), LossCause::kRecordOrder);
  }
  OrRefused<LossCause> operator()(const RecordSignerProof& proof) const {
    const SignerLookup lookup = signers_of(call.changes, batch.header.task);
    return cause_if(check_record_signer(batch, proof.index, proof.openings, lookup, posted_s),
                    LossCause::kRecordSigner);
  }
  OrRefused<LossCause> operator()(const RecordSignatureProof& proof) const {
    return cause_if(check_record_signature(batch, domain(), proof.index, proof.openings), LossCause::kRecordSignature);
  }
  OrRefused<LossCause> operator()(const AdviceRangeProof& proof) const {
    return cause_if(check_advice_range(batch, proof.object, proof.element, proof.openings), LossCause::kAdviceRange);
  }

  static OrRefused<LossCause> cause_if(OrRefused<void> shown, LossCause cause) {
    if (!shown) return std::unexpected(std::move(shown.error()));
    return cause;
  }
};

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
  const auto committed = committed_batch(call.changes, call.programs, show.header);
  if (!committed) return std::unexpected(committed.error());
  const auto cause =
      std::visit(ProofChecker{.call = call, .batch = *committed, .posted_s = batch->node.posted_s}, show.proof);
  if (!cause) return std::unexpected(cause.error());
  return lose_batch(call, *batch, *cause, call.sender);
}

}  // namespace tally::proof
