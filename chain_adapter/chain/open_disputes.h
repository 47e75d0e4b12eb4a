// The games and requests that are open, as a chain's events tell it. The chain itself keeps only the hash of a game's
// state, and every move and claim has to show the state.
//
// Every event is to be applied, from the first on, so that no game is missed after a time of silence (pitfall 25);
// games are known by their ids and states, never by a position (pitfall 17).
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "chain_adapter/chain/chain.h"

namespace tally::chain {

class OpenDisputes {
 public:
  using Request = std::pair<proof::BatchId, proof::OpeningKey>;

  void apply(const LoggedEvent& logged);

  /// In their latest state. Those of batches that fell are left out: nothing is to be said there.
  [[nodiscard]] const std::map<proof::GameId, proof::Game>& games() const { return x_games; }
  /// With the time of the request.
  [[nodiscard]] const std::map<Request, std::uint64_t>& requests() const { return x_requests; }

 private:
  std::map<proof::GameId, proof::Game> x_games;
  std::map<Request, std::uint64_t> x_requests;
};

}  // namespace tally::chain
