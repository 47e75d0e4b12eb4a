#include "chain_adapter/chain/open_disputes.h"

#include <variant>

namespace tally::chain {

void OpenDisputes::apply(const LoggedEvent& logged) {
  const proof::Event& event = logged.event;
  if (const auto* opened = std::get_if<proof::GameOpened>(&event)) {
    x_games[opened->game.id] = opened->game;
  } else if (const auto* moved = std::get_if<proof::GameMoved>(&event)) {
    x_games[moved->game.id] = moved->game;
  } else if (const auto* ended = std::get_if<proof::GameEnded>(&event)) {
    x_games.erase(ended->game);
  } else if (const auto* invalid = std::get_if<proof::BatchInvalid>(&event)) {
    std::erase_if(x_games, [&](const auto& game) { return game.second.batch == invalid->batch; });
    std::erase_if(x_requests, [&](const auto& request) { return request.first.first == invalid->batch; });
  } else if (const auto* requested = std::get_if<proof::LeafRequested>(&event)) {
    x_requests[{requested->batch, requested->leaf}] = logged.time_s;
  } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&event)) {
    x_requests.erase({answered->batch, answered->leaf});
  } else if (const auto* withheld = std::get_if<proof::RequestWithheld>(&event)) {
    x_requests.erase({withheld->batch, withheld->leaf});
  }
}

}  // namespace tally::chain
