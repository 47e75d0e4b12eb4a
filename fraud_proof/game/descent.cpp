#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/game/phases.h"
#include "fraud_proof/game/read_fields.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/leaves.h"
#include "fraud_proof/step/one_step.h"

namespace tally::proof {

namespace {

std::string table_name(math::ObjectId object) { return "table " + std::to_string(object); }

// Whether two items are one, or of one loop.
bool belong_together(const math::Program& program, std::size_t a, std::size_t b) {
  return a == b || (program.items[a].loop != math::kOutside && program.items[a].loop == program.items[b].loop);
}

// A computed table of the item, or of its loop, that has leaves.
bool may_descend(const CommittedBatch& batch, std::size_t item, math::ObjectId table) {
  const math::Program& program = batch.program;
  if (table >= program.objects.size() || program.objects[table].kind != math::ObjectKind::kComputed) return false;
  const auto owner = math::owner_item(program, table);
  return owner && belong_together(program, item, *owner) &&
         table_shape(program.objects[table], batch.values).elements() > 0;
}

OrRefused<void> check_tables(const CommittedBatch& batch, std::size_t item, std::span<const math::ObjectId> tables) {
  if (tables.empty() || tables.size() > kMaxDescents)
    return refuse(Reason::kDescentTables, "a descent into " + std::to_string(tables.size()) + " tables");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i > 0 && tables[i] <= tables[i - 1])
      return refuse(Reason::kDescentTables, table_name(tables[i]) + " does not come after the one before it");
    if (!may_descend(batch, item, tables[i])) {
      return refuse(Reason::kDescentTables,
                    table_name(tables[i]) + " is no result of item " + std::to_string(item) + " or its loop, or empty");
    }
  }
  return {};
}

OrRefused<Descent> read_root(const CommittedBatch& batch, math::ObjectId table, math::ByteReader& reader) {
  const LeafPosition position = commitment_position(batch, table);
  Descent descent;
  descent.object = table;
  read_digest(reader, descent.node);
  InclusionPath path(inclusion_path_length(position));
  for (Digest& sibling : path) read_digest(reader, sibling);
  if (!reader.ok()) return refuse(Reason::kOpeningMissing, table_name(table) + ": the roots end within its own");
  const TableShape shape = table_shape(batch.program.objects[table], batch.values);
  const Digest commitment = table_commitment(shape, batch.leaf_bytes, descent.node);
  if (!check_inclusion(batch.header.tables_root, position, commitment_leaf(commitment), path))
    return refuse(Reason::kOpeningTable, table_name(table) + ": its root does not lead to tables_root");
  descent.leaves = leaf_layout(batch, table).leaves();
  return descent;
}

OrRefused<void> reveal_leaf(const CommittedBatch& batch, Descent& descent, const Reveal::Answer& answer) {
  if (!answer.nodes.empty()) return refuse(Reason::kRevealCount, table_name(descent.object) + ": nodes below a leaf");
  if (const std::size_t size = leaf_layout(batch, descent.object).size_of(descent.first_leaf);
      answer.leaf.size() != size) {
    return refuse(Reason::kRevealSize, table_name(descent.object) + ": a leaf of " +
                                           std::to_string(answer.leaf.size()) + " bytes, not " + std::to_string(size));
  }
  if (LeafHasher::best().hash_leaf(answer.leaf) != descent.node)
    return refuse(Reason::kRevealMismatch, table_name(descent.object) + ": the leaf has another hash");
  descent.located = true;
  return {};
}

OrRefused<void> reveal_children(Descent& descent, const Reveal::Answer& answer) {
  const std::uint64_t block = reveal_block(descent.leaves);
  const std::uint64_t count = (descent.leaves + block - 1) / block;
  if (answer.nodes.size() != count || !answer.leaf.empty()) {
    return refuse(Reason::kRevealCount, table_name(descent.object) + ": " + std::to_string(answer.nodes.size()) +
                                            " nodes, not " + std::to_string(count) + " and no leaf");
  }
  if (tree_root(answer.nodes) != descent.node)
    return refuse(Reason::kRevealMismatch, table_name(descent.object) + ": the nodes have another root");
  descent.children = answer.nodes;
  return {};
}

}  // namespace

std::uint64_t reveal_block(std::uint64_t leaves) {
  TALLY_ASSERT(leaves > 0);
  const auto height = static_cast<std::size_t>(std::bit_width(leaves - 1));
  return std::uint64_t{1} << (height > kRevealLevels ? height - kRevealLevels : 0);
}

std::vector<Digest> reveal_nodes(std::span<const Digest> leaves) {
  const std::uint64_t block = reveal_block(leaves.size());
  std::vector<Digest> nodes;
  for (std::size_t first = 0; first < leaves.size(); first += block)
    nodes.push_back(tree_root(leaves.subspan(first, std::min<std::size_t>(block, leaves.size() - first))));
  return nodes;
}

