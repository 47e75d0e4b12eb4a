// The definitions of RFC 9162 section 2.1, word for word and slow: what the trees of fraud_proof/merkle are compared
// with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof::rfc9162 {

using math::Bytes;
using math::Digest;

Digest hash_leaf(Bytes leaf);
Digest hash_node(const Digest& left, const Digest& right);

/// MTH and PATH over growing lists of the same leaves. Remembers subtrees.
class ReferenceTree {
 public:
  explicit ReferenceTree(std::vector<Digest> leaves) : x_leaves(std::move(leaves)) {}

  /// MTH(D[first:last]).
  Digest root(std::size_t first, std::size_t last);
  /// PATH(index - first, D[first:last]).
  std::vector<Digest> path(std::size_t index, std::size_t first, std::size_t last);

 private:
  std::vector<Digest> x_leaves;
  std::map<std::pair<std::size_t, std::size_t>, Digest> x_roots;
};

/// The root that section 2.1.3.2 arrives at; nothing where it says that the proof verification fails.
std::optional<Digest> root_from_path(std::uint64_t index, std::uint64_t count, const Digest& leaf,
                                     std::span<const Digest> path);

}  // namespace tally::proof::rfc9162
