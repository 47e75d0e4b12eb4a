#include "fraud_proof/merkle/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/fraud_proof/merkle/rfc9162.h"

namespace tally::proof {
namespace {

std::vector<std::uint8_t> sample(std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  std::uint32_t value = 7;
  for (auto& byte : data) byte = static_cast<std::uint8_t>((value = value * 1664525 + 1013904223) >> 24);
  return data;
}

std::vector<Digest> cut_and_hash(Bytes data, std::size_t leaf_bytes) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < data.size(); i += leaf_bytes) {
    leaves.push_back(rfc9162::hash_leaf(data.subspan(i, std::min(leaf_bytes, data.size() - i))));
  }
  return leaves;
}

Digest defined_root(std::vector<Digest> leaves) {
  const std::size_t count = leaves.size();
  return rfc9162::ReferenceTree(std::move(leaves)).root(0, count);
}

// The leaves and digests that implementations of Certificate Transparency (RFC 6962, the same trees) are tested with.
std::vector<Digest> certificate_transparency_leaves() {
  std::vector<Digest> leaves;
  for (const std::string_view hex : {"0x", "0x00", "0x10", "0x2021", "0x3031", "0x40414243", "0x5051525354555657",
                                     "0x606162636465666768696a6b6c6d6e6f"}) {
    std::vector<std::uint8_t> leaf(hex.size() / 2 - 1);
    EXPECT_TRUE(math::from_hex(hex, leaf));
    leaves.push_back(LeafHasher::best().hash_leaf(leaf));
  }
  return leaves;
}

