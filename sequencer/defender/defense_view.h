// What a poster has to defend, as the chain's events tell it: its batches, the open games about them, and the open
// requests of their leaves. A reader: it decides nothing and sends nothing.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/chain/open_disputes.h"

namespace tally::sequencer {

class DefenseView {
 public:
  /// Batches that `player` posted, and those of `posters` that name it as their delegate. Anybody may name it.
  explicit DefenseView(const proof::Address& player, std::vector<proof::Address> posters = {})
      : x_player(player), x_posters(std::move(posters)) {}

  /// Reads the events that are new since the last call; all of them where those it has read no longer hold.
  void follow(chain::ChainAdapter& chain);

  [[nodiscard]] const std::map<proof::BatchId, proof::Posted>& batches() const { return x_batches; }
  [[nodiscard]] const std::map<proof::GameId, proof::Game>& games() const { return x_disputes.games(); }
  /// With the time of the request.
  [[nodiscard]] const std::map<chain::OpenDisputes::Request, std::uint64_t>& requests() const {
    return x_disputes.requests();
  }

 private:
  void apply(const chain::LoggedEvent& logged, const proof::StateReader& state);
  [[nodiscard]] bool is_ours(const proof::Posted& posted, const proof::StateReader& state) const;
  [[nodiscard]] bool is_client(const proof::Address& poster) const;
  [[nodiscard]] bool concerns_others(const proof::Event& event) const;

  proof::Address x_player;
  std::vector<proof::Address> x_posters;
  chain::EventCursor x_cursor;
  std::map<proof::BatchId, proof::Posted> x_batches;
  chain::OpenDisputes x_disputes;
};

}  // namespace tally::sequencer
