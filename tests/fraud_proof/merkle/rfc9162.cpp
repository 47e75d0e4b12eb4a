#include "tests/fraud_proof/merkle/rfc9162.h"

#include <array>
#include <bit>

namespace tally::proof::rfc9162 {

namespace {

// The largest power of two smaller than n.
std::size_t split(std::size_t n) { return std::bit_floor(n - 1); }

}  // namespace

Digest hash_leaf(Bytes leaf) {
  std::vector<std::uint8_t> bytes = {0x00};
  bytes.insert(bytes.end(), leaf.begin(), leaf.end());
  return math::sha256(bytes);
}

Digest hash_node(const Digest& left, const Digest& right) {
  std::vector<std::uint8_t> bytes = {0x01};
  bytes.insert(bytes.end(), left.bytes.begin(), left.bytes.end());
  bytes.insert(bytes.end(), right.bytes.begin(), right.bytes.end());
  return math::sha256(bytes);
}

Digest ReferenceTree::root(std::size_t first, std::size_t last) {
  if (first == last) return math::sha256({});
  if (last - first == 1) return x_leaves.at(first);
  if (const auto known = x_roots.find({first, last}); known != x_roots.end()) return known->second;
  const std::size_t middle = first + split(last - first);
  const Digest node = hash_node(root(first, middle), root(middle, last));
  x_roots.emplace(std::pair(first, last), node);
  return node;
}

std::vector<Digest> ReferenceTree::path(std::size_t index, std::size_t first, std::size_t last) {
  if (last - first == 1) return {};
  const std::size_t middle = first + split(last - first);
  std::vector<Digest> siblings = index < middle ? path(index, first, middle) : path(index, middle, last);
  siblings.push_back(index < middle ? root(middle, last) : root(first, middle));
  return siblings;
}

std::optional<Digest> root_from_path(std::uint64_t index, std::uint64_t count, const Digest& leaf,
                                     std::span<const Digest> path) {
  if (index >= count) return std::nullopt;
  std::uint64_t fn = index;
  std::uint64_t sn = count - 1;
  Digest r = leaf;
  for (const Digest& p : path) {
    if (sn == 0) return std::nullopt;
    if ((fn & 1) == 1 || fn == sn) {
      r = hash_node(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = hash_node(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return std::nullopt;
  return r;
}

}  // namespace tally::proof::rfc9162
