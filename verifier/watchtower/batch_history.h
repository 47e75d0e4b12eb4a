// What happened to one batch so far, as far as a watchtower cares: its own games, and everyone's requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "fraud_proof/game/game.h"
#include "verifier/challenger/player.h"

namespace tally::verifier {

/// One of the watchtower's own games that has not ended.
struct OwnGame {
  std::vector<GameStep> history{};  // never empty
  [[nodiscard]] const proof::Game& now() const { return history.back().game; }
};

/// Of anyone's: where a leaf is withheld, the batch falls whoever asked for it.
struct OpenRequest {
  proof::Address by{};
  std::uint64_t requested_s = 0;
};

struct BatchHistory {
  std::vector<OwnGame> games{};
  std::uint64_t games_opened = 0;  // those that ended too
  std::map<proof::OpeningKey, OpenRequest> open_requests{};
  std::set<proof::OpeningKey> requested{};  // answered ones too
  std::size_t answers = 0;
  std::uint64_t next = 0;  // the position of the next event

  /// Events of the batch at positions from `next` on, in order; games are the watchtower's own.
  void add(const std::vector<chain::LoggedEvent>& events);
};

}  // namespace tally::verifier
