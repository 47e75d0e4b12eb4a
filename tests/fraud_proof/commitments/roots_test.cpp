#include "fraud_proof/commitments/roots.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

std::vector<Digest> commitments(std::size_t count) {
  std::vector<Digest> list(count);
  for (std::size_t i = 0; i < count; ++i) list[i].bytes.fill(static_cast<std::uint8_t>(i + 1));
  return list;
}

// Known answers come from a second implementation in Python.
TEST(Roots, of_lists_of_commitments_are_rfc_9162_trees_over_32_byte_leaves) {
  EXPECT_EQ(tables_root({}).bytes, hex<32>("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  EXPECT_EQ(tables_root(commitments(1)).bytes,
            hex<32>("dcffe786ded16d283c663846ad0c4ff26558fccde36ca9d30b2ea19eade9fc0e"));
  EXPECT_EQ(tables_root(commitments(3)).bytes,
            hex<32>("df896896c799531f1fd1e556cea26a6989ab06853bcbfdd3e4f5097a611f658f"));
  EXPECT_EQ(state_root(commitments(3)).digest, tables_root(commitments(3)));
}

TEST(Roots, depend_on_order) {
  std::vector<Digest> list = commitments(3);
  std::swap(list[0], list[2]);
  EXPECT_NE(state_root(list), state_root(commitments(3)));
}

TEST(Roots, a_record_is_one_leaf) {
  math::ThreadPool pool(1);
  const std::vector<std::uint8_t> records = {1, 2, 3, 4, 5, 6};
  const auto node = [](const Digest& left, const Digest& right) {
    std::vector<std::uint8_t> bytes = {1};
    bytes.insert(bytes.end(), left.bytes.begin(), left.bytes.end());
    bytes.insert(bytes.end(), right.bytes.begin(), right.bytes.end());
    return math::sha256(bytes);
  };
  const Digest first = math::sha256(std::vector<std::uint8_t>{0, 1, 2, 3});
  const Digest second = math::sha256(std::vector<std::uint8_t>{0, 4, 5, 6});
  EXPECT_EQ(records_root(records, 3, pool), node(first, second));
  EXPECT_EQ(records_root({}, 3, pool), math::sha256({}));
}

}  // namespace
}  // namespace tally::proof
