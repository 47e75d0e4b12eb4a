#include "tests/support/games_on_chain.h"

#include <utility>
#include <variant>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/step/one_step.h"

namespace tally::test {

using namespace tally::proof;
using math::Accumulators;

namespace {

CommittedBatch committed(SettlementWorld& world, WorldBatch& batch) {
  auto known = world.chain().settlement().committed_batch(world.state(), batch.header());
  TALLY_ASSERT(known.has_value());
  return *std::move(known);
}

}  // namespace

void add_to(const math::Program& program, RandomBatch& data, math::ObjectId table, std::uint64_t element,
            math::i128 change) {
  const math::ElementType type = program.objects[table].type;
  const math::i128 value = math::read_element(data.table(table), type, element);
  const bool fits = math::type_range(type).contains(value + change);
  math::write_element(data.table(table), type, element, fits ? value + change : value - change);
}

StateAt truth_of(SettlementWorld& world, WorldBatch& batch, std::uint16_t item, std::uint64_t entry) {
  const math::Evaluation evaluation{world.program(), batch.data().values(), batch.data().inputs()};
  std::vector<Accumulators> states{math::initial_accumulators(world.program().items[item])};
  const std::uint64_t length = math::fold_length(world.program(), batch.data().values(), item);
  for (std::uint64_t step = 0; step < length; ++step) {
    states.push_back(states.back());
    math::run_steps(evaluation, item, entry, step, step + 1, states.back());
  }
  return states_of(std::move(states));
}

OpenGame opening(WorldBatch& batch, std::uint16_t item, std::uint64_t entry, std::uint8_t salt) {
  return {.header = batch.header(),
          .item = item,
          .entry = entry,
          .salt = {salt},
          .openings = make_result_openings(batch.committed().batch(), item, entry, batch.committed())};
}

OpenDescent descent(SettlementWorld& world, WorldBatch& batch, std::uint16_t item, std::uint8_t salt) {
  const std::vector<math::ObjectId>& tables = world.program().items[item].results;
  std::vector<Digest> roots;
  for (const math::ObjectId table : tables) roots.push_back(batch.committed().tree_root(table));
  return {.header = batch.header(),
          .item = item,
          .tables = tables,
          .salt = {salt},
          .roots = make_roots(batch.committed().batch(), tables, roots, batch.committed().table_commitments())};
}

Game game_after(const OrRefused<Effects>& effects) {
  TALLY_ASSERT(effects.has_value());
  for (const Event& event : effects->events) {
    if (const auto* opened = std::get_if<GameOpened>(&event)) return opened->game;
    if (const auto* moved = std::get_if<GameMoved>(&event)) return moved->game;
  }
  TALLY_ASSERT(false);
}

bool has_ended(const OrRefused<Effects>& effects) {
  TALLY_ASSERT(effects.has_value());
  return std::ranges::any_of(effects->events,
                             [](const Event& event) { return std::holds_alternative<GameEnded>(event); });
}

MakeMove next_move(SettlementWorld& world, WorldBatch& batch, const Game& game) {
  const auto with = [&](Move move) {
    return MakeMove{.header = batch.header(), .game = game, .move = std::move(move)};
  };
  if (game.phase == Phase::kReveal) return with(reveal_with(game, batch.committed()));
  if (game.phase == Phase::kDescend) return with(descend_with(game, batch.committed()));
  if (game.phase == Phase::kChoose)
    return with(Choose{.item = game.item, .openings = opening(batch, game.item, 0).openings});
  const CommittedBatch known = committed(world, batch);
  const MoveContext context{.batch = known, .arity = world.settings().arity};
  const StateAt truth = truth_of(world, batch, game.item, game.entry);
  return with(game.phase == Phase::kRespond ? respond_with(context, game, truth)
                                            : challenge_with(context, game, truth, batch.committed()));
}

OrRefused<Effects> dispute(SettlementWorld& world, WorldBatch& batch, const PrivateKey& challenger, std::uint16_t item,
                           std::uint64_t entry, std::uint8_t salt) {
  auto effects = world.send(challenger, world.settings().challenger_bond, opening(batch, item, entry, salt));
  while (effects && !has_ended(effects)) {
    const Game game = game_after(effects);
    const Address sender = to_move(game.phase) == Side::kPoster ? game.poster : game.challenger;
    effects = world.chain().send(sender, {}, next_move(world, batch, game));
  }
  return effects;
}

}  // namespace tally::test
