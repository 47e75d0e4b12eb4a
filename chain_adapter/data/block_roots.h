// The roots of many blocks' leaves, with the inner nodes of several blocks hashed at once.
//
// A block has few leaves, and the tree above them has ever fewer nodes to a level: hashed by itself it leaves most
// lanes of the hasher empty. So the leaves' digests of whole blocks wait in small groups, each behind a lock of its
// own, until there are enough of them to hash level by level together.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

class BlockRoots {
 public:
  /// Writes the root of block `place` to roots[place], by flush() at the latest. All blocks that are passed to add() as
  /// whole have the same size, a power of two of leaves.
  BlockRoots(std::span<math::Digest> roots, std::uint32_t leaf_bytes) : x_roots(roots), x_leaf_bytes(leaf_bytes) {}

  enum class Size : std::uint8_t { kWhole, kRest };

  /// Hashes the leaves of a block at once. Called from several threads at the same time.
  void add(std::size_t place, Size size, std::span<const std::byte> block);
  /// Writes every root that still waits. Not while others add.
  void flush();

 private:
  struct Group {
    std::mutex mutex;
    std::vector<math::Digest> digests;  // of the blocks' leaves, one block after the other
    std::vector<std::size_t> places;
  };

  void finish(Group& group);
  [[nodiscard]] Group& own_group();

  std::span<math::Digest> x_roots;
  std::uint32_t x_leaf_bytes;
  std::array<Group, 16> x_groups;
};

}  // namespace tally::chain
