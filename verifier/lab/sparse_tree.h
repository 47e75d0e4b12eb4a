// Trees over data that is all zeros but for some leaves: what the laboratory commits to instead of gigabytes.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

/// Nodes over runs of zero leaves.
class ZeroNodes {
 public:
  explicit ZeroNodes(const proof::LeafLayout& layout) : x_layout(layout), x_leaves(layout.leaves()) {}

  [[nodiscard]] std::uint64_t leaves() const { return x_leaves; }
  /// Over the leaves from `first` on, whose number fits a node.
  [[nodiscard]] proof::Digest node(std::uint64_t first, std::uint64_t count);

 private:
  [[nodiscard]] proof::Digest compute(std::uint64_t first, std::uint64_t count);

  proof::LeafLayout x_layout;
  std::uint64_t x_leaves;
  std::map<std::uint64_t, proof::Digest> x_whole;  // without the data's last leaf they depend on their length alone
};

class SparseTree {
 public:
  /// `leaves` are digests by index, of those that are not zeros. `zeros` outlives this.
  SparseTree(ZeroNodes& zeros, std::map<std::uint64_t, proof::Digest> leaves)
      : x_zeros(zeros), x_leaves(std::move(leaves)) {}

  [[nodiscard]] proof::Digest root();
  /// The index is smaller than the number of leaves.
  [[nodiscard]] proof::InclusionPath path(std::uint64_t index);

 private:
  [[nodiscard]] proof::Digest node(std::uint64_t first, std::uint64_t count);
  void append_path(std::uint64_t index, std::uint64_t first, std::uint64_t count, proof::InclusionPath& path);

  ZeroNodes& x_zeros;
  std::map<std::uint64_t, proof::Digest> x_leaves;
  std::map<std::pair<std::uint64_t, std::uint64_t>, proof::Digest> x_nodes;
};

}  // namespace tally::verifier
