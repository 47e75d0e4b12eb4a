// Two sides of a game, as simple as they can be: each knows the states of one entry's fold by a function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "deterministic_math/language/compile.h"
#include "fraud_proof/game/game.h"
#include "tests/support/committed_memory.h"
#include "tests/support/random_program.h"

namespace tally::test {

inline constexpr proof::Address kPosterAddress{{1}};
inline constexpr proof::Address kChallengerAddress{{2}};
inline constexpr proof::Address kDelegateAddress{{3}};

/// A program with random inputs and its tables computed, then changed by the test, then committed.
class GameWorld {
 public:
  /// Dims that are not fixed are at most `max_dim`.
  explicit GameWorld(math::Program program, std::uint64_t random_seed = 1, std::uint64_t max_dim = 6);
  explicit GameWorld(const std::string& source) : GameWorld(compile(source)) {}

  [[nodiscard]] const math::Program& program() const { return x_program; }
  [[nodiscard]] RandomBatch& data() { return x_data; }
  [[nodiscard]] std::uint64_t failed() const { return x_failed; }
  [[nodiscard]] math::Evaluation evaluation() const { return {x_program, x_data.values(), x_data.inputs()}; }
  [[nodiscard]] math::i128 value(math::ObjectId table, std::uint64_t element);
  void set(math::ObjectId table, std::uint64_t element, math::i128 value);

  /// Commits to the data as it is now.
  [[nodiscard]] CommittedMemory& commit(std::uint32_t leaf_bytes = 64);

  /// States 0 … L of an entry over the data as it is.
  [[nodiscard]] std::vector<math::Accumulators> states(std::size_t item, std::uint64_t entry) const;

 private:
  static math::Program compile(const std::string& source);

  math::Program x_program;
  Rng x_rng;
  RandomBatch x_data;
  std::uint64_t x_failed;
  std::optional<CommittedMemory> x_committed;
};

/// The state at a number, of those that are accumulators.
using StateAt = std::function<math::Accumulators(std::uint64_t number)>;

[[nodiscard]] StateAt states_of(std::vector<math::Accumulators> states);

[[nodiscard]] proof::GameStart start_of(const CommittedMemory& committed, std::uint64_t clock_s = 1000);

/// Claims cut to their width, true or not.
[[nodiscard]] proof::Move respond_with(const proof::MoveContext& context, const proof::Game& game,
                                       const StateAt& claim);

/// Narrows to the first segment whose end it does not agree with, and proves as soon as it can.
[[nodiscard]] proof::Move challenge_with(const proof::MoveContext& context, const proof::Game& game,
                                         const StateAt& truth, proof::LeafSource& source);

/// What lies below the current nodes in the poster's trees.
[[nodiscard]] proof::Move reveal_with(const proof::Game& game, CommittedMemory& posted);

/// In each table the first child that is not as in the challenger's own trees (the last where all are).
[[nodiscard]] proof::Move descend_with(const proof::Game& game, CommittedMemory& own);

struct Match {
  bool poster_lost = false;
  std::uint64_t poster_moves = 0;
  std::uint64_t challenger_moves = 0;
  /// The refusal that left a side without a move.
  std::optional<proof::Reason> refused{};
};

/// Plays a bisection to its end.
[[nodiscard]] Match play(const proof::CommittedBatch& batch, std::uint16_t arity, proof::Game game,
                         const StateAt& claim, const StateAt& truth, proof::LeafSource& source);

}  // namespace tally::test
