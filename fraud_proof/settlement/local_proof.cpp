#include "fraud_proof/settlement/local_proof.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "fraud_proof/settlement/broken_state.h"

namespace tally::proof {

namespace {

struct Checker {
  const CommittedBatch& batch;
  const ProofContext& context;

  OrRefused<LossCause> operator()(const RecordOrderProof& proof) const {
    return cause_if(check_record_order(batch, proof.index, proof.openings), LossCause::kRecordOrder);
  }
  OrRefused<LossCause> operator()(const RecordSignerProof& proof) const {
    return cause_if(check_record_signer(batch, proof.index, proof.openings, context.signers, context.posted_s),
                    LossCause::kRecordSigner);
  }
  OrRefused<LossCause> operator()(const RecordSignatureProof& proof) const {
    return cause_if(check_record_signature(batch, context.domain, proof.index, proof.openings),
                    LossCause::kRecordSignature);
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

std::optional<SignerTerm> signer_term(const StateReader& state, const TaskId& task, const Address& address) {
  const auto binding = read_binding(state, task, address);
  if (!binding) return std::nullopt;
  const auto member = read_member(state, task, binding->member);
  if (!member) throw BrokenState("an address bound to a member that is not there");
  return SignerTerm{.member = binding->member,
                    .from_s = binding->bound_s,
                    .until_s = std::min(binding->unbound_s, member->exit_at_s)};
}

OrRefused<LossCause> check_local_proof(const CommittedBatch& batch, const LocalProof& proof,
                                       const ProofContext& context) {
  return std::visit(Checker{.batch = batch, .context = context}, proof);
}

}  // namespace tally::proof
