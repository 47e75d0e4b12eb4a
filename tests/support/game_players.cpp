#include "tests/support/game_players.h"

#include <utility>

#include "deterministic_math/numbers/arithmetic.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/memory_world.h"

namespace tally::test {

using namespace tally::proof;
using math::Accumulators;

GameWorld::GameWorld(math::Program program, std::uint64_t random_seed, std::uint64_t max_dim)
    : x_program(std::move(program)),
      x_rng(random_seed),
      x_data(x_program, x_rng, {.max_dim = max_dim}),
      x_failed(compute_tables(x_program, x_data)) {}

math::Program GameWorld::compile(const std::string& source) { return compile_text(source).program; }

math::i128 GameWorld::value(math::ObjectId table, std::uint64_t element) {
  return math::read_element(x_data.table(table), x_program.objects[table].type, element);
}

void GameWorld::set(math::ObjectId table, std::uint64_t element, math::i128 value) {
  math::write_element(x_data.table(table), x_program.objects[table].type, element, value);
}

CommittedMemory& GameWorld::commit(std::uint32_t leaf_bytes) {
  x_committed.emplace(x_program, x_data.values(), x_data.inputs(), leaf_bytes);
  return *x_committed;
}

std::vector<Accumulators> GameWorld::states(std::size_t item, std::uint64_t entry) const {
  std::vector<Accumulators> states{math::initial_accumulators(x_program.items[item])};
  const std::uint64_t length = math::fold_length(x_program, x_data.values(), item);
  for (std::uint64_t step = 0; step < length; ++step) {
    states.push_back(states.back());
    math::run_steps(evaluation(), item, entry, step, step + 1, states.back());
  }
  return states;
}

StateAt states_of(std::vector<Accumulators> states) {
  return [states = std::move(states)](std::uint64_t number) { return states.at(number); };
}

GameStart start_of(const CommittedMemory& committed, std::uint64_t clock_s) {
  GameStart start;
  start.id.digest.bytes[0] = 7;
  start.batch = batch_id(committed.header());
  start.poster = kPosterAddress;
  start.delegate = kDelegateAddress;
  start.challenger = kChallengerAddress;
  start.bond = Wei{100};
  start.clock_s = clock_s;
  start.now_s = 5000;
  return start;
}

Move respond_with(const MoveContext& context, const Game& game, const StateAt& claim) {
  const math::Body& body = *context.batch.program.items[game.item].body;
  std::vector<Accumulators> claims;
  for (const std::uint64_t position : boundary_positions(game.low, game.high, context.arity)) {
    Accumulators cut = claim(position);
    for (std::size_t j = 0; j < body.accumulators.size(); ++j) {
      const auto bits = static_cast<int>(8 * accumulator_width(body.accumulators[j]));
      if (bits < 128) cut[j] = math::wrap_to_bits(cut[j], bits);
    }
    claims.push_back(cut);
  }
  return Respond{.claims = encode_claims(body, claims)};
}

Move challenge_with(const MoveContext& context, const Game& game, const StateAt& truth, LeafSource& source) {
  const auto witness = [&](std::uint64_t number) {
    return make_witness(context.batch, {.item = game.item, .entry = game.entry, .number = number}, truth(number),
                        source);
  };
  if (game.phase == Phase::kProve) return Prove{.witness = witness(game.low)};
  TALLY_ASSERT(game.phase == Phase::kNarrow);
  const std::vector<std::uint64_t> positions = boundary_positions(game.low, game.high, context.arity);
  const math::Body& body = *context.batch.program.items[game.item].body;
  const auto claims = decode_claims(body, positions.size(), game.claims);
  TALLY_ASSERT(claims.has_value());
  std::size_t segment = 0;
  while (segment < positions.size() && (*claims)[segment] == truth(positions[segment])) ++segment;
  const std::uint64_t low = segment == 0 ? game.low : positions[segment - 1];
  const std::uint64_t high = segment == positions.size() ? game.high : positions[segment];
  const auto wire = static_cast<std::uint8_t>(segment);
  if (high - low > 1) return Narrow{.segment = wire};
  return NarrowAndProve{.segment = wire, .witness = witness(low)};
}

Move reveal_with(const Game& game, CommittedMemory& posted) {
  Reveal move;
  for (const Descent& descent : game.descents) {
    if (descent.located) continue;
    Reveal::Answer& answer = move.answers.emplace_back();
    if (descent.leaves == 1) {
      answer.leaf = posted.leaf({.object = descent.object, .record = 0, .leaf = descent.first_leaf}).bytes;
    } else {
      answer.nodes = reveal_nodes(posted.leaf_digests(descent.object).subspan(descent.first_leaf, descent.leaves));
    }
  }
  return move;
}

Move descend_with(const Game& game, CommittedMemory& own) {
  Descend move;
  for (const Descent& descent : game.descents) {
    if (descent.located) continue;
    const auto nodes = reveal_nodes(own.leaf_digests(descent.object).subspan(descent.first_leaf, descent.leaves));
    std::size_t child = 0;
    while (child + 1 < nodes.size() && nodes[child] == descent.children[child]) ++child;
    move.children.push_back(static_cast<std::uint8_t>(child));
  }
  return move;
}

Match play(const CommittedBatch& batch, std::uint16_t arity, Game game, const StateAt& claim, const StateAt& truth,
           LeafSource& source) {
  Match match;
  while (true) {
    const bool poster = to_move(game.phase) == Side::kPoster;
    const MoveContext context{.batch = batch,
                              .arity = arity,
                              .sender = poster ? kPosterAddress : kChallengerAddress,
                              .now_s = game.moved_at_s + 1};
    const Move move = poster ? respond_with(context, game, claim) : challenge_with(context, game, truth, source);
    ++(poster ? match.poster_moves : match.challenger_moves);
    auto result = apply_move(context, game, move);
    if (!result) {
      match.refused = result.error().reason;
      return match;
    }
    if (std::holds_alternative<PosterLost>(*result)) {
      match.poster_lost = true;
      return match;
    }
    game = std::get<Game>(std::move(*result));
  }
}

}  // namespace tally::test
