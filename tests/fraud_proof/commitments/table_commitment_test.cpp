#include "fraud_proof/commitments/table_commitment.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

// Known answers come from a second implementation of the layouts in Python.
TEST(TableCommitment, gives_the_known_answers) {
  const TableShape matrix{.element_bytes = 4, .rank = 2, .dim0 = 3, .dim1 = 70'000};
  EXPECT_EQ(table_commitment(matrix, 1024, digest_of(0x11)).bytes,
            hex<32>("8decbb1078dd65a52e4d716910659ad94b031c9ee43f999efcc8a408f4960a75"));
  const TableShape scalar{.element_bytes = 16, .rank = 0};
  EXPECT_EQ(table_commitment(scalar, 64, digest_of(0x12)).bytes,
            hex<32>("e00594a96a28f707b4c2154c511d14c8a20115bfbd607faa2ce29c8349c0628a"));
}

TEST(TableCommitment, no_two_shapes_share_one) {
  const Digest root = digest_of(0x11);
  std::set<Digest> seen;
  std::size_t count = 0;
  for (const std::uint8_t element_bytes : std::array<std::uint8_t, 5>{1, 2, 4, 8, 16}) {
    for (const std::uint32_t leaf_bytes : {64U, 128U, 4096U}) {
      for (const TableShape& shape : {TableShape{.element_bytes = element_bytes, .rank = 0},
                                      TableShape{.element_bytes = element_bytes, .rank = 1},
                                      TableShape{.element_bytes = element_bytes, .rank = 2},
                                      TableShape{.element_bytes = element_bytes, .rank = 1, .dim0 = 6},
                                      TableShape{.element_bytes = element_bytes, .rank = 2, .dim0 = 6},
                                      TableShape{.element_bytes = element_bytes, .rank = 2, .dim0 = 2, .dim1 = 3},
                                      TableShape{.element_bytes = element_bytes, .rank = 2, .dim0 = 3, .dim1 = 2}}) {
        seen.insert(table_commitment(shape, leaf_bytes, root));
        ++count;
      }
    }
  }
  seen.insert(table_commitment({.element_bytes = 1, .rank = 0}, 64, digest_of(0x12)));
  EXPECT_EQ(seen.size(), count + 1);
}

TEST(TableShape, knows_which_shapes_exist) {
  EXPECT_TRUE((TableShape{.element_bytes = 1, .rank = 0}.is_valid()));
  EXPECT_TRUE((TableShape{.element_bytes = 16, .rank = 2, .dim0 = 1 << 20, .dim1 = (1 << 20) - 1}.is_valid()));
  EXPECT_TRUE((TableShape{.element_bytes = 4, .rank = 1, .dim0 = 0}.is_valid()));
  const TableShape refused[] = {{.element_bytes = 0, .rank = 0},
                                {.element_bytes = 3, .rank = 0},
                                {.element_bytes = 32, .rank = 0},
                                {.element_bytes = 4, .rank = 3},
                                {.element_bytes = 4, .rank = 0, .dim0 = 2},
                                {.element_bytes = 4, .rank = 1, .dim0 = 2, .dim1 = 2},
                                {.element_bytes = 4, .rank = 1, .dim0 = std::uint64_t{1} << 40},
                                {.element_bytes = 4, .rank = 2, .dim0 = 1 << 20, .dim1 = 1 << 20},
                                {.element_bytes = 4, .rank = 2, .dim0 = ~std::uint64_t{0}, .dim1 = 2}};
  for (const TableShape& shape : refused) {
    EXPECT_FALSE(shape.is_valid()) << int{shape.element_bytes} << ' ' << int{shape.rank} << ' ' << shape.dim0;
  }
}

TEST(TableShape, counts_leaves_with_a_shorter_last_one) {
  const TableShape shape{.element_bytes = 4, .rank = 1, .dim0 = 257};
  EXPECT_EQ(shape.data_bytes(), 1028U);
  EXPECT_EQ(shape.leaves(1024), 2U);
  EXPECT_EQ(shape.leaves(64), 17U);
  EXPECT_EQ((TableShape{.element_bytes = 4, .rank = 1, .dim0 = 256}.leaves(1024)), 1U);
  EXPECT_EQ((TableShape{.element_bytes = 4, .rank = 1, .dim0 = 0}.leaves(1024)), 0U);
  EXPECT_EQ((TableShape{.element_bytes = 4, .rank = 0}.leaves(1024)), 1U);
}

TEST(TableShape, leaf_sizes_are_powers_of_two_in_bounds) {
  for (const std::uint32_t size : {64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) EXPECT_TRUE(is_leaf_size(size));
  for (const std::uint32_t size : {0U, 1U, 32U, 63U, 65U, 96U, 1000U, 4095U, 8192U}) EXPECT_FALSE(is_leaf_size(size));
}

}  // namespace
}  // namespace tally::proof
