#include "sequencer/defender/answer.h"

#include <algorithm>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {

namespace {

using math::Accumulators;

/// A state that does not fit the claim's bytes can only follow from one that no honest poster claimed. It is cut: the
/// answer is then as good as any.
Accumulators cut_to_width(const math::Body& body, Accumulators state) {
  for (std::size_t j = 0; j < body.accumulators.size(); ++j) {
    const auto bits = static_cast<std::int32_t>(8 * proof::accumulator_width(body.accumulators[j]));
    if (bits < 128) state[j] = math::wrap_to_bits(state[j], bits);
  }
  return state;
}

bool leads_to_claim(const math::Evaluation& evaluation, const proof::Game& game, std::uint64_t reached,
                    Accumulators state) {
  const std::uint64_t length = math::fold_length(evaluation.program, evaluation.values, game.item);
  math::run_steps(evaluation, game.item, game.entry, reached, std::min(game.high, length), state);
  if (game.high <= length) return state == game.at_high;
  return math::run_finish(evaluation, game.item, game.entry, state) == game.results;
}

Answer respond(const PosterData& data, const proof::Game& game, std::uint16_t arity) {
  const math::Body& body = *data.batch.program.items[game.item].body;
  const math::Evaluation evaluation{.program = data.batch.program, .values = data.batch.values, .inputs = data.inputs};
  std::vector<Accumulators> claims;
  Accumulators state = game.at_low;
  std::uint64_t reached = game.low;
  for (const std::uint64_t position : proof::boundary_positions(game.low, game.high, arity)) {
    math::run_steps(evaluation, game.item, game.entry, reached, position, state);
    reached = position;
    claims.push_back(cut_to_width(body, state));
  }
  return {.move = proof::Respond{.claims = proof::encode_claims(body, claims)},
          .agrees = leads_to_claim(evaluation, game, reached, state)};
}

proof::Reveal reveal(const PosterData& data, const proof::Game& game) {
  proof::Reveal move;
  for (const proof::Descent& descent : game.descents) {
    if (descent.located) continue;
    proof::Reveal::Answer& answer = move.answers.emplace_back();
    if (descent.leaves == 1) {
      answer.leaf = data.leaves.leaf({.object = descent.object, .record = 0, .leaf = descent.first_leaf}).bytes;
    } else {
      const std::span<const math::Digest> digests = data.leaf_digests(descent.object);
      answer.nodes = proof::reveal_nodes(digests.subspan(descent.first_leaf, descent.leaves));
    }
  }
  return move;
}

}  // namespace

std::optional<Answer> answer(const PosterData& data, const proof::Game& game, std::uint16_t arity) {
  switch (game.phase) {
    case proof::Phase::kReveal:
      return Answer{.move = reveal(data, game)};
    case proof::Phase::kRespond:
      return respond(data, game, arity);
    case proof::Phase::kDescend:
    case proof::Phase::kChoose:
    case proof::Phase::kNarrow:
    case proof::Phase::kProve:
      break;
  }
  return std::nullopt;
}

std::vector<std::uint8_t> answer(const PosterData& data, const proof::OpeningKey& leaf) {
  proof::OpeningWriter writer(data.batch, data.leaves);
  writer.open(leaf);
  return writer.take();
}

}  // namespace tally::sequencer
