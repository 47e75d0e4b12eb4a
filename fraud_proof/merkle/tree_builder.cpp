#include "fraud_proof/merkle/tree_builder.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::proof {

namespace {

// Leaves hashed together, and nodes that wait on a level until they are hashed together: both multiples of what any
// kernel does at once, so that it does not run half empty.
constexpr std::size_t kBatchLeaves = 64;
constexpr std::size_t kBatchNodes = 64;

// Most batches hashed in one go where the bytes are at hand; bounds the digests that wait.
constexpr std::size_t kMostBatches = 16;

}  // namespace

TreeBuilder::TreeBuilder(std::size_t leaf_bytes) : x_leaf_bytes(leaf_bytes), x_batch_bytes(kBatchLeaves * leaf_bytes) {
  TALLY_ASSERT(leaf_bytes > 0);
}

void TreeBuilder::append(Bytes data) {
  x_bytes += data.size();
  if (!x_gathered.empty()) {
    const std::size_t taken = std::min(data.size(), x_batch_bytes - x_gathered.size());
    x_gathered.insert(x_gathered.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(taken));
    data = data.subspan(taken);
    if (x_gathered.size() < x_batch_bytes) return;
    add_leaves(x_gathered);
    x_gathered.clear();
  }
  while (data.size() >= x_batch_bytes) {
    const std::size_t taken = std::min(data.size() / x_batch_bytes, kMostBatches) * x_batch_bytes;
    add_leaves(data.first(taken));
    data = data.subspan(taken);
  }
  x_gathered.insert(x_gathered.end(), data.begin(), data.end());
}

Digest TreeBuilder::finish() {
  add_leaves(x_gathered);
  x_gathered.clear();
  x_bytes = 0;
  for (std::size_t level = 0; level < x_waiting.size(); ++level) {
    const bool highest = level + 1 == x_waiting.size();
    if (highest && x_waiting[level].size() == 1) break;
    hash_pairs(level, x_waiting[level].size() / 2);
    // The last of an odd number goes up as it is.
    if (!x_waiting[level].empty()) {
      const Digest last = x_waiting[level].back();
      x_waiting[level + 1].push_back(last);
    }
  }
  const Digest root = x_waiting.empty() ? empty_tree_root() : x_waiting.back().front();
  x_waiting.clear();
  return root;
}

void TreeBuilder::add_leaves(Bytes data) {
  if (data.empty()) return;
  if (x_waiting.empty()) x_waiting.emplace_back();
  std::vector<Digest>& leaves = x_waiting.front();
  const std::size_t before = leaves.size();
  leaves.resize(before + leaf_count(data.size(), x_leaf_bytes));
  LeafHasher::best().hash_leaves(data, x_leaf_bytes, std::span(leaves).subspan(before));
  for (std::size_t level = 0; level < x_waiting.size() && x_waiting[level].size() >= kBatchNodes; ++level) {
    hash_pairs(level, x_waiting[level].size() / kBatchNodes * (kBatchNodes / 2));
  }
}

void TreeBuilder::hash_pairs(std::size_t level, std::size_t pairs) {
  if (pairs == 0) return;
  if (level + 1 == x_waiting.size()) x_waiting.emplace_back();
  std::vector<Digest>& nodes = x_waiting[level];
  std::vector<Digest>& parents = x_waiting[level + 1];
  const std::size_t before = parents.size();
  parents.resize(before + pairs);
  LeafHasher::best().hash_nodes(std::span(nodes).first(2 * pairs), std::span(parents).subspan(before));
  nodes.erase(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(2 * pairs));
}

}  // namespace tally::proof
