// The local checks as the settlement applies them: which check a proof is of, and what the records of members say about
// signers. The chain judges shown proofs by this; posters and watchtowers ask it beforehand.
#pragma once

#include <cstdint>
#include <optional>

#include "fraud_proof/checks/local_checks.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {

/// The member that an address belongs to in the task, and for how long it may sign. Absent: it belongs to nobody.
[[nodiscard]] std::optional<SignerTerm> signer_term(const StateReader& state, const TaskId& task,
                                                    const Address& address);

/// What a local proof is judged by, beside its batch.
struct ProofContext {
  /// Of the chain and the contract that the batch was posted to.
  KeccakDigest domain{};
  const SignerLookup& signers;
  std::uint64_t posted_s = 0;
};

/// The cause for which the batch is lost; or why the proof shows nothing.
[[nodiscard]] OrRefused<LossCause> check_local_proof(const CommittedBatch& batch, const LocalProof& proof,
                                                     const ProofContext& context);

}  // namespace tally::proof
