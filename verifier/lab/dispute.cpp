#include "verifier/lab/dispute.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/settlement.h"
#include "fraud_proof/step/one_step.h"

namespace tally::verifier {

namespace {

using namespace tally::proof;
using math::Accumulators;

constexpr Address address_of(std::uint8_t number) {
  Address address;
  address.bytes.fill(number);
  return address;
}

constexpr Address kCreator = address_of(0xc1);
constexpr Address kPoster = address_of(0xc2);
constexpr Address kChallenger = address_of(0xc3);
constexpr Salt kSalt = [] {
  Salt salt;
  salt.fill(0xc4);
  return salt;
}();

/// The settlement's records, in memory.
class MemoryState final : public StateReader {
 public:
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override {
    const auto found = x_records.find(std::string(key.begin(), key.end()));
    return found == x_records.end() ? std::nullopt : std::optional(found->second);
  }
  void write(const Effects& effects) {
    for (const Write& write : effects.writes)
      x_records.insert_or_assign(std::string(write.key.begin(), write.key.end()), write.record);
  }

 private:
  std::map<std::string, std::vector<std::uint8_t>> x_records;
};

TaskSettings settings_of(const DisputeCase& dispute) {
  TaskSettings settings;
  settings.leaf_bytes = dispute.shape.leaf_bytes;
  settings.arity = dispute.arity;
  settings.exit_delay_s = 2 * (settings.challenge_period_s + 2 * settings.game_clock_s + 2 * settings.window_s);
  settings.availability = LeafRequests{.max_requests = ~std::uint64_t{0}, .request_bond = Wei{1}};
  return settings;
}

/// A chain with one posted batch, and a settlement that plays on copies of it.
class Laboratory {
 public:
  Laboratory(const math::Program& program, const DisputeCase& dispute, DisputeObserver& observer)
      : x_dispute(dispute), x_settings(settings_of(dispute)), x_batch(program, dispute.shape), x_observer(observer) {
    forge();
    create_and_post();
  }

  DisputeCost play(FalseFrom from);

 private:
  void forge();
  void create_and_post();
  /// The state from which on the poster's claims are false.
  [[nodiscard]] std::uint64_t first_false(FalseFrom from) const;
  Effects apply(MemoryState& state, const Address& sender, const Wei& value, const Transaction& transaction);
  [[nodiscard]] Move respond(const Game& game, std::uint64_t first_false) const;
  [[nodiscard]] Move challenge(const CommittedBatch& committed, const Game& game);

  DisputeCase x_dispute;
  TaskSettings x_settings;
  ColumnBatch x_batch;
  DisputeObserver& x_observer;
  Settlement x_settlement;
  MemoryState x_posted;
  BatchHeader x_header;
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

Effects Laboratory::apply(MemoryState& state, const Address& sender, const Wei& value, const Transaction& transaction) {
  const BlockContext block = x_observer.next_block();
  const Message message{.sender = sender, .value = value, .transaction = transaction};
  auto effects = x_settlement.apply(state, block, message);
  x_observer.applied(state, block, message, effects);
  if (!effects) {
    throw std::runtime_error(std::string(name_of(transaction)) + ": " + std::string(to_string(effects.error().reason)) +
                             ": " + effects.error().message);
  }
  state.write(*effects);
  return *std::move(effects);
}

void Laboratory::create_and_post() {
  const math::Program& program = x_batch.committed().program;
  const Effects created = apply(x_posted, kCreator, {},
                                CreateTask{.bytecode = math::encode_program(program),
                                           .dims = {x_dispute.shape.parameters},
                                           .settings = x_settings,
                                           .genesis_roots = {x_batch.model_root()}});
  const auto states = x_batch.state_commitments();
  const Effects posted = apply(x_posted, kPoster, x_settings.sequencer_bond,
                               Post{.task = std::get<TaskCreated>(created.events.front()).task,
                                    .state_commitments = {states.begin(), states.end()},
                                    .record_count = x_dispute.shape.clients,
                                    .records_root = x_batch.committed().header.records_root,
                                    .table_roots = x_batch.table_roots()});
  x_header = std::get<Posted>(posted.events.front()).header;
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

DisputeCost Laboratory::play(FalseFrom from) {
  MemoryState state = x_posted;
  const auto committed = x_settlement.committed_batch(state, x_header);
  TALLY_ASSERT(committed.has_value());
  DisputeCost cost;
  const auto send = [&](const Address& sender, const Wei& value, const Transaction& transaction) {
    const std::uint64_t bytes = encode(transaction).size();
    ++cost.transactions;
    (sender == kPoster ? cost.poster_bytes : cost.challenger_bytes) += bytes;
    cost.largest_bytes = std::max(cost.largest_bytes, bytes);
    return apply(state, sender, value, transaction);
  };
  const auto openings = make_result_openings(*committed, x_batch.item(), x_batch.parameter(), x_batch);
  Effects effects = send(kChallenger, x_settings.challenger_bond,
                         OpenGame{.header = x_header,
                                  .item = x_batch.item(),
                                  .entry = x_batch.parameter(),
                                  .salt = kSalt,
                                  .openings = openings});
  Game game = std::get<GameOpened>(effects.events.front()).game;
  while (true) {
    const bool poster = to_move(game.phase) == Side::kPoster;
    cost.rounds += poster ? 1 : 0;
    const Move move = poster ? respond(game, first_false(from)) : challenge(*committed, game);
    effects = send(poster ? kPoster : kChallenger, {}, MakeMove{.header = x_header, .game = game, .move = move});
    const auto* moved = std::get_if<GameMoved>(&effects.events.front());
    if (moved == nullptr) break;
    game = moved->game;
  }
  const auto* ended = std::get_if<GameEnded>(&effects.events.front());
  TALLY_ASSERT(ended != nullptr && ended->outcome == GameOutcome::kPosterDisproved);
  return cost;
}

class NoObserver final : public DisputeObserver {
 public:
  BlockContext next_block() override { return {.chain_id = 1, .number = 1, .time_s = 1}; }
  void applied(const StateReader& /*before*/, const BlockContext& /*block*/, const Message& /*message*/,
               const OrRefused<Effects>& /*effects*/) override {}
};

}  // namespace

DisputeCost play_dispute(const math::Program& fedavg, const DisputeCase& dispute, FalseFrom from,
                         DisputeObserver& observer) {
  return Laboratory(fedavg, dispute, observer).play(from);
}

DisputeCost measure_dispute(const math::Program& fedavg, const DisputeCase& dispute) {
  NoObserver nobody;
  Laboratory laboratory(fedavg, dispute, nobody);
  DisputeCost dearest;
  for (const FalseFrom from : kAllFalseFrom) {
    const DisputeCost cost = laboratory.play(from);
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
