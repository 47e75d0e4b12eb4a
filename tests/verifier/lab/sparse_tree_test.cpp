#include "verifier/lab/sparse_tree.h"

#include <gtest/gtest.h>

#include "fraud_proof/merkle/tree.h"

namespace tally::verifier {
namespace {

/// With a 7 at the start of each of these leaves, the tree of which is built as a whole.
void expect_equal(std::uint64_t data, const std::vector<std::uint64_t>& set) {
  const proof::LeafLayout layout{.data_bytes = data, .leaf_bytes = 64};
  std::vector<std::uint8_t> bytes(data);
  for (const std::uint64_t index : set) bytes[index * 64] = 7;
  proof::LeafDigests digests(data, 64);
  digests.hash_block(0, bytes);
  const proof::MerkleTree whole(digests.digests());

  ZeroNodes zeros(layout);
  std::map<std::uint64_t, proof::Digest> leaves;
  for (const std::uint64_t index : set) leaves[index] = digests.digests()[index];
  SparseTree sparse(zeros, leaves);
  EXPECT_EQ(sparse.root(), whole.root()) << data << " bytes";
  for (std::uint64_t index = 0; index < layout.leaves(); ++index)
    EXPECT_EQ(sparse.path(index), whole.inclusion_path(index)) << data << " bytes, leaf " << index;
}

TEST(SparseTree, is_that_of_the_whole_data) {
  expect_equal(0, {});
  for (const std::uint64_t data : {1U, 63U, 64U, 65U, 128U, 129U, 64U * 16, 64U * 17 - 5, 64U * 100 + 1}) {
    const std::uint64_t leaves = (data + 63) / 64;
    expect_equal(data, {});
    for (std::uint64_t index = 0; index < leaves; ++index) expect_equal(data, {index});
    expect_equal(data, {0, leaves / 3, leaves / 2, leaves - 1});
  }
}

}  // namespace
}  // namespace tally::verifier
