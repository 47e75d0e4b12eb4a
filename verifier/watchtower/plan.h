// What a watchtower does next about one batch, from what it knows: a pure function from a view to an action.
//
//   own games     answered while it is the challenger's turn; a timeout is claimed as soon as the poster's clock has
//   run
//                 out; where the batch fell by another's hand, the bond is taken back
//   own requests  claimed as soon as the window is over
//   the batch     judged once it is posted (and again once in each run while data is missing, and when all that was
//                 demanded is answered), challenged within its period, whatever its siblings and whoever else plays
//                 against it
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <variant>

#include "fraud_proof/settlement/state.h"
#include "verifier/replay/judge.h"
#include "verifier/watchtower/batch_history.h"

namespace tally::verifier {

/// Of the proof that the watchtower committed to.
enum class ProofState : std::uint8_t { kNone, kRemembered, kCommitted };

/// What was done by the chain's records, and the events do not tell yet: nothing more is to be done about it meanwhile.
struct Awaited {
  std::set<proof::GameId> games{};
  std::set<proof::OpeningKey> requests{};  // that are settled
  std::set<proof::OpeningKey> demands{};
  bool opening = false;
};

struct BatchView {
  proof::Address self{};
  proof::BatchStatus status = proof::BatchStatus::kPending;
  std::uint64_t posted_s = 0;
  std::uint64_t now_s = 0;
  proof::TaskSettings settings{};
  std::optional<Verdict> verdict{};
  /// The verdict is of this run.
  bool judged_now = false;
  BatchHistory history{};
  /// Of answers that were there when the verdict was made.
  std::size_t answers_judged = 0;
  /// Games in which a move was due that is better not made.
  std::set<proof::GameId> silenced_games{};
  Awaited awaited{};
  ProofState proof = ProofState::kNone;
  bool silenced = false;        // a challenge was due that is better not made
  bool spares_demands = false;  // a demand was due that is not worth its bond
};

struct JudgeBatch {};
struct OpenDispute {};
struct MoveInGame {
  std::size_t game = 0;
};
struct TakeTimeout {
  std::size_t game = 0;
};
struct TakeRefund {
  std::size_t game = 0;
};
struct CommitProof {};
struct RevealProof {};
struct DemandLeaf {
  proof::OpeningKey leaf{};
};
struct TakeWithheld {
  proof::OpeningKey leaf{};
};
/// Nothing, now. `done`: nor ever.
struct Rest {
  bool done = false;
};

using Action = std::variant<JudgeBatch, OpenDispute, MoveInGame, TakeTimeout, TakeRefund, CommitProof, RevealProof,
                            DemandLeaf, TakeWithheld, Rest>;

[[nodiscard]] Action plan(const BatchView& view);

/// What the head says can be taken back by a reorganisation, and a game or a demand of one's own may be on chain before
/// an event tells of it. Once this is so, neither matters: nobody can challenge any more, and events had a clock's
/// time.
[[nodiscard]] bool is_over(const BatchView& view);

}  // namespace tally::verifier
