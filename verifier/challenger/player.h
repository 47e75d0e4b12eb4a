// The challenger's side of a dispute: what to say next, from what is known. Pure: no chain, no clock, no files but
// those that the batch has mapped.
//
// Every answer is recomputed from the batch and tried out with the chain's own functions before it is given. What would
// not be accepted, or would not be true, is not said: the reason comes back instead (pitfall 26), and it is for the
// caller to judge the batch anew.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fraud_proof/checks/local_checks.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/settlement/transaction.h"
#include "verifier/challenger/played_batch.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {

/// One event of a game: the state after a move, and the move; absent for the opening.
struct GameStep {
  std::optional<proof::Move> move{};
  proof::Game game{};
};

template <class T>
using OrSilence = std::expected<T, std::string>;

/// The transaction that opens a game about a wrong entry, or a descent into withheld tables.
[[nodiscard]] OrSilence<proof::Transaction> open_dispute(PlayedBatch& batch, const Verdict& verdict,
                                                         const proof::Address& challenger, const proof::Salt& salt);

/// The next move of a game that waits for the challenger. `history` has every step of the game so far, in order.
[[nodiscard]] OrSilence<proof::Move> next_move(PlayedBatch& batch, const Verdict& verdict,
                                               std::span<const GameStep> history, std::uint16_t arity);

/// The proof of a failed local check.
[[nodiscard]] proof::LocalProof local_proof(PlayedBatch& batch, const CheckTarget& target);

/// Whether the chain would accept the proof.
[[nodiscard]] OrSilence<void> try_proof(const PlayedBatch& batch, const proof::LocalProof& proof,
                                        const proof::SignerLookup& signers, std::uint64_t posted_s);

/// What the descents of a game have revealed so far.
[[nodiscard]] std::map<math::ObjectId, RevealedTable> revealed_tables(std::span<const GameStep> history);

}  // namespace tally::verifier
