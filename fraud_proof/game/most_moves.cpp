#include <algorithm>
#include <limits>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/game/game.h"

namespace tally::proof {

namespace {

// Rounds of a response and its answer until one transition is left. No segment is longer than the length divided by
// the number of segments, rounded up, and a shorter one never takes more rounds.
std::uint64_t bisection_rounds(std::uint64_t transitions, std::uint16_t arity) {
  std::uint64_t rounds = 0;
  while (transitions > 1) {
    const std::uint64_t segments = std::min<std::uint64_t>(arity, transitions);
    transitions = (transitions + segments - 1) / segments;
    ++rounds;
  }
  return rounds;
}

// Times that a challenger picks a node below: none in a tree of one leaf.
std::uint64_t descent_rounds(std::uint64_t leaves) {
  std::uint64_t rounds = 0;
  for (; leaves > 1; leaves = reveal_block(leaves)) ++rounds;
  return rounds;
}

math::BatchValues largest(const math::TaskShape& shape) {
  math::BatchValues values;
  values.dims = shape.dims;
  return values;
}

// Items that a descent may begin with or lead to, as one: an item outside loops, or all of a loop.
struct Group {
  bool has_body = false;
  std::uint64_t transitions = 0;  // of its longest fold
  std::uint64_t leaves = 0;       // of its largest result table
  math::u128 reveal_bytes = 0;    // most that its result tables take at once
};

void add(Group& group, const math::Program& program, const math::TaskShape& shape, const math::Item& item) {
  const math::BatchValues values = largest(shape);
  if (item.body) {
    const bool folds = item.body->fold == math::FoldKind::kFold;
    const std::uint64_t length = folds ? math::extent_value(item.body->length, values) : 0;
    group.has_body = true;
    group.transitions = std::max(group.transitions, length + 1);
  }
  if (item.kind != math::ItemKind::kTable) return;
  for (const math::ObjectId id : item.results) {
    const TableShape table = table_shape(program.objects[id], values);
    const std::uint64_t leaf = std::min<std::uint64_t>(table.data_bytes(), shape.leaf_bytes);
    group.leaves = std::max(group.leaves, table.leaves(shape.leaf_bytes));
    group.reveal_bytes += std::max<std::uint64_t>(leaf, kMaxChildren * sizeof(Digest::bytes));
  }
}

std::vector<Group> groups_of(const math::Program& program, const math::TaskShape& shape) {
  std::vector<Group> groups;
  math::LoopId loop = math::kOutside;
  for (const math::Item& item : program.items) {
    // The items of a loop stand together.
    if (item.loop == math::kOutside || item.loop != loop) groups.emplace_back();
    loop = item.loop;
    add(groups.back(), program, shape, item);
  }
  return groups;
}

}  // namespace

std::uint64_t most_moves(const math::Program& program, const math::TaskShape& shape, std::uint16_t arity) {
  TALLY_ASSERT(shape.dims.size() == program.dims.size());
  std::uint64_t most = 0;
  for (const Group& group : groups_of(program, shape)) {
    if (!group.has_body) continue;
    // The challenger's moves are never fewer than the poster's: it descends, chooses, narrows and proves.
    const std::uint64_t choosing = group.leaves > 0 ? descent_rounds(group.leaves) + 1 : 0;
    most = std::max(most, choosing + bisection_rounds(group.transitions, arity) + 1);
  }
  return most;
}

std::uint64_t most_reveal_bytes(const math::Program& program, const math::TaskShape& shape) {
  TALLY_ASSERT(shape.dims.size() == program.dims.size());
  math::u128 most = 0;
  for (const Group& group : groups_of(program, shape)) most = std::max(most, group.reveal_bytes);
  return static_cast<std::uint64_t>(std::min<math::u128>(most, std::numeric_limits<std::uint64_t>::max()));
}

}  // namespace tally::proof
