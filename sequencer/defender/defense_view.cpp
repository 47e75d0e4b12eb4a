#include "sequencer/defender/defense_view.h"

#include <algorithm>
#include <span>
#include <variant>

#include "chain_adapter/chain/follow_events.h"

namespace tally::sequencer {

void DefenseView::follow(chain::ChainAdapter& chain) {
  if (!x_cursor.holds(chain)) *this = DefenseView(x_player, x_posters);
  chain::follow_events(chain, x_cursor.next(), [&](std::span<const chain::LoggedEvent> page) {
    for (const chain::LoggedEvent& logged : page) {
      apply(logged, chain.state());
      x_cursor.pass(logged);
    }
  });
}

bool DefenseView::is_ours(const proof::Posted& posted, const proof::StateReader& state) const {
  if (posted.header.poster == x_player) return true;
  if (!is_client(posted.header.poster)) return false;
  // The delegate stands in the tree of batches alone.
  const auto node = proof::read_node(state, posted.header.task, posted.batch);
  return node && node->delegate == x_player;
}

bool DefenseView::is_client(const proof::Address& poster) const {
  return std::ranges::find(x_posters, poster) != x_posters.end();
}

bool DefenseView::concerns_others(const proof::Event& event) const {
  const auto is_other = [&](const proof::Game& game) {
    return game.poster != x_player && (game.delegate != x_player || !is_client(game.poster));
  };
  if (const auto* opened = std::get_if<proof::GameOpened>(&event)) return is_other(opened->game);
  if (const auto* moved = std::get_if<proof::GameMoved>(&event)) return is_other(moved->game);
  const auto* const requested = std::get_if<proof::LeafRequested>(&event);
  return requested != nullptr && !x_batches.contains(requested->batch);
}

void DefenseView::apply(const chain::LoggedEvent& logged, const proof::StateReader& state) {
  const auto* const posted = std::get_if<proof::Posted>(&logged.event);
  if (posted != nullptr && is_ours(*posted, state)) x_batches.emplace(posted->batch, *posted);
  if (!concerns_others(logged.event)) x_disputes.apply(logged);
}

}  // namespace tally::sequencer
