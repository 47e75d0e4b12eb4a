// Merkle trees of RFC 9162 section 2.1 over SHA-256.
//
// The RFC splits n leaves at the largest power of two below n. Level by level that is: nodes are paired from the left,
// and where a level has an odd number of nodes, the last goes up as it is. A tree of one leaf is that leaf's digest;
// the tree of none is SHA-256 of nothing.
//
// So the leaves may be cut into runs of 2^k (the last may be shorter), and the tree over the runs' roots has the root
// of the whole. Threads work on runs of fixed length, hence the result does not depend on how many threads there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/inclusion.h"

namespace tally::proof {

using math::TaskPool;

[[nodiscard]] Digest empty_tree_root();

/// The root over leaves given by their digests, or over the roots of consecutive runs of 2^k leaves.
[[nodiscard]] Digest tree_root(std::span<const Digest> leaves);
[[nodiscard]] Digest tree_root(std::span<const Digest> leaves, TaskPool& pool);

/// The root over `data` cut into leaves of `leaf_bytes` (at least 1); the last has exactly the rest.
[[nodiscard]] Digest tree_root_of_bytes(Bytes data, std::size_t leaf_bytes);
[[nodiscard]] Digest tree_root_of_bytes(Bytes data, std::size_t leaf_bytes, TaskPool& pool);

/// The leaf digests of data whose bytes become known in any order, e.g. a table that is computed in blocks.
class LeafDigests {
 public:
  /// `leaf_bytes` is at least 1.
  LeafDigests(std::uint64_t data_bytes, std::size_t leaf_bytes);

  [[nodiscard]] std::uint64_t data_bytes() const { return x_data_bytes; }
  [[nodiscard]] std::size_t leaf_bytes() const { return x_leaf_bytes; }
  [[nodiscard]] std::span<const Digest> digests() const { return x_digests; }

  /// Hashes the block of the data that begins at byte `offset`, a multiple of leaf_bytes. It ends at such a multiple
  /// too or with the data. Several threads may hash different blocks at the same time.
  void hash_block(std::uint64_t offset, Bytes block);

  /// Hashes all of the data.
  void hash_all(Bytes data, TaskPool& pool);

  /// The root, once every block has been hashed.
  [[nodiscard]] Digest root() const { return tree_root(x_digests); }
  [[nodiscard]] Digest root(TaskPool& pool) const { return tree_root(x_digests, pool); }

 private:
  std::uint64_t x_data_bytes;
  std::size_t x_leaf_bytes;
  std::vector<Digest> x_digests;
};

/// A tree with all its nodes, about 64 bytes a leaf, for many inclusion proofs.
class MerkleTree {
 public:
  explicit MerkleTree(std::span<const Digest> leaves);
  MerkleTree(std::span<const Digest> leaves, TaskPool& pool);

  [[nodiscard]] std::uint64_t leaves() const { return x_leaves; }
  [[nodiscard]] Digest root() const;

  /// Levels from 0, the leaves, to that of the root alone; none in an empty tree. A node that goes up as it is stands
  /// on each of the levels that it passes.
  [[nodiscard]] std::size_t levels() const { return x_first.size(); }
  [[nodiscard]] std::span<const Digest> level(std::size_t level) const;

  /// The proof for the leaf at `index`, which is smaller than leaves().
  [[nodiscard]] InclusionPath inclusion_path(std::uint64_t index) const;

 private:
  std::size_t x_leaves;
  std::vector<Digest> x_nodes;
  // Where each level begins in x_nodes.
  std::vector<std::size_t> x_first;
};

}  // namespace tally::proof
