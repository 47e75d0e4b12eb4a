#include <string>
#include <utility>

#include "fraud_proof/game/game.h"
#include "fraud_proof/game/phases.h"
#include "fraud_proof/step/one_step.h"

namespace tally::proof {

namespace {

// Seconds that the side to move has used since the last move. (Chains' clocks never run backwards.)
std::uint64_t elapsed(const Game& game, std::uint64_t now_s) {
  return now_s > game.moved_at_s ? now_s - game.moved_at_s : 0;
}

std::uint64_t& running_clock(Game& game) {
  return to_move(game.phase) == Side::kPoster ? game.poster_clock_s : game.challenger_clock_s;
}

bool may_move(const Game& game, const Address& sender) {
  if (to_move(game.phase) == Side::kChallenger) return sender == game.challenger;
  return sender == game.poster || (sender == game.delegate && game.delegate != Address{});
}

bool fits_batch(const MoveContext& context, const Game& game) {
  switch (game.phase) {
    case Phase::kReveal:
    case Phase::kDescend:
    case Phase::kChoose:
      return descent_fits(context, game);
    case Phase::kRespond:
    case Phase::kNarrow:
    case Phase::kProve:
      return bisection_fits(context, game);
  }
  return false;
}

Phase phase_of(const Reveal& /*move*/) { return Phase::kReveal; }
Phase phase_of(const Descend& /*move*/) { return Phase::kDescend; }
Phase phase_of(const Choose& /*move*/) { return Phase::kChoose; }
Phase phase_of(const Respond& /*move*/) { return Phase::kRespond; }
Phase phase_of(const Narrow& /*move*/) { return Phase::kNarrow; }
Phase phase_of(const Prove& /*move*/) { return Phase::kProve; }
Phase phase_of(const NarrowAndProve& /*move*/) { return Phase::kNarrow; }

struct MoveRunner {
  const MoveContext& context;
  const Game& game;  // its clock has been stopped

  OrRefused<MoveResult> operator()(const Reveal& move) const { return reveal(context, game, move); }
  OrRefused<MoveResult> operator()(const Descend& move) const { return descend(context, game, move); }
  OrRefused<MoveResult> operator()(const Choose& move) const { return choose(context, game, move); }
  OrRefused<MoveResult> operator()(const Respond& move) const { return respond(context, game, move); }
  OrRefused<MoveResult> operator()(const Narrow& move) const { return narrow(context, game, move); }
  OrRefused<MoveResult> operator()(const Prove& move) const { return prove(context, game, move); }
  OrRefused<MoveResult> operator()(const NarrowAndProve& move) const { return narrow_and_prove(context, game, move); }
};

}  // namespace

Side to_move(Phase phase) {
  switch (phase) {
    case Phase::kReveal:
    case Phase::kRespond:
      return Side::kPoster;
    case Phase::kDescend:
    case Phase::kChoose:
    case Phase::kNarrow:
    case Phase::kProve:
      return Side::kChallenger;
  }
  return Side::kChallenger;
}

Game begin_game(const CommittedBatch& batch, const GameStart& start, std::uint16_t item) {
  Game game;
  game.id = start.id;
  game.task = batch.header.task;
  game.batch = start.batch;
  game.poster = start.poster;
  game.delegate = start.delegate;
  game.challenger = start.challenger;
  game.bond = start.bond;
  game.poster_clock_s = start.clock_s;
  game.challenger_clock_s = start.clock_s;
  game.moved_at_s = start.now_s;
  game.item = item;
  return game;
}

OrRefused<Game> open_game(const CommittedBatch& batch, const GameStart& start, std::uint16_t item, std::uint64_t entry,
                          math::Bytes openings) {
  const auto count = transitions(batch, item, entry);
  if (!count) return std::unexpected(count.error());
  const auto results = open_results(batch, item, entry, openings);
  if (!results) return std::unexpected(results.error());
  Game game = begin_game(batch, start, item);
  game.entry = entry;
  game.at_low = math::initial_accumulators(batch.program.items[item]);
  begin_bisection(game, *count, *results);
  return game;
}

OrRefused<MoveResult> apply_move(const MoveContext& context, const Game& game, const Move& move) {
  if (!may_move(game, context.sender)) {
    return refuse(Reason::kNotYourMove, to_text(context.sender) + " may not move for the " +
                                            (to_move(game.phase) == Side::kPoster ? "poster" : "challenger") +
                                            ", whose turn it is");
  }
  const Phase phase = std::visit([](const auto& known) { return phase_of(known); }, move);
  if (phase != game.phase) return refuse(Reason::kWrongPhase, "the game does not wait for this kind of move");
  Game stopped = game;
  std::uint64_t& clock = running_clock(stopped);
  const std::uint64_t used = elapsed(game, context.now_s);
  if (used > clock) {
    return refuse(Reason::kClockExpired,
                  std::to_string(used) + " seconds since the last move, of " + std::to_string(clock) + " left");
  }
  clock -= used;
  stopped.moved_at_s = context.now_s;
  if (!fits_batch(context, stopped)) return refuse(Reason::kMalformed, "the game is none over this batch");
  return std::visit(MoveRunner{context, stopped}, move);
}

OrRefused<Side> claim_timeout(const Game& game, std::uint64_t now_s) {
  const Side side = to_move(game.phase);
  const std::uint64_t clock = side == Side::kPoster ? game.poster_clock_s : game.challenger_clock_s;
  const std::uint64_t used = elapsed(game, now_s);
  if (used <= clock) {
    return refuse(Reason::kClockRunning,
                  std::to_string(used) + " seconds since the last move, of " + std::to_string(clock) + " left");
  }
  return side;
}

}  // namespace tally::proof
