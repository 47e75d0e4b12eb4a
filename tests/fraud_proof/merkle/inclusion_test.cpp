#include "fraud_proof/merkle/inclusion.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <limits>
#include <set>
#include <vector>

#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"
#include "tests/fraud_proof/merkle/rfc9162.h"

namespace tally::proof {
namespace {

constexpr std::size_t kMostLeaves = 300;

#ifdef TALLY_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Digest numbered(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return rfc9162::hash_leaf(bytes);
}

std::vector<Digest> numbered_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(numbered(i));
  return leaves;
}

using Verdict = std::expected<void, InclusionError>;

Verdict refused(InclusionError error) { return std::unexpected(error); }

TEST(Inclusion, accepts_every_proof_of_every_tree_up_to_300_leaves_and_equals_the_rfc) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  rfc9162::ReferenceTree reference(leaves);
  for (std::size_t count = 1; count <= kMostLeaves; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    for (std::size_t index = 0; index < count; ++index) {
      const InclusionPath path = tree.inclusion_path(index);
      ASSERT_EQ(path, reference.path(index, 0, count)) << index << " of " << count;
      ASSERT_EQ(path.size(), inclusion_path_length({index, count}));
      ASSERT_TRUE(check_inclusion(tree.root(), {index, count}, leaves[index], path)) << index << " of " << count;
    }
  }
}

// Flips one bit of each of the given bytes of the path in turn.
void expect_each_byte_to_matter(const Digest& root, LeafPosition position, const Digest& leaf, InclusionPath path,
                                std::size_t first_byte, std::size_t step) {
  for (std::size_t i = first_byte; i < 32 * path.size(); i += step) {
    std::uint8_t& byte = path[i / 32].bytes[i % 32];
    const std::uint8_t right = byte;
    byte = static_cast<std::uint8_t>(byte ^ (1U << (i % 8)));
    ASSERT_EQ(check_inclusion(root, position, leaf, path), refused(InclusionError::kWrongRoot))
        << "byte " << i << " of the proof of " << position.index << " of " << position.count;
    byte = right;
  }
}

TEST(Inclusion, refuses_every_proof_with_a_byte_changed) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  const std::set<std::size_t> every_byte = {65, 127, 128, 129, 255, 256, 257, 300};
  for (std::size_t count = 1; count <= kMostLeaves; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    for (std::size_t index = 0; index < count; ++index) {
      const LeafPosition position{index, count};
      const InclusionPath path = tree.inclusion_path(index);
      // Under sanitizers: every byte in small trees and around powers of two; elsewhere one in each digest, another
      // each time.
      const bool all = !kSanitized || count <= 48 || every_byte.contains(count);
      expect_each_byte_to_matter(tree.root(), position, leaves[index], path, all ? 0 : (count + index) % 32,
                                 all ? 1 : 32);
      Digest other_leaf = leaves[index];
      other_leaf.bytes[index % 32] ^= 1;
      ASSERT_EQ(check_inclusion(tree.root(), position, other_leaf, path), refused(InclusionError::kWrongRoot));
      Digest other_root = tree.root();
      other_root.bytes[index % 32] ^= 1;
      ASSERT_EQ(check_inclusion(other_root, position, leaves[index], path), refused(InclusionError::kWrongRoot));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Inclusion, refuses_proofs_that_are_too_short_or_too_long_pitfall_2) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  for (std::size_t count = 1; count <= kMostLeaves; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    for (std::size_t index = 0; index < count; ++index) {
      InclusionPath path = tree.inclusion_path(index);
      const auto verdict = [&] { return check_inclusion(tree.root(), {index, count}, leaves[index], path); };
      path.push_back(tree.root());
      ASSERT_EQ(verdict(), refused(InclusionError::kWrongLength));
      path.pop_back();
      if (path.empty()) continue;
      path.push_back(path.back());
      ASSERT_EQ(verdict(), refused(InclusionError::kWrongLength));
      path.pop_back();
      path.pop_back();
      ASSERT_EQ(verdict(), refused(InclusionError::kWrongLength));
    }
  }
}

TEST(Inclusion, refuses_every_proof_at_another_index_pitfall_2) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  for (std::size_t count = 1; count <= kMostLeaves; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    // Every pair of indices in small trees, elsewhere a seventh of them.
    for (std::size_t index = 0; index < count; ++index) {
      const InclusionPath path = tree.inclusion_path(index);
      for (std::size_t other = index % 7; other < count; other += count <= 40 ? 1 : 7) {
        if (other == index) continue;
        const Verdict verdict = check_inclusion(tree.root(), {other, count}, leaves[index], path);
        ASSERT_FALSE(verdict) << index << " as " << other << " of " << count;
        ASSERT_NE(verdict.error(), InclusionError::kIndexOutOfRange);
      }
    }
  }
}

