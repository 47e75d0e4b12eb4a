#include "sequencer/defender/defense_view.h"

#include <span>
#include <variant>

#include "chain_adapter/chain/follow_events.h"

namespace tally::sequencer {

void DefenseView::follow(chain::ChainAdapter& chain) {
  chain::follow_events(chain, x_cursor, [&](std::span<const chain::LoggedEvent> page) {
    for (const chain::LoggedEvent& logged : page) {
      apply(logged, chain.state());
      x_cursor = logged.position + 1;
    }
  });
}

bool DefenseView::is_ours(const proof::Posted& posted, const proof::StateReader& state) const {
  if (posted.header.poster == x_player) return true;
  // The delegate stands in the tree of batches alone.
  const auto node = proof::read_node(state, posted.header.task, posted.batch);
  return node && node->delegate == x_player;
}

void DefenseView::apply(const chain::LoggedEvent& logged, const proof::StateReader& state) {
  const proof::Event& event = logged.event;
  if (const auto* posted = std::get_if<proof::Posted>(&event)) {
    if (is_ours(*posted, state)) x_batches.emplace(posted->batch, *posted);
  } else if (const auto* opened = std::get_if<proof::GameOpened>(&event)) {
    put(opened->game);
  } else if (const auto* moved = std::get_if<proof::GameMoved>(&event)) {
    put(moved->game);
  } else if (const auto* ended = std::get_if<proof::GameEnded>(&event)) {
    x_games.erase(ended->game);
  } else if (const auto* invalid = std::get_if<proof::BatchInvalid>(&event)) {
    forget(invalid->batch);
  } else if (const auto* requested = std::get_if<proof::LeafRequested>(&event)) {
    if (x_batches.contains(requested->batch)) x_requests[{requested->batch, requested->leaf}] = logged.time_s;
  } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&event)) {
    x_requests.erase({answered->batch, answered->leaf});
  } else if (const auto* withheld = std::get_if<proof::RequestWithheld>(&event)) {
    x_requests.erase({withheld->batch, withheld->leaf});
  }
}

void DefenseView::put(const proof::Game& game) {
  if (game.poster == x_player || game.delegate == x_player) x_games[game.id] = game;
}

void DefenseView::forget(const proof::BatchId& batch) {
  std::erase_if(x_games, [&](const auto& game) { return game.second.batch == batch; });
  std::erase_if(x_requests, [&](const auto& request) { return request.first.first == batch; });
}

}  // namespace tally::sequencer
