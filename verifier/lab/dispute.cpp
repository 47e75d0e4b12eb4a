#include "verifier/lab/dispute.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "chain_adapter/chain/event_json.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
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
  Laboratory(const math::Program& program, const DisputeCase& dispute, std::uint16_t item, LabChain& chain)
      : x_dispute(dispute),
        x_settings(lab_settings(dispute.leaf_bytes, dispute.arity)),
        x_batch(program, dispute.dims, dispute.leaf_bytes),
        x_item(item),
        x_entry(math::element_count(program.items[item].extents, x_batch.committed().values) / 2),
        x_chain(chain) {
    forge();
  }

  DisputeSteps play(FalseFrom from);

 private:
  [[nodiscard]] const math::Item& item() const { return x_batch.committed().program.items[x_item]; }
  [[nodiscard]] math::SectionOutcome run(math::SectionKind kind, std::uint64_t fold, Accumulators& accumulators,
                                         math::ResultValues& results);
  void forge();
  /// The state from which on the poster's claims are false.
  [[nodiscard]] std::uint64_t first_false(FalseFrom from) const;
  [[nodiscard]] Move respond(const Game& game, std::uint64_t first_false) const;
  [[nodiscard]] Move challenge(const CommittedBatch& committed, const Game& game);

  DisputeCase x_dispute;
  TaskSettings x_settings;
  MadeUpBatch x_batch;
  std::uint16_t x_item;
  std::uint64_t x_entry;
  LabChain& x_chain;
  std::vector<Accumulators> x_states;  // the true ones, 0 … L
};

/// Another number that the type can hold, one more or less.
math::i128 beside(math::i128 value, const math::Range& type) { return value < type.hi ? value + 1 : value - 1; }

math::SectionOutcome Laboratory::run(math::SectionKind kind, std::uint64_t fold, Accumulators& accumulators,
                                     math::ResultValues& results) {
  const CommittedBatch& batch = x_batch.committed();
  const math::SectionContext context{.program = batch.program,
                                     .values = batch.values,
                                     .item = x_item,
                                     .entry = x_entry,
                                     .fold = fold,
                                     .kind = kind,
                                     .constants = batch.program.constants};
  const math::Body& body = *item().body;
  const auto& code = kind == math::SectionKind::kStep ? body.step : body.finish;
  return math::run_section(context, code, x_batch, std::span(accumulators).first(body.init.size()), results);
}

/// Runs the fold over what is made up, and commits to anything but its results.
void Laboratory::forge() {
  const CommittedBatch& batch = x_batch.committed();
  x_states = {math::initial_accumulators(item())};
  math::ResultValues results{};
  for (std::uint64_t fold = 0; fold < math::fold_length(batch.program, batch.values, x_item); ++fold) {
    x_states.push_back(x_states.back());
    static_cast<void>(run(math::SectionKind::kStep, fold, x_states.back(), results));
  }
  Accumulators last = x_states.back();
  static_cast<void>(run(math::SectionKind::kFinish, 0, last, results));
  for (std::size_t column = 0; column < item().results.size(); ++column) {
    const math::ObjectId table = item().results[column];
    x_batch.set(table, x_entry, beside(results[column], math::type_range(batch.program.objects[table].type)));
  }
  x_batch.commit();
}

Move Laboratory::respond(const Game& game, std::uint64_t first_false) const {
  std::vector<Accumulators> claims;
  for (const std::uint64_t position : boundary_positions(game.low, game.high, x_dispute.arity)) {
    claims.push_back(x_states[position]);
    if (position >= first_false) claims.back()[0] = beside(claims.back()[0], item().body->accumulators[0]);
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
  const BatchHeader header = create_and_post(x_batch, x_settings, x_chain);
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
  const auto openings = make_result_openings(*committed, x_item, x_entry, x_batch);
  const OpenGame open{.header = header, .item = x_item, .entry = x_entry, .salt = kSalt, .openings = openings};
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

BatchHeader create_and_post(MadeUpBatch& batch, const TaskSettings& settings, LabChain& chain) {
  const CommittedBatch& committed = batch.committed();
  const auto& dims = committed.values.dims;
  const Sent created = chain.send(kLabCreator, CreateTask{.salt = chain.next_salt(),
                                                          .bytecode = math::encode_program(committed.program),
                                                          .dims = {dims.begin() + 1, dims.end()},
                                                          .settings = settings,
                                                          .genesis_roots = batch.state_roots()});
  const auto states = batch.state_commitments();
  const Sent posted = chain.send(kLabPoster, settings.sequencer_bond,
                                 Post{.task = std::get<TaskCreated>(created.effects.events.front()).task,
                                      .state_commitments = {states.begin(), states.end()},
                                      .record_count = dims.front(),
                                      .records_root = committed.header.records_root,
                                      .table_roots = batch.table_roots()});
  return std::get<Posted>(posted.effects.events.front()).header;
}

std::uint64_t total_gas(const DisputeSteps& steps) {
  std::uint64_t gas = 0;
  for (const DisputeStep& step : steps) gas += step.gas;
  return gas;
}

std::optional<std::uint16_t> dearest_item(const math::Program& program, const DisputeCase& dispute) {
  if (reads_seed(program)) return std::nullopt;
  const math::TaskShape shape{.dims = dispute.dims, .leaf_bytes = dispute.leaf_bytes};
  std::optional<std::uint16_t> dearest;
  std::uint64_t most = 0;
  for (std::uint16_t item = 0; item < program.items.size(); ++item) {
    if (program.items[item].kind != math::ItemKind::kTable) continue;
    for (const math::CodeSection section : {math::CodeSection::kStep, math::CodeSection::kFinish}) {
      const std::uint64_t gas = section_cost(program, shape, item, section).gas;
      if (gas <= most) continue;
      most = gas;
      dearest = item;
    }
  }
  return dearest;
}

std::vector<DisputeSteps> play_disputes(const math::Program& program, const DisputeCase& dispute, LabChain& chain) {
  const auto item = dearest_item(program, dispute);
  TALLY_ASSERT(item.has_value());
  Laboratory laboratory(program, dispute, *item, chain);
  std::vector<DisputeSteps> games;
  for (const FalseFrom from : kAllFalseFrom) games.push_back(laboratory.play(from));
  return games;
}

DisputeCost measure_dispute(const math::Program& program, const DisputeCase& dispute) {
  NoNode node;
  LabChain chain(node);
  DisputeCost dearest;
  for (const DisputeSteps& steps : play_disputes(program, dispute, chain)) {
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
