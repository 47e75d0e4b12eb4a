#include "tests/support/proof_cost.h"

#include "deterministic_math/numbers/assert.h"
#include "verifier/lab/dispute.h"

namespace tally::test {

using namespace tally::proof;
using verifier::kLabPoster;

namespace {

constexpr Salt kSalt = {0xc6};

/// Another one each time: words that were 0 are dearer, once.
Address next_challenger() {
  static std::uint64_t challengers = 0;
  ++challengers;
  Address address = verifier::kLabChallenger;
  for (std::size_t i = 0; i < sizeof(challengers); ++i)
    address.bytes[i] = static_cast<std::uint8_t>(challengers >> (8 * i));
  return address;
}

math::i128 beside(math::i128 value, const math::Range& range) { return value < range.hi ? value + 1 : value - 1; }

TaskSettings settings_of(const ProofCase& tried) { return verifier::lab_settings(tried.leaf_bytes, kMaxArity); }

}  // namespace

ProofCost::ProofCost(const ProofCase& tried, verifier::LabChain& chain, verifier::GasNode& node)
    : x_case(tried),
      x_chain(chain),
      x_node(node),
      x_challenger(next_challenger()),
      x_batch(tried.program, tried.dims, tried.leaf_bytes) {
  const std::uint16_t item = tried.transition.item;
  x_bound = section_cost(tried.program, {.dims = tried.dims, .leaf_bytes = tried.leaf_bytes}, item,
                         is_step() ? math::CodeSection::kStep : math::CodeSection::kFinish);
  run_and_commit();
  x_header = create_and_post(x_batch, settings_of(tried), chain);
  const auto committed = chain.settlement().committed_batch(chain.state(), x_header);
  TALLY_ASSERT(committed.has_value());
  Effects effects =
      chain
          .send(x_challenger, settings_of(tried).challenger_bond,
                OpenGame{.header = x_header,
                         .item = item,
                         .entry = tried.transition.entry,
                         .salt = kSalt,
                         .openings = make_result_openings(*committed, item, tried.transition.entry, x_batch)})
          .effects;
  x_game = std::get<GameOpened>(effects.events.front()).game;
  while (x_game.phase != Phase::kProve) {
    const Address& sender = to_move(x_game.phase) == Side::kPoster ? kLabPoster : x_challenger;
    effects = chain.send(sender, MakeMove{.header = x_header, .game = x_game, .move = next_move()}).effects;
    x_game = std::get<GameMoved>(effects.events.front()).game;
  }
  x_witness = make_witness(*committed, tried.transition, x_case.before, x_batch);
}

bool ProofCost::is_step() const {
  const CommittedBatch& batch = x_batch.committed();
  return x_case.transition.number < math::fold_length(batch.program, batch.values, x_case.transition.item);
}

void ProofCost::run_and_commit() {
  const CommittedBatch& batch = x_batch.committed();
  const math::Item& item = batch.program.items[x_case.transition.item];
  if (x_case.transition.number == 0) x_case.before = math::initial_accumulators(item);
  const math::SectionContext context{.program = batch.program,
                                     .values = batch.values,
                                     .item = x_case.transition.item,
                                     .entry = x_case.transition.entry,
                                     .fold = x_case.transition.number,
                                     .kind = is_step() ? math::SectionKind::kStep : math::SectionKind::kFinish,
                                     .constants = batch.program.constants};
  math::Accumulators end = x_case.before;
  math::ResultValues results{};
  static_cast<void>(math::run_section(context, is_step() ? item.body->step : item.body->finish, x_batch,
                                      std::span(end).first(item.body->init.size()), results));
  if (is_step()) {
    for (std::size_t j = 0; j < item.body->accumulators.size(); ++j) x_false_end[j] = item.body->accumulators[j].lo;
    if (x_false_end == end) x_false_end[0] = beside(end[0], item.body->accumulators[0]);
  }
  for (std::size_t column = 0; column < item.results.size() && item.kind == math::ItemKind::kTable; ++column) {
    const math::ObjectId table = item.results[column];
    x_batch.set(table, x_case.transition.entry,
                beside(results[column], math::type_range(batch.program.objects[table].type)));
  }
  x_batch.commit();
}

/// The poster claims what the case says around the transition, and 0 elsewhere; the challenger picks the segment that
/// holds it.
Move ProofCost::next_move() {
  const std::uint64_t number = x_case.transition.number;
  const auto positions = boundary_positions(x_game.low, x_game.high, kMaxArity);
  if (x_game.phase == Phase::kRespond) {
    std::vector<math::Accumulators> claims;
    for (const std::uint64_t position : positions) {
      claims.emplace_back();
      if (position == number) claims.back() = x_case.before;
      if (position == number + 1) claims.back() = x_false_end;
    }
    return Respond{.claims = encode_claims(*x_case.program.items[x_case.transition.item].body, claims)};
  }
  std::uint8_t segment = 0;
  while (segment < positions.size() && positions[segment] <= number) ++segment;
  return Narrow{.segment = segment};
}

verifier::GasNode::Outcome ProofCost::prove(const std::vector<std::uint8_t>& witness) {
  return x_node.attempt(x_chain.state(), {.sender = x_challenger,
                                          .value = {},
                                          .transaction = MakeMove{
                                              .header = x_header, .game = x_game, .move = Prove{.witness = witness}}});
}

}  // namespace tally::test
