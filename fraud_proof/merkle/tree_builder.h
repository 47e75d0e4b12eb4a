// The root of a tree over bytes that come as a stream, in pieces of any size, in memory that grows with the tree's
// height alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::proof {

/// Gives the root that tree_root_of_bytes gives for all the bytes together. Leaves that lie whole in a large enough
/// piece are hashed where they are; others are gathered until there are enough for a batch.
class TreeBuilder {
 public:
  /// `leaf_bytes` is at least 1.
  explicit TreeBuilder(std::size_t leaf_bytes);

  void append(Bytes data);
  [[nodiscard]] std::uint64_t appended_bytes() const { return x_bytes; }

  /// Ends the stream and leaves the builder empty, ready for another one.
  [[nodiscard]] Digest finish();

 private:
  void add_leaves(Bytes data);
  void hash_pairs(std::size_t level, std::size_t pairs);

  std::size_t x_leaf_bytes;
  std::size_t x_batch_bytes;
  std::uint64_t x_bytes = 0;
  // Bytes not hashed yet: fewer than a batch.
  std::vector<std::uint8_t> x_gathered;
  // x_waiting[level]: the nodes of that level, from an even index on, that have no parent yet.
  std::vector<std::vector<Digest>> x_waiting;
};

}  // namespace tally::proof
