#include "verifier/lab/sparse_tree.h"

#include <bit>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::verifier {

using proof::Digest;
using proof::LeafHasher;

namespace {

/// Leaves below the left child of a node over `count` leaves (RFC 9162, section 2.1.1).
std::uint64_t left_of(std::uint64_t count) { return std::bit_floor(count - 1); }

}  // namespace

Digest ZeroNodes::node(std::uint64_t first, std::uint64_t count) {
  const bool is_whole = first + count < x_leaves;
  if (is_whole) {
    if (const auto known = x_whole.find(count); known != x_whole.end()) return known->second;
  }
  const Digest digest = compute(first, count);
  if (is_whole) x_whole.emplace(count, digest);
  return digest;
}

Digest ZeroNodes::compute(std::uint64_t first, std::uint64_t count) {
  const LeafHasher& hasher = LeafHasher::best();
  if (count == 1) return hasher.hash_leaf(std::vector<std::uint8_t>(x_layout.size_of(first)));
  const std::uint64_t left = left_of(count);
  return hasher.hash_node(node(first, left), node(first + left, count - left));
}

Digest SparseTree::root() { return x_zeros.leaves() == 0 ? proof::MerkleTree({}).root() : node(0, x_zeros.leaves()); }

proof::InclusionPath SparseTree::path(std::uint64_t index) {
  TALLY_ASSERT(index < x_zeros.leaves());
  proof::InclusionPath path;
  append_path(index, 0, x_zeros.leaves(), path);
  return path;
}

Digest SparseTree::node(std::uint64_t first, std::uint64_t count) {
  const auto leaf = x_leaves.lower_bound(first);
  if (leaf == x_leaves.end() || leaf->first >= first + count) return x_zeros.node(first, count);
  if (count == 1) return leaf->second;
  if (const auto known = x_nodes.find({first, count}); known != x_nodes.end()) return known->second;
  const std::uint64_t left = left_of(count);
  const Digest digest = LeafHasher::best().hash_node(node(first, left), node(first + left, count - left));
  x_nodes.emplace(std::pair(first, count), digest);
  return digest;
}

/// From the bottom up.
void SparseTree::append_path(std::uint64_t index, std::uint64_t first, std::uint64_t count,
                             proof::InclusionPath& path) {
  if (count == 1) return;
  const std::uint64_t left = left_of(count);
  if (index < first + left) {
    append_path(index, first, left, path);
    path.push_back(node(first + left, count - left));
  } else {
    append_path(index, first + left, count - left, path);
    path.push_back(node(first, left));
  }
}

}  // namespace tally::verifier
