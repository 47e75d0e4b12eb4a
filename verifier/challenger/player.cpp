#include "verifier/challenger/player.h"

#include <algorithm>
#include <utility>

#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/signing/eip712.h"
#include "fraud_proof/step/one_step.h"

namespace tally::verifier {

namespace {

using proof::Game;
using proof::Move;

std::unexpected<std::string> silence(std::string why) { return std::unexpected(std::move(why)); }

std::string entry_name(const Description& batch, const EntryTarget& target) {
  return chain::entry_text(batch.compiled.names.items.at(target.item),
                           chain::entry_position(batch.program().items.at(target.item), batch.values, target.entry));
}

/// Openings of an entry's results that the chain will accept, if the interpreter too calls the entry wrong.
OrSilence<std::vector<std::uint8_t>> open_wrong_entry(PlayedBatch& batch, const EntryTarget& target) {
  const math::Item& item = batch.description().program().items.at(target.item);
  std::vector<std::uint8_t> openings = proof::make_result_openings(batch.committed(), target.item, target.entry, batch);
  const auto committed = proof::open_results(batch.committed(), target.item, target.entry, openings);
  if (!committed) {
    return silence("the data of " + entry_name(batch.description(), target) +
                   " is not what was posted: " + committed.error().message);
  }
  const auto right = math::evaluate_entry(batch.evaluation(target.item), target.item, target.entry);
  const bool has_results = item.kind == math::ItemKind::kTable;
  if (right && (!has_results || *right == *committed)) {
    return silence(entry_name(batch.description(), target) + " is right by the interpreter");
  }
  return openings;
}

/// The first element of a located table that is not what was computed here.
OrSilence<std::uint64_t> first_difference(PlayedBatch& batch, math::ObjectId table, const RevealedTable& revealed) {
  const math::Object& object = batch.description().program().objects.at(table);
  const std::size_t width = math::element_bytes(object.type);
  const std::uint64_t first = revealed.leaf.value() * batch.description().leaf_bytes() / width;
  const std::span<const std::byte> leaf = std::as_bytes(std::span(revealed.bytes));
  for (std::uint64_t i = 0; i < leaf.size() / width; ++i) {
    if (math::read_element(leaf, object.type, i) !=
        math::read_element(batch.table_bytes(table), object.type, first + i)) {
      return first + i;
    }
  }
  return silence("the leaf that the descent came to is the one that was computed here");
}

// Each phase of the challenger.

OrSilence<Move> descend(PlayedBatch& batch, const Game& game) {
  proof::Descend move;
  for (const proof::Descent& descent : game.descents) {
    if (descent.located) continue;
    const std::span<const math::Digest> digests = batch.leaf_digests(descent.object);
    if (descent.first_leaf + descent.leaves > digests.size()) return silence("a descent outside the table");
    const std::vector<math::Digest> own = proof::reveal_nodes(digests.subspan(descent.first_leaf, descent.leaves));
    const auto different = std::ranges::mismatch(own, descent.children);
    if (different.in1 == own.end() || different.in2 == descent.children.end()) {
      return silence("what was revealed is what was computed here");
    }
    move.children.push_back(static_cast<std::uint8_t>(different.in1 - own.begin()));
  }
  return move;
}

OrSilence<Move> choose(PlayedBatch& batch, const Verdict& verdict, const Game& game,
                       const std::map<math::ObjectId, RevealedTable>& revealed) {
  std::optional<EntryTarget> first = verdict.entry;
  const Description& description = batch.description();
  for (const proof::Descent& descent : game.descents) {
    const auto element = first_difference(batch, descent.object, revealed.at(descent.object));
    if (!element) return silence(element.error());
    const EntryTarget found{
        .item = static_cast<std::uint16_t>(math::owner_item(description.program(), descent.object).value()),
        .entry = *element};
    if (!first || comes_before(description, found, *first)) first = found;
  }
  if (!first) return silence("nothing was found wrong");
  auto openings = open_wrong_entry(batch, *first);
  if (!openings) return silence(std::move(openings.error()));
  return proof::Choose{.item = first->item, .entry = first->entry, .openings = *std::move(openings)};
}

/// The accumulators in state `position` of the game's entry.
math::Accumulators state_at(PlayedBatch& batch, const Game& game, std::uint64_t position) {
  math::Accumulators state = math::initial_accumulators(batch.description().program().items.at(game.item));
  math::run_steps(batch.evaluation(game.item), game.item, game.entry, 0, position, state);
  return state;
}

std::vector<std::uint8_t> witness_of(PlayedBatch& batch, const Game& game, std::uint64_t number,
                                     const math::Accumulators& before) {
  return proof::make_witness(batch.committed(), {.item = game.item, .entry = game.entry, .number = number}, before,
                             batch);
}

OrSilence<Move> prove(PlayedBatch& batch, const Game& game) {
  if (state_at(batch, game, game.low) != game.at_low) return silence("the game's agreed state is not the right one");
  return proof::Prove{.witness = witness_of(batch, game, game.low, game.at_low)};
}

OrSilence<Move> narrow(PlayedBatch& batch, const Game& game, std::uint16_t arity) {
  const math::Item& item = batch.description().program().items.at(game.item);
  const std::vector<std::uint64_t> positions = proof::boundary_positions(game.low, game.high, arity);
  const auto claims = proof::decode_claims(item.body.value(), positions.size(), game.claims);
  if (!claims) return silence("the game holds claims of another size: " + claims.error().message);
  math::Accumulators state = state_at(batch, game, game.low);
  if (state != game.at_low) return silence("the game's agreed state is not the right one");
  std::uint64_t low = game.low;
  std::size_t segment = 0;
  math::Accumulators agreed = state;
  while (segment < positions.size()) {
    math::run_steps(batch.evaluation(game.item), game.item, game.entry, low, positions[segment], state);
    if (state != (*claims)[segment]) break;
    agreed = state;
    low = positions[segment++];
  }
  const std::uint64_t high = segment < positions.size() ? positions[segment] : game.high;
  const auto number = static_cast<std::uint8_t>(segment);
  if (high - low > 1) return proof::Narrow{.segment = number};
  return proof::NarrowAndProve{.segment = number, .witness = witness_of(batch, game, low, agreed)};
}

/// A bisection is worth playing only while the claim at its end is false.
std::optional<std::string> end_is_right(PlayedBatch& batch, const Game& game) {
  const std::uint64_t length = math::fold_length(batch.description().program(), batch.description().values, game.item);
  if (game.high <= length) {
    if (state_at(batch, game, game.high) == game.at_high) return "the game's disputed state is the right one";
    return std::nullopt;
  }
  const math::Item& item = batch.description().program().items.at(game.item);
  const auto right = math::evaluate_entry(batch.evaluation(game.item), game.item, game.entry);
  const bool is_right = right && (item.kind != math::ItemKind::kTable || *right == game.results);
  return is_right ? std::optional<std::string>("the game's disputed entry is right by the interpreter") : std::nullopt;
}

OrSilence<Move> answer(PlayedBatch& batch, const Verdict& verdict, std::span<const GameStep> history,
                       std::uint16_t arity) {
  const Game& game = history.back().game;
  auto revealed = revealed_tables(history);
  batch.reveal(revealed);
  switch (game.phase) {
    case proof::Phase::kDescend:
      return descend(batch, game);
    case proof::Phase::kChoose:
      return choose(batch, verdict, game, revealed);
    case proof::Phase::kNarrow:
      if (auto why = end_is_right(batch, game)) return silence(*std::move(why));
      return narrow(batch, game, arity);
    case proof::Phase::kProve:
      if (auto why = end_is_right(batch, game)) return silence(*std::move(why));
      return prove(batch, game);
    case proof::Phase::kReveal:
    case proof::Phase::kRespond:
      return silence("it is the poster's turn");
  }
  TALLY_ASSERT(false);
}

/// A game ends with a witness of one of the item's sections. A chain that took a program with longer ones than
/// create_task allows would have the challenger lose by its clock.
std::optional<std::string> too_long_to_prove(const Description& batch, std::uint16_t item) {
  const math::TaskShape shape{.dims = batch.values.dims, .leaf_bytes = batch.leaf_bytes()};
  for (const math::CodeSection section : {math::CodeSection::kStep, math::CodeSection::kFinish}) {
    const std::uint64_t bytes = math::section_cost(batch.program(), shape, item, section).opening_bytes;
    if (bytes > math::kMaxOpeningBytes) {
      return "a witness of up to " + std::to_string(bytes) + " bytes for " + batch.compiled.names.items.at(item) +
             " may be longer than a transaction";
    }
  }
  return std::nullopt;
}

proof::GameStart try_start(const PlayedBatch& batch, const proof::Address& challenger) {
  return {.batch = proof::batch_id(batch.description().header()),
          .poster = batch.description().header().poster,
          .challenger = challenger,
          .clock_s = 1};
}

}  // namespace

std::map<math::ObjectId, RevealedTable> revealed_tables(std::span<const GameStep> history) {
  std::map<math::ObjectId, RevealedTable> tables;
  const auto find = [](const Game& game, math::ObjectId object) {
    const auto found = std::ranges::find(game.descents, object, &proof::Descent::object);
    return found == game.descents.end() ? nullptr : &*found;
  };
  for (std::size_t i = 1; i < history.size(); ++i) {
    const auto* const reveal = history[i].move ? std::get_if<proof::Reveal>(&*history[i].move) : nullptr;
    if (reveal == nullptr) continue;
    std::size_t answered = 0;
    for (const proof::Descent& before : history[i - 1].game.descents) {
      if (before.located) continue;
      const proof::Reveal::Answer& answer = reveal->answers.at(answered++);
      RevealedTable& table = tables[before.object];
      const proof::Descent* const after = find(history[i].game, before.object);
      if (before.leaves == 1) {
        table.leaf = before.first_leaf;
        table.bytes = answer.leaf;
        table.nodes[{before.first_leaf, 1}] = before.node;
      } else if (after != nullptr) {
        const std::uint64_t block = proof::reveal_block(before.leaves);
        for (std::size_t child = 0; child < answer.nodes.size(); ++child) {
          const std::uint64_t first = child * block;
          table.nodes[{before.first_leaf + first, std::min(block, before.leaves - first)}] = answer.nodes[child];
        }
      }
    }
  }
  return tables;
}

OrSilence<proof::Transaction> open_dispute(PlayedBatch& batch, const Verdict& verdict, const proof::Address& challenger,
                                           const proof::Salt& salt) {
  const proof::BatchHeader& header = batch.description().header();
  const proof::GameStart start = try_start(batch, challenger);
  if (verdict.kind == VerdictKind::kEntry) {
    const EntryTarget target = verdict.entry.value();
    if (auto why = too_long_to_prove(batch.description(), target.item)) return silence(*std::move(why));
    auto openings = open_wrong_entry(batch, target);
    if (!openings) return silence(std::move(openings.error()));
    const auto tried = proof::open_game(batch.committed(), start, target.item, target.entry, *openings);
    if (!tried) return silence("the opening would be refused: " + tried.error().message);
    return proof::OpenGame{
        .header = header, .item = target.item, .entry = target.entry, .salt = salt, .openings = *std::move(openings)};
  }
  TALLY_ASSERT(verdict.kind == VerdictKind::kDescent);
  if (auto why = too_long_to_prove(batch.description(), verdict.item)) return silence(*std::move(why));
  std::vector<math::Digest> roots;
  for (const math::ObjectId table : verdict.descend) {
    roots.push_back(batch.posted_root(table));
    if (proof::tree_root(batch.leaf_digests(table)) == roots.back()) {
      return silence("the table computed here has the posted root");
    }
  }
  auto bytes = proof::make_roots(batch.committed(), verdict.descend, roots, batch.table_commitments());
  const auto tried = proof::open_descent(batch.committed(), start, verdict.item, verdict.descend, bytes);
  if (!tried) return silence("the opening would be refused: " + tried.error().message);
  return proof::OpenDescent{
      .header = header, .item = verdict.item, .tables = verdict.descend, .salt = salt, .roots = std::move(bytes)};
}

OrSilence<Move> next_move(PlayedBatch& batch, const Verdict& verdict, std::span<const GameStep> history,
                          std::uint16_t arity) {
  TALLY_ASSERT(!history.empty());
  const Game& game = history.back().game;
  auto move = answer(batch, verdict, history, arity);
  if (!move) return move;
  // At the time of the last move no clock has run, so that only the move itself is tried.
  const proof::MoveContext context{
      .batch = batch.committed(), .arity = arity, .sender = game.challenger, .now_s = game.moved_at_s};
  const auto tried = proof::apply_move(context, game, *move);
  if (!tried) return silence("the move would be refused: " + tried.error().message);
  return move;
}

proof::LocalProof local_proof(PlayedBatch& batch, const CheckTarget& target) {
  const proof::CommittedBatch& committed = batch.committed();
  const auto records = [&](std::uint64_t count) {
    return proof::make_record_openings(committed, target.index, count, batch);
  };
  switch (target.cause) {
    case proof::LossCause::kRecordOrder:
      return proof::RecordOrderProof{.index = target.index, .openings = records(2)};
    case proof::LossCause::kRecordSigner:
      return proof::RecordSignerProof{.index = target.index, .openings = records(1)};
    case proof::LossCause::kRecordSignature:
      return proof::RecordSignatureProof{.index = target.index, .openings = records(1)};
    case proof::LossCause::kAdviceRange:
      return proof::AdviceRangeProof{
          .object = target.object,
          .element = target.index,
          .openings = proof::make_element_opening(committed, target.object, target.index, batch)};
    case proof::LossCause::kEntry:
    case proof::LossCause::kTimeout:
    case proof::LossCause::kWithheld:
      break;
  }
  TALLY_ASSERT(false);
}

OrSilence<void> try_proof(const PlayedBatch& batch, const proof::LocalProof& proof, const proof::SignerLookup& signers,
                          std::uint64_t posted_s) {
  const Description& description = batch.description();
  const proof::KeccakDigest domain = proof::domain_separator(
      proof::tallystick_domain(description.manifest.task.chain_id, description.manifest.task.contract));
  const auto shown =
      proof::check_local_proof(batch.committed(), proof, {.domain = domain, .signers = signers, .posted_s = posted_s});
  if (!shown) return silence("the proof would be refused: " + shown.error().message);
  return {};
}

}  // namespace tally::verifier
