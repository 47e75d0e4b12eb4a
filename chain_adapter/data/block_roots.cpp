#include "chain_adapter/data/block_roots.h"

#include <functional>
#include <thread>

#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::chain {

namespace {

// Enough that all lanes are full down to the last level, and few enough to stay in the nearest cache.
constexpr std::size_t kBlocksTogether = 16;
constexpr std::size_t kMaxLeavesTogether = 64;

}  // namespace

void BlockRoots::add(std::size_t place, Size size, std::span<const std::byte> block) {
  const math::Bytes bytes = math::unsigned_bytes(block);
  const std::size_t leaves = proof::leaf_count(bytes.size(), x_leaf_bytes);
  if (size == Size::kRest || leaves > kMaxLeavesTogether) {
    x_roots[place] = proof::tree_root_of_bytes(bytes, x_leaf_bytes);
    return;
  }
  std::array<math::Digest, kMaxLeavesTogether> digests;
  proof::LeafHasher::best().hash_leaves(bytes, x_leaf_bytes, std::span(digests).first(leaves));
  Group& group = own_group();
  const std::scoped_lock lock(group.mutex);
  group.digests.insert(group.digests.end(), digests.begin(), digests.begin() + static_cast<std::ptrdiff_t>(leaves));
  group.places.push_back(place);
  if (group.places.size() == kBlocksTogether) finish(group);
}

void BlockRoots::flush() {
  for (Group& group : x_groups) finish(group);
}

void BlockRoots::finish(Group& group) {
  std::size_t count = group.digests.size();
  // Each block has the same power of two of leaves, so no pair has children of two blocks.
  while (count > group.places.size()) {
    const std::span<math::Digest> level(group.digests);
    proof::LeafHasher::best().hash_nodes(level.first(count), level.first(count / 2));
    count /= 2;
  }
  for (std::size_t i = 0; i < count; ++i) x_roots[group.places[i]] = group.digests[i];
  group.digests.clear();
  group.places.clear();
}

BlockRoots::Group& BlockRoots::own_group() {
  // Threads that share a group only wait for each other.
  return x_groups[std::hash<std::thread::id>{}(std::this_thread::get_id()) % x_groups.size()];
}

}  // namespace tally::chain
