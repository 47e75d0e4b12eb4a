#include "fraud_proof/hashing/leaf_hasher.h"

#include <array>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/hashing/kernels.h"

namespace tally::proof {

namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;
constexpr std::size_t kNodeBytes = 2 * sizeof(Digest);
static_assert(kNodeBytes == 64, "digests that lie side by side are the bytes of a node");

Bytes bytes_of(std::span<const Digest> digests) {
  return {reinterpret_cast<const std::uint8_t*>(digests.data()), digests.size_bytes()};
}

}  // namespace

std::span<const LeafHasher> LeafHasher::available() {
  static const std::vector<LeafHasher> hashers = [] {
    std::vector<LeafHasher> found;
#if defined(__x86_64__)
    if (kernels::has_avx512()) found.push_back(LeafHasher("avx512", kernels::hash_avx512));
    if (kernels::has_sha_ni()) found.push_back(LeafHasher("sha_ni", kernels::hash_sha_ni));
#endif
    found.push_back(LeafHasher("portable", kernels::hash_portable));
    return found;
  }();
  return hashers;
}

void LeafHasher::hash_leaves(Bytes data, std::size_t leaf_bytes, std::span<Digest> out) const {
  TALLY_ASSERT(leaf_bytes > 0);
  TALLY_ASSERT(out.size() == leaf_count(data.size(), leaf_bytes));
  const std::size_t whole = data.size() / leaf_bytes;
  if (whole > 0) x_hash({kLeafPrefix, leaf_bytes, data.first(whole * leaf_bytes)}, out.first(whole));
  if (whole < out.size()) out[whole] = hash_leaf(data.subspan(whole * leaf_bytes));
}

Digest LeafHasher::hash_leaf(Bytes leaf) const {
  Digest digest;
  x_hash({kLeafPrefix, leaf.size(), leaf}, {&digest, 1});
  return digest;
}

void LeafHasher::hash_nodes(std::span<const Digest> children, std::span<Digest> parents) const {
  TALLY_ASSERT(children.size() == 2 * parents.size());
  if (!parents.empty()) x_hash({kNodePrefix, kNodeBytes, bytes_of(children)}, parents);
}

Digest LeafHasher::hash_node(const Digest& left, const Digest& right) const {
  const std::array<Digest, 2> children = {left, right};
  Digest parent;
  hash_nodes(children, {&parent, 1});
  return parent;
}

}  // namespace tally::proof