std::vector<std::uint8_t> make_roots(const CommittedBatch& batch, std::span<const math::ObjectId> tables,
                                     std::span<const Digest> tree_roots, std::span<const Digest> table_commitments) {
  TALLY_ASSERT(tables.size() == tree_roots.size());
  std::vector<Digest> leaves;
  for (const Digest& commitment : table_commitments) leaves.push_back(commitment_leaf(commitment));
  const MerkleTree tree(leaves);
  math::ByteWriter writer;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    writer.raw(tree_roots[i].bytes);
    for (const Digest& sibling : tree.inclusion_path(commitment_position(batch, tables[i]).index))
      writer.raw(sibling.bytes);
  }
  return writer.take();
}

OrRefused<Game> open_descent(const CommittedBatch& batch, const GameStart& start, std::uint16_t item,
                             std::span<const math::ObjectId> tables, math::Bytes roots) {
  if (item >= batch.program.items.size())
    return refuse(Reason::kNoSuchEntry, "the program has no item " + std::to_string(item));
  if (!batch.program.items[item].body) return refuse(Reason::kNoBody, "item " + std::to_string(item) + " has no body");
  if (auto checked = check_tables(batch, item, tables); !checked) return std::unexpected(std::move(checked.error()));
  Game game = begin_game(batch, start, item);
  game.phase = Phase::kReveal;
  math::ByteReader reader(roots);
  for (const math::ObjectId table : tables) {
    auto descent = read_root(batch, table, reader);
    if (!descent) return std::unexpected(std::move(descent.error()));
    game.descents.push_back(std::move(*descent));
  }
  if (!reader.finished()) return refuse(Reason::kOpeningTrailing, "bytes behind the last root");
  return game;
}

OrRefused<MoveResult> reveal(const MoveContext& context, Game game, const Reveal& move) {
  const auto open = std::ranges::count(game.descents, false, &Descent::located);
  if (std::cmp_not_equal(move.answers.size(), open)) {
    return refuse(Reason::kRevealCount, std::to_string(move.answers.size()) + " answers for " + std::to_string(open) +
                                            " tables under descent");
  }
  auto answer = move.answers.begin();
  for (Descent& descent : game.descents) {
    if (descent.located) continue;
    auto revealed =
        descent.leaves == 1 ? reveal_leaf(context.batch, descent, *answer) : reveal_children(descent, *answer);
    if (!revealed) return std::unexpected(std::move(revealed.error()));
    ++answer;
  }
  const bool all_located = std::ranges::all_of(game.descents, &Descent::located);
  game.phase = all_located ? Phase::kChoose : Phase::kDescend;
  return game;
}

OrRefused<MoveResult> descend(const MoveContext& /*context*/, Game game, const Descend& move) {
  const auto open = std::ranges::count(game.descents, false, &Descent::located);
  if (std::cmp_not_equal(move.children.size(), open)) {
    return refuse(Reason::kNoSuchChild, std::to_string(move.children.size()) + " children for " + std::to_string(open) +
                                            " tables under descent");
  }
  auto chosen = move.children.begin();
  for (Descent& descent : game.descents) {
    if (descent.located) continue;
    const std::uint64_t child = *chosen++;
    if (child >= descent.children.size()) {
      return refuse(Reason::kNoSuchChild, table_name(descent.object) + ": child " + std::to_string(child) + " of " +
                                              std::to_string(descent.children.size()));
    }
    const std::uint64_t block = reveal_block(descent.leaves);
    descent.node = descent.children[child];
    descent.first_leaf += child * block;
    descent.leaves = std::min(block, descent.leaves - child * block);
    descent.children.clear();
  }
  game.phase = Phase::kReveal;
  return game;
}

OrRefused<MoveResult> choose(const MoveContext& context, Game game, const Choose& move) {
  const math::Program& program = context.batch.program;
  if (move.item >= program.items.size() || !belong_together(program, game.item, move.item)) {
    return refuse(Reason::kNoSuchEntry, "item " + std::to_string(move.item) +
                                            " is not the one, nor of the loop, that the descent began with");
  }
  const auto count = transitions(context.batch, move.item, move.entry);
  if (!count) return std::unexpected(count.error());
  const auto results = open_results(context.batch, move.item, move.entry, move.openings);
  if (!results) return std::unexpected(results.error());
  game.item = move.item;
  game.entry = move.entry;
  game.descents.clear();
  game.at_low = math::initial_accumulators(program.items[move.item]);
  begin_bisection(game, *count, *results);
  return game;
}

bool descent_fits(const MoveContext& context, const Game& game) {
  const CommittedBatch& batch = context.batch;
  if (game.item >= batch.program.items.size() || !batch.program.items[game.item].body) return false;
  return std::ranges::all_of(game.descents, [&](const Descent& descent) {
    if (!may_descend(batch, game.item, descent.object)) return false;
    const std::uint64_t leaves = leaf_layout(batch, descent.object).leaves();
    return descent.leaves <= leaves && descent.first_leaf <= leaves - descent.leaves;
  });
}

}  // namespace tally::proof
