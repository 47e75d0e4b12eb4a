// A batch under attack: everything that challengers send is sent through this, which knows every game as the chain's
// events tell it, and keeps count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/trial_world.h"
#include "verifier/challenger/played_batch.h"

namespace tally::test {

struct SiegeCount {
  std::uint64_t opened = 0;
  std::uint64_t transactions = 0;
  std::map<proof::GameOutcome, std::uint64_t> outcomes{};
  std::map<proof::Reason, std::uint64_t> refusals{};
};

class Siege {
 public:
  /// The world outlives it. The data are those that the poster has.
  Siege(TrialWorld& world, const Trial& batch, std::uint64_t seed);

  [[nodiscard]] TrialWorld& world() { return x_world; }
  [[nodiscard]] const proof::BatchHeader& header() const { return x_posted.posted.header; }
  /// The batch's data.
  [[nodiscard]] verifier::PlayedBatch& data() { return x_data; }
  [[nodiscard]] const proof::CommittedBatch& committed() const { return x_data.committed(); }
  [[nodiscard]] const math::Program& program() const { return committed().program; }
  [[nodiscard]] std::mt19937_64& random() { return x_random; }
  [[nodiscard]] std::uint64_t below(std::uint64_t count);

  /// Open games of the batch, in their latest state.
  [[nodiscard]] const std::map<proof::GameId, proof::Game>& games() const { return x_games; }
  [[nodiscard]] std::vector<proof::Game> games_of(const proof::Address& challenger) const;
  /// Every move so far, by whom, and the state that it answered; the states of openings, without a move.
  struct Step {
    std::optional<proof::Move> move{};
    proof::Address by{};
    proof::Game game{};
  };
  [[nodiscard]] const std::vector<Step>& history() const { return x_history; }

  proof::OrRefused<proof::Effects> send(const proof::PrivateKey& sender, const proof::Wei& value,
                                        const proof::Transaction& transaction);
  proof::OrRefused<proof::Effects> move(const proof::PrivateKey& sender, const proof::Game& game, proof::Move move) {
    return send(sender, {}, proof::MakeMove{.header = header(), .game = game, .move = std::move(move)});
  }
  /// Some entry that can be disputed; absent where the program has no body with entries.
  struct Entry {
    std::uint16_t item = 0;
    std::uint64_t entry = 0;
  };
  [[nodiscard]] std::optional<Entry> any_entry();
  void open(const proof::PrivateKey& challenger);
  void open_descent(const proof::PrivateKey& challenger);

  /// The defender's turn.
  void defend();
  /// Takes in the events that are new.
  void follow();

  [[nodiscard]] const SiegeCount& count() const { return x_count; }

 private:
  void note(const proof::Event& event);
  [[nodiscard]] proof::Salt new_salt();

  TrialWorld& x_world;
  verifier::PostedBatch x_posted;
  verifier::PlayedBatch x_data;
  std::mt19937_64 x_random;
  std::uint64_t x_cursor = 0;
  std::uint64_t x_salts = 0;
  std::map<proof::GameId, proof::Game> x_games;
  std::vector<Step> x_history;
  SiegeCount x_count;
};

}  // namespace tally::test
