// Inclusion proofs of RFC 9162 section 2.1.3: that a leaf stands at an index of a tree with a known number of leaves.
//
// Going up from leaf `index` of `count`, a node has a sibling on its left if its own index on that level is odd, and on
// its right unless it is the level's last; a last node with an even index goes up as it is. So index and count fix the
// number of siblings and their sides, and a proof holds the siblings alone, from the bottom up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof {

using math::Digest;

struct LeafPosition {
  std::uint64_t index = 0;
  std::uint64_t count = 0;
};

using InclusionPath = std::vector<Digest>;

enum class InclusionError : std::uint8_t {
  kIndexOutOfRange,
  kWrongLength,
  kWrongRoot,
};

[[nodiscard]] std::string_view to_string(InclusionError error);

/// The exact number of siblings in a proof, at most 64. The index is smaller than the count.
[[nodiscard]] std::size_t inclusion_path_length(LeafPosition position);

/// The root that a proof leads to from the digest of the leaf at `position`. The index is smaller than the count, and
/// the path has the length for them.
[[nodiscard]] Digest inclusion_root(LeafPosition position, const Digest& leaf, std::span<const Digest> path);

/// Checks that `leaf` is the digest of the leaf at `position` of the tree with this root. `count` comes from a trusted
/// place, never from the prover.
[[nodiscard]] std::expected<void, InclusionError> check_inclusion(const Digest& root, LeafPosition position,
                                                                  const Digest& leaf, std::span<const Digest> path);

}  // namespace tally::proof
