// The parts of a game's moves that know nothing of clocks and senders. Each gives the state after the move, whose
// phase is the next one; the game that they are given fits the batch (fits_batch).
#pragma once

#include "fraud_proof/game/game.h"

namespace tally::proof {

// Bisection (bisection.cpp).

/// Begins the bisection of the entry, whose results are opened, and which has `transitions` transitions.
void begin_bisection(Game& game, std::uint64_t transitions, const math::ResultValues& results);
[[nodiscard]] OrRefused<MoveResult> respond(const MoveContext& context, Game game, const Respond& move);
[[nodiscard]] OrRefused<MoveResult> narrow(const MoveContext& context, Game game, const Narrow& move);
[[nodiscard]] OrRefused<MoveResult> prove(const MoveContext& context, const Game& game, const Prove& move);
[[nodiscard]] OrRefused<MoveResult> narrow_and_prove(const MoveContext& context, Game game, const NarrowAndProve& move);
/// Whether the bisection is over an entry of the batch, within its states, and with claims of the right size.
[[nodiscard]] bool bisection_fits(const MoveContext& context, const Game& game);

// Descent (descent.cpp).

[[nodiscard]] OrRefused<MoveResult> reveal(const MoveContext& context, Game game, const Reveal& move);
[[nodiscard]] OrRefused<MoveResult> descend(const MoveContext& context, Game game, const Descend& move);
[[nodiscard]] OrRefused<MoveResult> choose(const MoveContext& context, Game game, const Choose& move);
/// Whether the tables under descent are tables of the batch, and the nodes within them.
[[nodiscard]] bool descent_fits(const MoveContext& context, const Game& game);

/// The game of two sides before anything is disputed.
[[nodiscard]] Game begin_game(const CommittedBatch& batch, const GameStart& start, std::uint16_t item);

}  // namespace tally::proof