TEST(Tree, has_the_roots_known_from_certificate_transparency) {
  constexpr std::array<std::string_view, 9> kRoots = {
      "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  const std::vector<Digest> leaves = certificate_transparency_leaves();
  for (std::size_t count = 0; count < kRoots.size(); ++count) {
    EXPECT_EQ(math::to_hex(tree_root(std::span(leaves).first(count))), kRoots.at(count)) << count;
    EXPECT_EQ(math::to_hex(MerkleTree(std::span(leaves).first(count)).root()), kRoots.at(count)) << count;
  }
}

TEST(Tree, has_the_proofs_known_from_certificate_transparency) {
  struct Known {
    std::uint64_t index;
    std::size_t count;
    std::vector<std::string> path;
  };
  const std::vector<Known> known = {{0, 1, {}},
                                    {0,
                                     8,
                                     {"0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                                    {5,
                                     8,
                                     {"0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                      "0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                                    {2, 3, {"0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
                                    {1,
                                     5,
                                     {"0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                      "0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
  const std::vector<Digest> leaves = certificate_transparency_leaves();
  for (const Known& proof : known) {
    std::vector<std::string> path;
    for (const Digest& sibling : MerkleTree(std::span(leaves).first(proof.count)).inclusion_path(proof.index)) {
      path.push_back(math::to_hex(sibling));
    }
    EXPECT_EQ(path, proof.path) << proof.index << " of " << proof.count;
  }
}

TEST(Tree, equals_the_rfcs_recursive_definition_for_every_size_up_to_300) {
  const std::vector<std::uint8_t> data = sample(300 * 8);
  const std::vector<Digest> leaves = cut_and_hash(data, 8);
  rfc9162::ReferenceTree reference(leaves);
  for (std::size_t count = 0; count <= 300; ++count) {
    const Digest expected = reference.root(0, count);
    ASSERT_EQ(tree_root(std::span(leaves).first(count)), expected) << count;
    ASSERT_EQ(MerkleTree(std::span(leaves).first(count)).root(), expected) << count;
    ASSERT_EQ(tree_root_of_bytes(Bytes(data).first(8 * count), 8), expected) << count;
  }
}

TEST(Tree, of_bytes_gives_the_last_leaf_exactly_the_rest) {
  const std::vector<std::uint8_t> data = sample(700);
  for (const std::size_t leaf_bytes : {1U, 3U, 64U, 256U, 699U, 700U, 4096U}) {
    for (std::size_t size = 0; size <= data.size(); ++size) {
      const Bytes bytes = Bytes(data).first(size);
      ASSERT_EQ(tree_root_of_bytes(bytes, leaf_bytes), defined_root(cut_and_hash(bytes, leaf_bytes)))
          << size << " bytes in leaves of " << leaf_bytes;
    }
  }
}

TEST(Tree, does_not_pad_by_repeating_its_last_leaf_pitfall_2) {
  const std::vector<Digest> leaves = cut_and_hash(sample(3 * 64), 64);
  std::vector<Digest> padded = leaves;
  padded.push_back(leaves.back());
  EXPECT_NE(tree_root(leaves), tree_root(padded));
}

TEST(Tree, of_no_and_of_one_leaf_is_as_the_rfc_says_pitfall_4) {
  EXPECT_EQ(tree_root({}), math::sha256({}));
  EXPECT_EQ(MerkleTree({}).root(), math::sha256({}));
  EXPECT_EQ(MerkleTree({}).levels(), 0U);
  EXPECT_EQ(tree_root_of_bytes({}, 1024), math::sha256({}));
  const std::vector<Digest> leaf = {rfc9162::hash_leaf({})};
  EXPECT_EQ(tree_root(leaf), leaf.front());
  EXPECT_EQ(MerkleTree(leaf).root(), leaf.front());
  EXPECT_NE(tree_root(leaf), tree_root({}));
}

TEST(Tree, does_not_depend_on_the_number_of_threads) {
  const std::vector<std::uint8_t> data = sample(3 * (std::size_t{1} << 20) + 77);
  for (const std::size_t leaf_bytes : {64U, 256U, 1024U, 1000U}) {
    const std::vector<Digest> leaves = cut_and_hash(data, leaf_bytes);
    const Digest expected = defined_root(leaves);
    for (const unsigned threads : {1U, 2U, 3U, 8U}) {
      math::ThreadPool pool(threads);
      EXPECT_EQ(tree_root_of_bytes(data, leaf_bytes, pool), expected) << leaf_bytes << ", " << threads << " threads";
      EXPECT_EQ(tree_root(leaves, pool), expected) << leaf_bytes << ", " << threads << " threads";
      const MerkleTree tree(leaves, pool);
      EXPECT_EQ(tree.root(), expected) << leaf_bytes << ", " << threads << " threads";
      for (std::uint64_t index = 0; index < leaves.size(); index += 997) {
        EXPECT_TRUE(check_inclusion(expected, {index, leaves.size()}, leaves[index], tree.inclusion_path(index)));
      }
    }
  }
}

TEST(Tree, equals_the_definition_around_the_length_of_a_threads_run) {
  const std::vector<Digest> leaves = cut_and_hash(sample(12290), 1);
  rfc9162::ReferenceTree reference(leaves);
  math::ThreadPool pool(2);
  for (const std::size_t count : {4095U, 4096U, 4097U, 8191U, 8192U, 8193U, 12287U, 12288U, 12289U, 12290U}) {
    EXPECT_EQ(tree_root(std::span(leaves).first(count), pool), reference.root(0, count)) << count;
  }
}

TEST(Tree, can_be_put_together_from_runs_of_a_power_of_two_leaves) {
  const std::vector<Digest> leaves = cut_and_hash(sample(1000), 3);
  for (std::size_t run = 1; run <= 512; run *= 2) {
    std::vector<Digest> roots;
    for (std::size_t first = 0; first < leaves.size(); first += run) {
      roots.push_back(tree_root(std::span(leaves).subspan(first, std::min(run, leaves.size() - first))));
    }
    EXPECT_EQ(tree_root(roots), tree_root(leaves)) << run;
  }
}

TEST(LeafDigests, may_be_filled_in_any_order_of_blocks) {
  const std::vector<std::uint8_t> data = sample(10'000);
  constexpr std::size_t kLeaf = 64;
  const Digest expected = defined_root(cut_and_hash(data, kLeaf));
  for (const std::size_t block : {kLeaf, 3 * kLeaf, 50 * kLeaf, 1000 * kLeaf}) {
    LeafDigests digests(data.size(), kLeaf);
    std::vector<std::size_t> offsets;
    for (std::size_t offset = 0; offset < data.size(); offset += block) offsets.push_back(offset);
    std::ranges::reverse(offsets);
    math::ThreadPool pool(3);
    pool.run(offsets.size(), [&](std::size_t task) {
      const std::size_t offset = offsets[task];
      digests.hash_block(offset, Bytes(data).subspan(offset, std::min(block, data.size() - offset)));
    });
    EXPECT_EQ(digests.root(), expected) << block;
    EXPECT_EQ(digests.root(pool), expected) << block;
  }
}

TEST(LeafDigestsDeathTest, asserts_that_blocks_are_whole_leaves_inside_the_data) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::vector<std::uint8_t> data = sample(1000);
  LeafDigests digests(data.size(), 64);
  EXPECT_DEATH(digests.hash_block(1, Bytes(data).first(64)), "offset");
  EXPECT_DEATH(digests.hash_block(64, Bytes(data).first(63)), "block");
  EXPECT_DEATH(digests.hash_block(64, Bytes(data)), "block");
}

TEST(MerkleTree, shows_each_level_with_nodes_that_go_up_as_they_are) {
  const std::vector<Digest> leaves = cut_and_hash(sample(5), 1);
  const MerkleTree tree{std::span<const Digest>(leaves)};
  ASSERT_EQ(tree.levels(), 4U);
  EXPECT_EQ(tree.level(0).size(), 5U);
  ASSERT_EQ(tree.level(1).size(), 3U);
  EXPECT_EQ(tree.level(1)[0], rfc9162::hash_node(leaves[0], leaves[1]));
  EXPECT_EQ(tree.level(1)[2], leaves[4]);
  ASSERT_EQ(tree.level(2).size(), 2U);
  EXPECT_EQ(tree.level(2)[1], leaves[4]);
  ASSERT_EQ(tree.level(3).size(), 1U);
  EXPECT_EQ(tree.level(3)[0], tree.root());
}

}  // namespace
}  // namespace tally::proof
