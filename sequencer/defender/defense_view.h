// What a poster has to defend, as the chain's events tell it: its batches, the open games about them, and the open
// requests of their leaves. A reader: it decides nothing and sends nothing.
//
// Every event is read from the first on, so that no game is missed after a time of silence (pitfall 25), and games are
// known by their ids and states, never by a position (pitfall 17).
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "chain_adapter/chain/chain.h"

namespace tally::sequencer {

class DefenseView {
 public:
  using Request = std::pair<proof::BatchId, proof::OpeningKey>;

  /// Batches that `player` posted, or may move for.
  explicit DefenseView(const proof::Address& player) : x_player(player) {}

  /// Reads the events that are new since the last call.
  void follow(chain::ChainAdapter& chain);

  [[nodiscard]] const std::map<proof::BatchId, proof::Posted>& batches() const { return x_batches; }
  /// In their latest state. Those of batches that fell are left out: nothing is to be said there.
  [[nodiscard]] const std::map<proof::GameId, proof::Game>& games() const { return x_games; }
  /// With the time of the request.
  [[nodiscard]] const std::map<Request, std::uint64_t>& requests() const { return x_requests; }
  /// The position of the next event to be read.
  [[nodiscard]] std::uint64_t cursor() const { return x_cursor; }

 private:
  void apply(const chain::LoggedEvent& logged, const proof::StateReader& state);
  [[nodiscard]] bool is_ours(const proof::Posted& posted, const proof::StateReader& state) const;
  void put(const proof::Game& game);
  void forget(const proof::BatchId& batch);

  proof::Address x_player;
  std::uint64_t x_cursor = 0;
  std::map<proof::BatchId, proof::Posted> x_batches;
  std::map<proof::GameId, proof::Game> x_games;
  std::map<Request, std::uint64_t> x_requests;
};

}  // namespace tally::sequencer
