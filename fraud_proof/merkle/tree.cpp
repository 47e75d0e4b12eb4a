#include "fraud_proof/merkle/tree.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"

namespace tally::proof {

namespace {

// Leaf digests that one task reduces to one root: a power of two, large enough that few batches of nodes are small.
constexpr std::size_t kRunLeaves = 4096;

// Bytes that one task hashes, rounded up to whole leaves.
constexpr std::size_t kTaskBytes = std::size_t{1} << 20;

// Parents that one task computes on one level of a stored tree.
constexpr std::size_t kTaskParents = 4096;

std::size_t half_up(std::size_t count) { return count / 2 + count % 2; }

// Writes the level above `nodes`; the parents may take the place of the front half of the nodes.
void hash_level(std::span<const Digest> nodes, std::span<Digest> parents) {
  const std::size_t pairs = nodes.size() / 2;
  LeafHasher::best().hash_nodes(nodes.first(2 * pairs), parents.first(pairs));
  if (nodes.size() % 2 == 1) parents[pairs] = nodes.back();
}

// The root over one or more nodes.
Digest reduce(std::span<const Digest> nodes) {
  if (nodes.size() == 1) return nodes.front();
  std::vector<Digest> level(half_up(nodes.size()));
  hash_level(nodes, level);
  for (std::size_t count = level.size(); count > 1; count = half_up(count)) {
    hash_level(std::span(level).first(count), std::span(level).first(half_up(count)));
  }
  return level.front();
}

// Calls function(first, count) for parts of [0, total), each but the last of `part` items.
void run_in_parts(TaskPool& pool, std::size_t total, std::size_t part,
                  const std::function<void(std::size_t first, std::size_t count)>& function) {
  const std::size_t parts = total / part + (total % part != 0 ? 1 : 0);
  pool.run(parts, [&](std::size_t task) { function(task * part, std::min(part, total - task * part)); });
}

}  // namespace

Digest empty_tree_root() { return math::sha256({}); }

Digest tree_root(std::span<const Digest> leaves) {
  math::ThreadPool alone(1);
  return tree_root(leaves, alone);
}

Digest tree_root(std::span<const Digest> leaves, TaskPool& pool) {
  if (leaves.empty()) return empty_tree_root();
  if (leaves.size() <= kRunLeaves) return reduce(leaves);
  std::vector<Digest> roots(leaf_count(leaves.size(), kRunLeaves));
  run_in_parts(pool, leaves.size(), kRunLeaves, [&](std::size_t first, std::size_t count) {
    roots[first / kRunLeaves] = reduce(leaves.subspan(first, count));
  });
  return reduce(roots);
}

Digest tree_root_of_bytes(Bytes data, std::size_t leaf_bytes) {
  math::ThreadPool alone(1);
  return tree_root_of_bytes(data, leaf_bytes, alone);
}

Digest tree_root_of_bytes(Bytes data, std::size_t leaf_bytes, TaskPool& pool) {
  LeafDigests digests(data.size(), leaf_bytes);
  digests.hash_all(data, pool);
  return digests.root(pool);
}

LeafDigests::LeafDigests(std::uint64_t data_bytes, std::size_t leaf_bytes)
    : x_data_bytes(data_bytes), x_leaf_bytes(leaf_bytes) {
  TALLY_ASSERT(leaf_bytes > 0);
  x_digests.resize(leaf_count(data_bytes, leaf_bytes));
}

void LeafDigests::hash_block(std::uint64_t offset, Bytes block) {
  TALLY_ASSERT(offset % x_leaf_bytes == 0);
  TALLY_ASSERT(offset <= x_data_bytes);
  TALLY_ASSERT(block.size() <= x_data_bytes - offset);
  TALLY_ASSERT(block.size() % x_leaf_bytes == 0 || block.size() == x_data_bytes - offset);
  const std::span<Digest> out(x_digests);
  LeafHasher::best().hash_leaves(block, x_leaf_bytes,
                                 out.subspan(offset / x_leaf_bytes, leaf_count(block.size(), x_leaf_bytes)));
}

void LeafDigests::hash_all(Bytes data, TaskPool& pool) {
  TALLY_ASSERT(data.size() == x_data_bytes);
  const std::size_t part = leaf_count(kTaskBytes, x_leaf_bytes) * x_leaf_bytes;
  run_in_parts(pool, data.size(), part,
               [&](std::size_t first, std::size_t count) { hash_block(first, data.subspan(first, count)); });
}

MerkleTree::MerkleTree(std::span<const Digest> leaves) : x_leaves(0) {
  math::ThreadPool alone(1);
  *this = MerkleTree(leaves, alone);
}

MerkleTree::MerkleTree(std::span<const Digest> leaves, TaskPool& pool) : x_leaves(leaves.size()) {
  if (leaves.empty()) return;
  std::size_t nodes = 0;
  for (std::size_t count = leaves.size();; count = half_up(count)) {
    x_first.push_back(nodes);
    nodes += count;
    if (count == 1) break;
  }
  x_nodes.resize(nodes);
  std::ranges::copy(leaves, x_nodes.begin());
  for (std::size_t above = 1; above < levels(); ++above) {
    const std::span<const Digest> children = level(above - 1);
    const std::span<Digest> parents = std::span(x_nodes).subspan(x_first[above], half_up(children.size()));
    run_in_parts(pool, parents.size(), kTaskParents, [&](std::size_t first, std::size_t count) {
      hash_level(children.subspan(2 * first, std::min(2 * count, children.size() - 2 * first)),
                 parents.subspan(first, count));
    });
  }
}

Digest MerkleTree::root() const { return x_nodes.empty() ? empty_tree_root() : x_nodes.back(); }

std::span<const Digest> MerkleTree::level(std::size_t level) const {
  TALLY_ASSERT(level < levels());
  const std::size_t end = level + 1 < levels() ? x_first[level + 1] : x_nodes.size();
  return std::span(x_nodes).subspan(x_first[level], end - x_first[level]);
}

InclusionPath MerkleTree::inclusion_path(std::uint64_t index) const {
  TALLY_ASSERT(index < x_leaves);
  InclusionPath path;
  for (std::size_t height = 0; height + 1 < levels(); ++height) {
    const std::span<const Digest> nodes = level(height);
    const std::uint64_t sibling = index ^ 1;
    if (sibling < nodes.size()) path.push_back(nodes[sibling]);
    index /= 2;
  }
  return path;
}

}  // namespace tally::proof
