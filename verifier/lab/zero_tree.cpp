#include "verifier/lab/zero_tree.h"

#include <bit>
#include <map>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::verifier {

namespace {

using math::Digest;
using proof::LeafHasher;

// Nodes over runs of zero leaves, of which those without the last leaf of the data depend on their length alone.
class ZeroNodes {
 public:
  explicit ZeroNodes(const proof::LeafLayout& layout) : x_layout(layout), x_leaves(layout.leaves()) {}

  Digest node(std::uint64_t first, std::uint64_t count) {
    const bool is_whole = first + count < x_leaves;
    if (is_whole) {
      if (const auto known = x_whole.find(count); known != x_whole.end()) return known->second;
    }
    const Digest digest = compute(first, count);
    if (is_whole) x_whole.emplace(count, digest);
    return digest;
  }

 private:
  Digest compute(std::uint64_t first, std::uint64_t count) {
    const LeafHasher& hasher = LeafHasher::best();
    if (count == 1) return hasher.hash_leaf(std::vector<std::uint8_t>(x_layout.size_of(first)));
    const std::uint64_t left = std::bit_floor(count - 1);
    return hasher.hash_node(node(first, left), node(first + left, count - left));
  }

  const proof::LeafLayout& x_layout;
  std::uint64_t x_leaves;
  std::map<std::uint64_t, Digest> x_whole;
};

// Appends the path of leaf `index` within the node over [first, first + count), from the bottom up.
void append_path(ZeroNodes& nodes, std::uint64_t index, std::uint64_t first, std::uint64_t count,
                 proof::InclusionPath& path) {
  if (count == 1) return;
  const std::uint64_t left = std::bit_floor(count - 1);
  if (index < first + left) {
    append_path(nodes, index, first, left, path);
    path.push_back(nodes.node(first + left, count - left));
  } else {
    append_path(nodes, index, first + left, count - left, path);
    path.push_back(nodes.node(first, left));
  }
}

}  // namespace

proof::InclusionPath zero_path(const proof::LeafLayout& layout, std::uint64_t index) {
  TALLY_ASSERT(index < layout.leaves());
  ZeroNodes nodes(layout);
  proof::InclusionPath path;
  append_path(nodes, index, 0, layout.leaves(), path);
  return path;
}

}  // namespace tally::verifier
