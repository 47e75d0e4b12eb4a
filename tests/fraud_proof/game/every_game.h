// Every game of a small world: each move that either side has, at each state that it leads to, through the code that
// judges moves; and at each state the moves and the times that are refused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "fraud_proof/game/game.h"
#include "tests/support/game_players.h"

namespace tally::test {

/// An entry of a body.
struct Place {
  std::uint16_t item = 0;
  std::uint64_t entry = 0;
};

/// Who plays every move there is; the other side is honest.
enum class Liars : std::uint8_t { kPoster, kChallenger, kBoth };

/// What is played over, and what the players know.
struct Arena {
  CommittedMemory& posted;
  /// The challenger's own trees, for descents.
  CommittedMemory& own;
  std::uint16_t arity = 2;
  /// Numbers 0 … L of any entry, over the values as they are committed.
  std::function<StateAt(const Place&)> truth;
  /// The entry that an honest challenger disputes.
  Place target{};
  /// What a lying challenger may choose where a descent ends.
  std::vector<Place> choices{};
};

struct GameCount {
  std::uint64_t states = 0;
  std::uint64_t won = 0;    // ends at which the poster was disproved
  std::uint64_t clock = 0;  // ends at which a side had no move left
  std::map<proof::Reason, std::uint64_t> refusals{};

  GameCount& operator+=(const GameCount& other);
};

class EveryGame {
 public:
  EveryGame(const Arena& arena, Liars liars);

  /// Plays on from a state. Failed expectations are GoogleTest's.
  GameCount play(const proof::Game& start);

 private:
  void visit(const proof::Game& game);
  void end_by_clock(const proof::Game& game);
  void disproved(const proof::Game& game);
  void check_successor(const proof::Game& before, const proof::Game& after);
  void check_clock(const proof::Game& game, const proof::Move& valid);
  void check_refusals(const proof::Game& game, const std::vector<proof::Move>& moves);
  void check_forgeries(const proof::Game& game, const proof::Move& valid);
  /// Refused by name, with the state as it was.
  void refused(const proof::Game& game, const proof::Move& move);
  void refused(const proof::Game& game, const proof::Move& move, proof::Reason reason);
  void refused(const proof::MoveContext& context, const proof::Game& game, const proof::Move& move,
               proof::Reason reason);

  [[nodiscard]] bool lies(proof::Side side) const;
  [[nodiscard]] proof::MoveContext context_of(const proof::Game& game) const;
  [[nodiscard]] std::vector<proof::Move> moves_of(const proof::Game& game);
  [[nodiscard]] std::vector<proof::Move> honest_moves(const proof::Game& game);
  [[nodiscard]] std::vector<proof::Move> responses(const proof::Game& game) const;
  [[nodiscard]] std::vector<proof::Move> descents(const proof::Game& game) const;
  [[nodiscard]] std::vector<proof::Move> choices() const;
  [[nodiscard]] std::vector<proof::Move> narrowings(const proof::Game& game) const;
  [[nodiscard]] proof::Move choose(const Place& place) const;
  [[nodiscard]] std::vector<std::uint8_t> witness(const proof::Game& game) const;

  const Arena& x_arena;
  Liars x_liars;
  GameCount x_count;
  std::set<proof::Digest> x_visited;
  std::vector<proof::Digest> x_path;
};

}  // namespace tally::test