TEST(Inclusion, refuses_an_index_in_the_padding_that_other_trees_have_pitfall_3) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  for (std::size_t count = 0; count <= kMostLeaves; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    for (const std::uint64_t index : {std::uint64_t{count}, std::uint64_t{count} + 1, std::uint64_t{511},
                                      std::numeric_limits<std::uint64_t>::max()}) {
      const Digest leaf = count == 0 ? tree.root() : leaves[count - 1];
      const InclusionPath path = count == 0 ? InclusionPath{} : tree.inclusion_path(count - 1);
      ASSERT_EQ(check_inclusion(tree.root(), {index, count}, leaf, path), refused(InclusionError::kIndexOutOfRange));
    }
  }
}

TEST(Inclusion, judges_a_wrong_leaf_count_as_the_rfc_does) {
  const std::vector<Digest> leaves = numbered_leaves(kMostLeaves);
  std::size_t refusals = 0;
  for (std::size_t count = 1; count <= 70; ++count) {
    const MerkleTree tree{std::span(leaves).first(count)};
    for (std::size_t index = 0; index < count; ++index) {
      const InclusionPath path = tree.inclusion_path(index);
      for (std::size_t other = 0; other <= 2 * count + 2; ++other) {
        const bool accepted = check_inclusion(tree.root(), {index, other}, leaves[index], path).has_value();
        const auto root = rfc9162::root_from_path(index, other, leaves[index], path);
        ASSERT_EQ(accepted, root == tree.root()) << index << " of " << count << " as of " << other;
        refusals += accepted ? 0 : 1;
      }
    }
  }
  EXPECT_GT(refusals, 0U);
}

TEST(Inclusion, refuses_an_inner_node_as_a_leaf_pitfall_1) {
  const std::vector<Digest> leaves = numbered_leaves(4);
  const MerkleTree tree{std::span<const Digest>(leaves)};
  std::vector<std::uint8_t> children(leaves[0].bytes.begin(), leaves[0].bytes.end());
  children.insert(children.end(), leaves[1].bytes.begin(), leaves[1].bytes.end());
  const InclusionPath path = {tree.level(1)[1]};
  const Digest as_leaf = LeafHasher::best().hash_leaf(children);
  EXPECT_EQ(check_inclusion(tree.root(), {0, 2}, as_leaf, path), refused(InclusionError::kWrongRoot));
  EXPECT_EQ(check_inclusion(tree.root(), {0, 4}, tree.level(1)[0], path), refused(InclusionError::kWrongLength));
}

TEST(Inclusion, agrees_with_the_rfc_at_the_largest_counts_pitfall_4) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 63;
  for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, kHigh - 1, kHigh, kHigh + 1,
                                    kHigh + (kHigh >> 1) + 1, kMax - 1, kMax}) {
    for (const std::uint64_t index : {std::uint64_t{0}, count / 2, count - 1}) {
      InclusionPath path(inclusion_path_length({index, count}));
      for (std::size_t i = 0; i < path.size(); ++i) path[i] = numbered(i);
      const auto root = rfc9162::root_from_path(index, count, numbered(99), path);
      ASSERT_TRUE(root.has_value()) << index << " of " << count;
      EXPECT_TRUE(check_inclusion(*root, {index, count}, numbered(99), path)) << index << " of " << count;
      path.push_back(numbered(7));
      EXPECT_EQ(rfc9162::root_from_path(index, count, numbered(99), path), std::nullopt);
      EXPECT_EQ(check_inclusion(*root, {index, count}, numbered(99), path), refused(InclusionError::kWrongLength));
    }
  }
}

RC_GTEST_PROP(Inclusion, gives_the_rfcs_verdict_on_any_index_count_and_path, ()) {
  // Counts of any number of bits; indices mostly below them.
  const auto full = [] { return *rc::gen::resize(100, rc::gen::arbitrary<std::uint64_t>()); };
  LeafPosition position{full(), full() >> *rc::gen::inRange(0, 64)};
  if (position.count > 0 && *rc::gen::inRange(0, 8) > 0) position.index %= position.count;
  const Digest leaf = numbered(*rc::gen::arbitrary<std::uint64_t>());
  auto length = static_cast<std::size_t>(*rc::gen::inRange(0, 70));
  // Often the right length, else most paths would end there.
  if (position.index < position.count && *rc::gen::arbitrary<bool>()) length = inclusion_path_length(position);
  InclusionPath path;
  for (std::size_t i = 0; i < length; ++i) path.push_back(numbered(i));
  const auto root = rfc9162::root_from_path(position.index, position.count, leaf, path);
  RC_ASSERT(check_inclusion(root.value_or(leaf), position, leaf, path).has_value() == root.has_value());
}

TEST(Inclusion, says_each_reason_in_words_of_its_own) {
  std::set<std::string_view> texts;
  for (const InclusionError error :
       {InclusionError::kIndexOutOfRange, InclusionError::kWrongLength, InclusionError::kWrongRoot}) {
    EXPECT_FALSE(to_string(error).empty());
    texts.insert(to_string(error));
  }
  EXPECT_EQ(texts.size(), 3U);
}

}  // namespace
}  // namespace tally::proof
