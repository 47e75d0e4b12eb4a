#include "fraud_proof/hashing/leaf_hasher.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace tally::proof {
namespace {

std::vector<std::uint8_t> sample(std::size_t bytes, std::uint32_t seed = 1) {
  std::vector<std::uint8_t> data(bytes);
  for (auto& byte : data) byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return data;
}

// The definition, through one-shot SHA-256 over bytes put together.
Digest prefixed_sha256(std::uint8_t prefix, Bytes message) {
  std::vector<std::uint8_t> bytes = {prefix};
  bytes.insert(bytes.end(), message.begin(), message.end());
  return math::sha256(bytes);
}

std::vector<Digest> defined_leaves(Bytes data, std::size_t leaf_bytes) {
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < data.size(); i += leaf_bytes) {
    digests.push_back(prefixed_sha256(0x00, data.subspan(i, std::min(leaf_bytes, data.size() - i))));
  }
  return digests;
}

std::vector<Digest> hashed_leaves(const LeafHasher& hasher, Bytes data, std::size_t leaf_bytes) {
  std::vector<Digest> digests(leaf_count(data.size(), leaf_bytes));
  hasher.hash_leaves(data, leaf_bytes, digests);
  return digests;
}

class EveryHasher : public testing::TestWithParam<const LeafHasher*> {};

INSTANTIATE_TEST_SUITE_P(LeafHasher, EveryHasher, testing::ValuesIn([] {
                           std::vector<const LeafHasher*> hashers;
                           for (const LeafHasher& hasher : LeafHasher::available()) hashers.push_back(&hasher);
                           return hashers;
                         }()),
                         [](const testing::TestParamInfo<const LeafHasher*>& hasher) {
                           return std::string(hasher.param->name());
                         });

TEST(LeafHasher, can_always_fall_back_on_the_portable_one) {
  ASSERT_FALSE(LeafHasher::available().empty());
  EXPECT_EQ(LeafHasher::available().back().name(), "portable");
  EXPECT_EQ(&LeafHasher::best(), &LeafHasher::available().front());
}

TEST_P(EveryHasher, gives_the_known_digest_of_an_empty_leaf) {
  EXPECT_EQ(math::to_hex(GetParam()->hash_leaf({})),
            "0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST_P(EveryHasher, hashes_single_leaves_of_every_length_as_openssl_does) {
  const std::vector<std::uint8_t> data = sample(4096);
  for (std::size_t size = 0; size <= data.size(); ++size) {
    // A heap block of exactly the leaf, so that a sanitizer sees a read before or behind it.
    const auto leaf = std::make_unique<std::uint8_t[]>(size);
    std::copy_n(data.begin(), size, leaf.get());
    const Bytes bytes(leaf.get(), size);
    ASSERT_EQ(GetParam()->hash_leaf(bytes), prefixed_sha256(0x00, bytes)) << size;
  }
}

TEST_P(EveryHasher, hashes_batches_of_every_size_and_block_layout_as_openssl_does) {
  // Around every boundary at which the number of whole or of tail blocks changes, and the lengths in use.
  for (const std::size_t leaf_bytes :
       {1U,   2U,   15U,  16U,  17U,  31U,  32U,  54U,  55U,   56U,   62U,   63U,   64U,  65U,
        118U, 119U, 120U, 126U, 127U, 128U, 183U, 256U, 1000U, 1023U, 1024U, 2048U, 4096U}) {
    for (std::size_t count = 0; count <= 70; ++count) {
      const std::vector<std::uint8_t> data = sample(count * leaf_bytes, static_cast<std::uint32_t>(count + 1));
      ASSERT_EQ(hashed_leaves(*GetParam(), data, leaf_bytes), defined_leaves(data, leaf_bytes))
          << count << " leaves of " << leaf_bytes << " bytes";
    }
  }
}

TEST_P(EveryHasher, hashes_a_shorter_last_leaf_at_its_own_length_pitfall_5) {
  const std::vector<std::uint8_t> data = sample(40 * 64);
  for (std::size_t size = 0; size <= data.size(); size += 7) {
    const Bytes bytes = Bytes(data).first(size);
    ASSERT_EQ(hashed_leaves(*GetParam(), bytes, 64), defined_leaves(bytes, 64)) << size;
  }
}

TEST_P(EveryHasher, hashes_leaves_at_any_alignment) {
  const std::vector<std::uint8_t> data = sample(64 + 20 * 1024);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    const Bytes bytes = Bytes(data).subspan(offset, 20 * std::size_t{1024});
    ASSERT_EQ(hashed_leaves(*GetParam(), bytes, 1024), defined_leaves(bytes, 1024)) << offset;
  }
}

TEST_P(EveryHasher, hashes_nodes_as_openssl_does_and_in_place) {
  for (std::size_t count = 0; count <= 70; ++count) {
    const std::vector<std::uint8_t> data = sample(count * 64);
    std::vector<Digest> children(2 * count);
    std::vector<Digest> expected(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(children[2 * i].bytes.data(), data.data() + 64 * i, 32);
      std::memcpy(children[2 * i + 1].bytes.data(), data.data() + 64 * i + 32, 32);
      expected[i] = prefixed_sha256(0x01, Bytes(data).subspan(64 * i, 64));
      ASSERT_EQ(GetParam()->hash_node(children[2 * i], children[2 * i + 1]), expected[i]);
    }
    std::vector<Digest> parents(count);
    GetParam()->hash_nodes(children, parents);
    ASSERT_EQ(parents, expected) << count;
    GetParam()->hash_nodes(children, std::span(children).first(count));
    children.resize(count);
    ASSERT_EQ(children, expected) << count << " in place";
  }
}

TEST_P(EveryHasher, never_hashes_a_leaf_of_two_digests_to_their_node_pitfall_1) {
  const Digest left = math::sha256({});
  const Digest right = math::sha256(left.bytes);
  std::vector<std::uint8_t> leaf(left.bytes.begin(), left.bytes.end());
  leaf.insert(leaf.end(), right.bytes.begin(), right.bytes.end());
  EXPECT_NE(GetParam()->hash_leaf(leaf), GetParam()->hash_node(left, right));
}

TEST(LeafHasherDeathTest, asserts_that_the_output_has_one_place_for_each_leaf) {
  const std::vector<std::uint8_t> data = sample(65);
  std::vector<Digest> out(1);
  EXPECT_DEATH(LeafHasher::best().hash_leaves(data, 64, out), "leaf_count");
  EXPECT_DEATH(LeafHasher::best().hash_nodes(out, out), "parents.size");
}

}  // namespace
}  // namespace tally::proof
