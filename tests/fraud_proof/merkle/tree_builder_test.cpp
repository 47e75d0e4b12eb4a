#include "fraud_proof/merkle/tree_builder.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "fraud_proof/merkle/tree.h"

namespace tally::proof {
namespace {

std::vector<std::uint8_t> sample(std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  std::uint32_t value = 3;
  for (auto& byte : data) byte = static_cast<std::uint8_t>((value = value * 1664525 + 1013904223) >> 24);
  return data;
}

Digest built_in_pieces(Bytes data, std::size_t leaf_bytes, std::size_t piece) {
  TreeBuilder builder(leaf_bytes);
  for (std::size_t i = 0; i < data.size(); i += piece)
    builder.append(data.subspan(i, std::min(piece, data.size() - i)));
  EXPECT_EQ(builder.appended_bytes(), data.size());
  return builder.finish();
}

TEST(TreeBuilder, gives_the_root_of_every_size_up_to_300_leaves_pitfall_4) {
  const std::vector<std::uint8_t> data = sample(300 * 4);
  for (std::size_t size = 0; size <= data.size(); ++size) {
    const Bytes bytes = Bytes(data).first(size);
    ASSERT_EQ(built_in_pieces(bytes, 4, 10), tree_root_of_bytes(bytes, 4)) << size;
  }
}

TEST(TreeBuilder, gives_the_root_of_long_streams_in_pieces_of_any_size) {
  const std::vector<std::uint8_t> data = sample(1'500'003);
  for (const std::size_t leaf_bytes : {64U, 100U, 1024U, 4096U}) {
    const Digest expected = tree_root_of_bytes(data, leaf_bytes);
    for (const std::size_t piece : {1000U, 1024U, 4096U, 65535U, 65536U, 65537U, 700'000U, 2'000'000U}) {
      ASSERT_EQ(built_in_pieces(data, leaf_bytes, piece), expected) << leaf_bytes << " in pieces of " << piece;
    }
  }
}

TEST(TreeBuilder, starts_anew_after_finish) {
  const std::vector<std::uint8_t> data = sample(5000);
  TreeBuilder builder(64);
  builder.append(data);
  EXPECT_EQ(builder.finish(), tree_root_of_bytes(data, 64));
  EXPECT_EQ(builder.finish(), empty_tree_root());
  builder.append(Bytes(data).first(65));
  EXPECT_EQ(builder.appended_bytes(), 65U);
  EXPECT_EQ(builder.finish(), tree_root_of_bytes(Bytes(data).first(65), 64));
}

RC_GTEST_PROP(TreeBuilder, gives_the_same_root_however_the_stream_is_cut, ()) {
  const auto leaf_bytes = static_cast<std::size_t>(*rc::gen::inRange(1, 200));
  const auto pieces = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 20'000));
  std::size_t size = 0;
  for (const std::size_t piece : pieces) size += piece;
  const std::vector<std::uint8_t> data = sample(size);
  TreeBuilder builder(leaf_bytes);
  std::size_t offset = 0;
  for (const std::size_t piece : pieces) {
    builder.append(Bytes(data).subspan(offset, piece));
    offset += piece;
  }
  RC_ASSERT(builder.finish() == tree_root_of_bytes(data, leaf_bytes));
}

}  // namespace
}  // namespace tally::proof
