#include "verifier/watchtower/batch_history.h"

#include <algorithm>
#include <variant>

namespace tally::verifier {

void BatchHistory::add(const std::vector<chain::LoggedEvent>& events) {
  const auto own = [&](const proof::GameId& id) {
    return std::ranges::find(games, id, [](const OwnGame& game) { return game.now().id; });
  };
  for (const chain::LoggedEvent& logged : events) {
    next = logged.position + 1;
    if (const auto* opened = std::get_if<proof::GameOpened>(&logged.event)) {
      games.push_back({.history = {{.move = {}, .game = opened->game}}});
      ++games_opened;
    } else if (const auto* moved = std::get_if<proof::GameMoved>(&logged.event)) {
      const auto game = own(moved->game.id);
      if (game != games.end()) game->history.push_back({.move = moved->move, .game = moved->game});
    } else if (const auto* ended = std::get_if<proof::GameEnded>(&logged.event)) {
      const auto game = own(ended->game);
      if (game != games.end()) games.erase(game);
    } else if (const auto* requested_leaf = std::get_if<proof::LeafRequested>(&logged.event)) {
      requested.insert(requested_leaf->leaf);
      open_requests[requested_leaf->leaf] = {.by = requested_leaf->by, .requested_s = logged.time_s};
    } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&logged.event)) {
      open_requests.erase(answered->leaf);
      ++answers;
    } else if (const auto* withheld = std::get_if<proof::RequestWithheld>(&logged.event)) {
      open_requests.erase(withheld->leaf);
    }
  }
}

}  // namespace tally::verifier
