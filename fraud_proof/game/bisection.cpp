#include <algorithm>
#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/game/phases.h"
#include "fraud_proof/step/one_step.h"

namespace tally::proof {

namespace {

Phase phase_over(std::uint64_t low, std::uint64_t high) { return high - low == 1 ? Phase::kProve : Phase::kRespond; }

const math::Body& body_of(const MoveContext& context, const Game& game) {
  return *context.batch.program.items[game.item].body;
}

bool ends_otherwise(const math::Item& item, const Game& game, const TransitionEnd& end) {
  switch (end.kind) {
    case TransitionEnd::Kind::kFail:
      return true;
    case TransitionEnd::Kind::kAccumulators:
      return end.accumulators != game.at_high;
    case TransitionEnd::Kind::kResults:
      // A body that returns nothing claims nothing: only FAIL disproves it.
      return item.kind == math::ItemKind::kTable && end.results != game.results;
  }
  return false;
}

}  // namespace

std::vector<std::uint64_t> boundary_positions(std::uint64_t low, std::uint64_t high, std::uint16_t arity) {
  TALLY_ASSERT(low < high);
  TALLY_ASSERT(arity >= kMinArity);
  const std::uint64_t length = high - low;
  const std::uint64_t segments = std::min<std::uint64_t>(arity, length);
  std::vector<std::uint64_t> positions;
  for (std::uint64_t i = 1; i < segments; ++i)
    positions.push_back(low + static_cast<std::uint64_t>(math::u128{length} * i / segments));
  return positions;
}

void begin_bisection(Game& game, std::uint64_t transitions, const math::ResultValues& results) {
  game.low = 0;
  game.high = transitions;
  game.results = results;
  game.phase = phase_over(game.low, game.high);
}

OrRefused<MoveResult> respond(const MoveContext& context, Game game, const Respond& move) {
  const std::size_t count = boundary_positions(game.low, game.high, context.arity).size();
  if (auto claims = decode_claims(body_of(context, game), count, move.claims); !claims)
    return std::unexpected(std::move(claims.error()));
  game.claims = move.claims;
  game.phase = Phase::kNarrow;
  return game;
}

OrRefused<MoveResult> narrow(const MoveContext& context, Game game, const Narrow& move) {
  const std::vector<std::uint64_t> positions = boundary_positions(game.low, game.high, context.arity);
  const std::size_t segment = move.segment;
  if (segment > positions.size()) {
    return refuse(Reason::kNoSuchSegment,
                  "segment " + std::to_string(segment) + " of " + std::to_string(positions.size() + 1));
  }
  const auto claims = decode_claims(body_of(context, game), positions.size(), game.claims);
  TALLY_ASSERT(claims.has_value());  // bisection_fits
  if (segment > 0) {
    game.low = positions[segment - 1];
    game.at_low = (*claims)[segment - 1];
  }
  if (segment < positions.size()) {
    game.high = positions[segment];
    game.at_high = (*claims)[segment];
    game.results = {};
  }
  game.claims.clear();
  game.phase = phase_over(game.low, game.high);
  return game;
}

OrRefused<MoveResult> prove(const MoveContext& context, const Game& game, const Prove& move) {
  const Transition transition{.item = game.item, .entry = game.entry, .number = game.low};
  const auto end = run_transition(context.batch, transition, game.at_low, move.witness);
  if (!end) return std::unexpected(end.error());
  if (!ends_otherwise(context.batch.program.items[game.item], game, *end)) {
    return refuse(Reason::kNotDisproved,
                  "transition " + std::to_string(game.low) + " leads exactly to what the poster claims");
  }
  return PosterLost{};
}

OrRefused<MoveResult> narrow_and_prove(const MoveContext& context, Game game, const NarrowAndProve& move) {
  auto narrowed = narrow(context, std::move(game), Narrow{.segment = move.segment});
  if (!narrowed) return narrowed;
  const auto& single = std::get<Game>(*narrowed);
  if (single.phase != Phase::kProve) {
    return refuse(Reason::kSegmentTooLong, "segment " + std::to_string(move.segment) + " has " +
                                               std::to_string(single.high - single.low) +
                                               " transitions; only one can be proved");
  }
  return prove(context, single, Prove{.witness = move.witness});
}

bool bisection_fits(const MoveContext& context, const Game& game) {
  const auto count = transitions(context.batch, game.item, game.entry);
  if (!count || game.high > *count || game.low >= game.high) return false;
  if (game.phase != Phase::kNarrow) return true;
  const std::size_t boundaries = boundary_positions(game.low, game.high, context.arity).size();
  return decode_claims(body_of(context, game), boundaries, game.claims).has_value();
}

}  // namespace tally::proof
