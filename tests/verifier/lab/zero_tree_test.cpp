#include "verifier/lab/zero_tree.h"

#include <gtest/gtest.h>

#include "fraud_proof/merkle/tree.h"

namespace tally::verifier {
namespace {

TEST(ZeroTree, paths_are_those_of_a_whole_tree) {
  for (const std::uint64_t data : {1U, 63U, 64U, 65U, 128U, 129U, 64U * 16, 64U * 17 - 5, 64U * 100 + 1}) {
    const proof::LeafLayout layout{.data_bytes = data, .leaf_bytes = 64};
    std::vector<std::uint8_t> bytes(data);
    for (std::uint64_t index = 0; index < layout.leaves(); ++index) {
      bytes[index * 64] = 7;
      proof::LeafDigests digests(data, 64);
      digests.hash_block(0, bytes);
      EXPECT_EQ(zero_path(layout, index), proof::MerkleTree(digests.digests()).inclusion_path(index))
          << data << " bytes, leaf " << index;
      bytes[index * 64] = 0;
    }
  }
}

}  // namespace
}  // namespace tally::verifier
