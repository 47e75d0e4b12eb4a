// What a watchtower does next about one batch, from what it knows: a pure function from a view to an action.
//
//   own games     answered while it is the challenger's turn; a timeout is claimed as soon as the poster's clock has
//   run
//                 out; where the batch fell by another's hand, the bond is taken back
//   own requests  claimed as soon as the window is over
//   the batch     judged once it is posted (and again while data is missing), challenged within its period, whatever
//                 its siblings and whoever else plays against it
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "fraud_proof/settlement/state.h"
#include "verifier/challenger/player.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {

/// One of the watchtower's own games that has not ended.
struct OwnGame {
  std::vector<GameStep> history{};  // never empty
  bool silenced = false;            // a move was due that is better not made
  [[nodiscard]] const proof::Game& now() const { return history.back().game; }
};

/// Of anyone's: where a leaf is withheld, the batch falls whoever asked for it.
struct OpenRequest {
  proof::OpeningKey leaf{};
  bool own = false;
  std::uint64_t requested_s = 0;
};

/// Of the proof that the watchtower committed to.
enum class ProofState : std::uint8_t { kNone, kRemembered, kCommitted };

struct BatchView {
  proof::BatchStatus status = proof::BatchStatus::kPending;
  std::uint64_t posted_s = 0;
  std::uint64_t now_s = 0;
  proof::TaskSettings settings{};
  std::optional<Verdict> verdict{};
  /// The verdict is of this run, or nothing has changed since.
  bool judged_now = false;
  std::vector<OwnGame> games{};
  std::uint64_t games_opened = 0;  // own ones, those that ended too
  std::vector<OpenRequest> open_requests{};
  std::set<proof::OpeningKey> requested{};  // by anyone, answered ones too
  bool answered_since = false;              // leaves that came after the verdict
  ProofState proof = ProofState::kNone;
  bool silenced = false;  // a challenge was due that is better not made
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

}  // namespace tally::verifier
