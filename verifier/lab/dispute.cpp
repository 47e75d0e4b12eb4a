#include "verifier/lab/dispute.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "chain_adapter/chain/event_json.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/step/one_step.h"

namespace tally::verifier {

namespace {

using namespace tally::proof;
using math::Accumulators;

constexpr Salt kSalt = [] {
  Salt salt;
  salt.fill(0xc5);
  return salt;
}();

/// A false batch, which is posted and disputed again and again.
class Laboratory {
 public:
  Laboratory(const math::Program& program, const DisputeCase& dispute, LabChain& chain)
      : x_dispute(dispute),
        x_settings(lab_settings(dispute.shape.leaf_bytes, dispute.arity)),
        x_batch(program, dispute.shape),
        x_chain(chain) {
    forge();
  }

  DisputeSteps play(FalseFrom from);

 private:
  void forge();
  [[nodiscard]] BatchHeader create_and_post();
  /// The state from which on the poster's claims are false.
  [[nodiscard]] std::uint64_t first_false(FalseFrom from) const;
  [[nodiscard]] Move respond(const Game& game, std::uint64_t first_false) const;
  [[nodiscard]] Move challenge(const CommittedBatch& committed, const Game& game);

  DisputeCase x_dispute;
  TaskSettings x_settings;
  ColumnBatch x_batch;
  LabChain& x_chain;
  std::vector<Accumulators> x_states;  // the true ones, 0 … L
};

/// Runs the fold by its own steps, and posts one unit more than its result.
void Laboratory::forge() {
  const CommittedBatch& committed = x_batch.committed();
  const auto count = transitions(committed, x_batch.item(), x_batch.parameter());
  TALLY_ASSERT(count.has_value());
  x_states = {math::initial_accumulators(committed.program.items[x_batch.item()])};
  for (std::uint64_t number = 0; number < *count; ++number) {
    const Transition transition{x_batch.item(), x_batch.parameter(), number};
    const auto witness = make_witness(committed, transition, x_states.back(), x_batch);
    const auto end = run_transition(committed, transition, x_states.back(), witness);
    TALLY_ASSERT(end.has_value() && end->kind != TransitionEnd::Kind::kFail);
    if (end->kind == TransitionEnd::Kind::kResults) {
      x_batch.set_next(end->results[0] + 1);
    } else {
      x_states.push_back(end->accumulators);
    }
  }
}

BatchHeader Laboratory::create_and_post() {
  const math::Program& program = x_batch.committed().program;
  const Effects created = x_chain
                              .send(kLabCreator, CreateTask{.salt = x_chain.next_salt(),
                                                            .bytecode = math::encode_program(program),
                                                            .dims = {x_dispute.shape.parameters},
                                                            .settings = x_settings,
                                                            .genesis_roots = {x_batch.model_root()}})
                              .effects;
  const auto states = x_batch.state_commitments();
  const Effects posted = x_chain
                             .send(kLabPoster, x_settings.sequencer_bond,
                                   Post{.task = std::get<TaskCreated>(created.events.front()).task,
                                        .state_commitments = {states.begin(), states.end()},
                                        .record_count = x_dispute.shape.clients,
                                        .records_root = x_batch.committed().header.records_root,
                                        .table_roots = x_batch.table_roots()})
                             .effects;
  return std::get<Posted>(posted.events.front()).header;
}

Move Laboratory::respond(const Game& game, std::uint64_t first_false) const {
  std::vector<Accumulators> claims;
  for (const std::uint64_t position : boundary_positions(game.low, game.high, x_dispute.arity)) {
    claims.push_back(x_states[position]);
    if (position >= first_false) claims.back()[0] += 1;
  }
  return Respond{.claims = encode_claims(*x_batch.committed().program.items[game.item].body, claims)};
}

Move Laboratory::challenge(const CommittedBatch& committed, const Game& game) {
  const auto witness = [&](std::uint64_t number) {
    return make_witness(committed, {game.item, game.entry, number}, x_states[number], x_batch);
  };
  if (game.phase == Phase::kProve) return Prove{.witness = witness(game.low)};
  const auto positions = boundary_positions(game.low, game.high, x_dispute.arity);
  const auto claims = decode_claims(*committed.program.items[game.item].body, positions.size(), game.claims);
  TALLY_ASSERT(claims.has_value());
  std::size_t segment = 0;
  while (segment < positions.size() && (*claims)[segment] == x_states[positions[segment]]) ++segment;
  const std::uint64_t low = segment == 0 ? game.low : positions[segment - 1];
  const std::uint64_t high = segment == positions.size() ? game.high : positions[segment];
  const auto wire = static_cast<std::uint8_t>(segment);
  if (high - low > 1) return Narrow{.segment = wire};
  return NarrowAndProve{.segment = wire, .witness = witness(low)};
}

std::uint64_t Laboratory::first_false(FalseFrom from) const {
  const std::uint64_t steps = x_states.size() - 1;
  switch (from) {
    case FalseFrom::kFirstStep:
      return 1;
    case FalseFrom::kMiddle:
      return steps / 2 + 1;
    case FalseFrom::kLastStep:
      return steps;
    case FalseFrom::kResult:
      return steps + 1;
  }
  TALLY_ASSERT(false);
}

DisputeSteps Laboratory::play(FalseFrom from) {
  const BatchHeader header = create_and_post();
  const auto committed = x_chain.settlement().committed_batch(x_chain.state(), header);
  TALLY_ASSERT(committed.has_value());
  DisputeSteps steps;
  const auto send = [&](std::string_view name, const Address& sender, const Wei& value,
                        const Transaction& transaction) {
    Sent sent = x_chain.send(sender, value, transaction);
    steps.push_back(
        {.name = name, .is_posters = sender == kLabPoster, .bytes = encode(transaction).size(), .gas = sent.gas});
    return std::move(sent.effects);
  };
  const auto openings = make_result_openings(*committed, x_batch.item(), x_batch.parameter(), x_batch);
  const OpenGame open{
      .header = header, .item = x_batch.item(), .entry = x_batch.parameter(), .salt = kSalt, .openings = openings};
  Effects effects = send(name_of(Transaction{open}), kLabChallenger, x_settings.challenger_bond, open);
  Game game = std::get<GameOpened>(effects.events.front()).game;
  while (true) {
    const bool poster = to_move(game.phase) == Side::kPoster;
    const Move move = poster ? respond(game, first_false(from)) : challenge(*committed, game);
    effects = send(chain::name_of(move), poster ? kLabPoster : kLabChallenger, {},
                   MakeMove{.header = header, .game = game, .move = move});
    const auto* moved = std::get_if<GameMoved>(&effects.events.front());
    if (moved == nullptr) break;
    game = moved->game;
  }
  const auto* ended = std::get_if<GameEnded>(&effects.events.front());
  TALLY_ASSERT(ended != nullptr && ended->outcome == GameOutcome::kPosterDisproved);
  return steps;
}

DisputeCost cost_of(const DisputeSteps& steps) {
  DisputeCost cost{.transactions = steps.size()};
  for (const DisputeStep& step : steps) {
    if (step.is_posters) ++cost.rounds;
    (step.is_posters ? cost.poster_bytes : cost.challenger_bytes) += step.bytes;
    cost.largest_bytes = std::max(cost.largest_bytes, step.bytes);
  }
  return cost;
}

}  // namespace

std::uint64_t total_gas(const DisputeSteps& steps) {
  std::uint64_t gas = 0;
  for (const DisputeStep& step : steps) gas += step.gas;
  return gas;
}

std::vector<DisputeSteps> play_disputes(const math::Program& fedavg, const DisputeCase& dispute, LabChain& chain) {
  Laboratory laboratory(fedavg, dispute, chain);
  std::vector<DisputeSteps> games;
  for (const FalseFrom from : kAllFalseFrom) games.push_back(laboratory.play(from));
  return games;
}

DisputeCost measure_dispute(const math::Program& fedavg, const DisputeCase& dispute) {
  NoNode node;
  LabChain chain(node);
  DisputeCost dearest;
  for (const DisputeSteps& steps : play_disputes(fedavg, dispute, chain)) {
    const DisputeCost cost = cost_of(steps);
    dearest.transactions = std::max(dearest.transactions, cost.transactions);
    dearest.rounds = std::max(dearest.rounds, cost.rounds);
    dearest.largest_bytes = std::max(dearest.largest_bytes, cost.largest_bytes);
    if (cost.bytes() < dearest.bytes()) continue;
    dearest.challenger_bytes = cost.challenger_bytes;
    dearest.poster_bytes = cost.poster_bytes;
  }
  return dearest;
}

}  // namespace tally::verifier
