#include "fraud_proof/merkle/inclusion.h"

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::proof {

namespace {

enum class Sibling : std::uint8_t { kNone, kLeft, kRight };

// A node on its way up to the root.
class Climb {
 public:
  explicit Climb(LeafPosition leaf) : x_index(leaf.index), x_last(leaf.count - 1) {}

  [[nodiscard]] bool at_root() const { return x_last == 0; }

  [[nodiscard]] Sibling sibling() const {
    if (x_index % 2 == 1) return Sibling::kLeft;
    return x_index < x_last ? Sibling::kRight : Sibling::kNone;
  }

  void up() {
    x_index /= 2;
    x_last /= 2;
  }

 private:
  std::uint64_t x_index;
  std::uint64_t x_last;
};

}  // namespace

std::string_view to_string(InclusionError error) {
  switch (error) {
    case InclusionError::kIndexOutOfRange:
      return "the index is not smaller than the number of leaves";
    case InclusionError::kWrongLength:
      return "the proof does not have the length that the index and the number of leaves ask for";
    case InclusionError::kWrongRoot:
      return "the proof leads to another root";
  }
  return "";
}

std::size_t inclusion_path_length(LeafPosition position) {
  TALLY_ASSERT(position.index < position.count);
  std::size_t length = 0;
  for (Climb climb(position); !climb.at_root(); climb.up()) {
    if (climb.sibling() != Sibling::kNone) ++length;
  }
  return length;
}

Digest inclusion_root(LeafPosition position, const Digest& leaf, std::span<const Digest> path) {
  TALLY_ASSERT(path.size() == inclusion_path_length(position));
  const LeafHasher& hasher = LeafHasher::best();
  Digest node = leaf;
  auto next = path.begin();
  for (Climb climb(position); !climb.at_root(); climb.up()) {
    switch (climb.sibling()) {
      case Sibling::kNone:
        break;
      case Sibling::kLeft:
        node = hasher.hash_node(*next++, node);
        break;
      case Sibling::kRight:
        node = hasher.hash_node(node, *next++);
        break;
    }
  }
  return node;
}

std::expected<void, InclusionError> check_inclusion(const Digest& root, LeafPosition position, const Digest& leaf,
                                                    std::span<const Digest> path) {
  if (position.index >= position.count) return std::unexpected(InclusionError::kIndexOutOfRange);
  if (path.size() != inclusion_path_length(position)) return std::unexpected(InclusionError::kWrongLength);
  if (inclusion_root(position, leaf, path) != root) return std::unexpected(InclusionError::kWrongRoot);
  return {};
}

}  // namespace tally::proof
