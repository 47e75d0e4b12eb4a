// SHA-256 of many Merkle leaves and nodes at once: the sequencer's dominant cost.
//
// Leaves and nodes are hashed as RFC 9162 section 2.1.1 says, SHA-256(0x00 ‖ leaf) and SHA-256(0x01 ‖ left ‖ right), so
// that neither can pass for the other. Their hashes are independent of one another, and a processor that waits for one
// can work on others. Each LeafHasher is one way of doing that; all give the same digests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof {

namespace kernels {
struct Messages;
}

using math::Bytes;
using math::Digest;

class LeafHasher {
 public:
  /// Every implementation that this processor can run, the fastest first. The last is OpenSSL's.
  [[nodiscard]] static std::span<const LeafHasher> available();
  [[nodiscard]] static const LeafHasher& best() { return available().front(); }

  [[nodiscard]] std::string_view name() const { return x_name; }

  /// Cuts `data` into leaves of `leaf_bytes` (at least 1), of which the last may be shorter, and writes leaf i's digest
  /// to out[i]. `out` has exactly leaf_count(data.size(), leaf_bytes) places.
  void hash_leaves(Bytes data, std::size_t leaf_bytes, std::span<Digest> out) const;
  /// A single leaf, which may be empty.
  [[nodiscard]] Digest hash_leaf(Bytes leaf) const;

  /// parents[i] = the node over children[2 i] and children[2 i + 1]. `parents` may be the front half of `children`.
  void hash_nodes(std::span<const Digest> children, std::span<Digest> parents) const;
  [[nodiscard]] Digest hash_node(const Digest& left, const Digest& right) const;

 private:
  using HashMessages = void (*)(const kernels::Messages& messages, std::span<Digest> out);

  LeafHasher(std::string_view name, HashMessages hash) : x_name(name), x_hash(hash) {}

  std::string_view x_name;
  HashMessages x_hash;
};

/// How many leaves of `leaf_bytes` (at least 1) hold `data_bytes`.
[[nodiscard]] constexpr std::uint64_t leaf_count(std::uint64_t data_bytes, std::size_t leaf_bytes) {
  return data_bytes / leaf_bytes + (data_bytes % leaf_bytes != 0 ? 1 : 0);
}

}  // namespace tally::proof
