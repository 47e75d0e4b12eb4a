#include "verifier/replay/missing_parts.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <vector>

namespace tally::verifier {
namespace {

using Leaf = proof::OpeningKey;

const std::vector<MissingPart> kParts = {{.object = 0, .records = 2},
                                         {.object = 3, .first_record = 5, .records = 2, .leaves = 2},
                                         {.object = 3, .first_record = 9, .records = 1, .leaves = 2},
                                         {.object = 4, .leaves = 0},
                                         {.object = 5, .leaves = 1}};

TEST(MissingParts, are_walked_leaf_by_leaf) {
  const std::vector<Leaf> expected = {{.object = 0, .record = 0, .leaf = 0}, {.object = 0, .record = 1, .leaf = 0},
                                      {.object = 3, .record = 5, .leaf = 0}, {.object = 3, .record = 5, .leaf = 1},
                                      {.object = 3, .record = 6, .leaf = 0}, {.object = 3, .record = 6, .leaf = 1},
                                      {.object = 3, .record = 9, .leaf = 0}, {.object = 3, .record = 9, .leaf = 1},
                                      {.object = 5, .record = 0, .leaf = 0}};
  EXPECT_EQ(leaf_count(kParts), math::i128{expected.size()});
  const auto none = [](const Leaf&) { return false; };
  std::set<Leaf> taken;
  const auto is_taken = [&](const Leaf& leaf) { return taken.contains(leaf); };
  for (std::size_t n = 0; n < expected.size(); ++n) {
    EXPECT_EQ(first_leaf_but(none, kParts, math::i128{n}), expected[n]) << n;
    EXPECT_EQ(first_leaf_but(is_taken, kParts, 0), expected[n]) << n;
    taken.insert(expected[n]);
  }
  EXPECT_EQ(first_leaf_but(none, kParts, math::i128{expected.size()}), std::nullopt);
  EXPECT_EQ(first_leaf_but(is_taken, kParts, 0), std::nullopt);
}

TEST(MissingParts, hold_the_records_of_an_object) {
  struct Case {
    math::ObjectId object;
    std::uint32_t record;
    bool lacks;
  };
  for (const Case& c : std::vector<Case>{{0, 0, true},
                                         {0, 1, true},
                                         {0, 2, false},
                                         {1, 0, false},
                                         {3, 4, false},
                                         {3, 5, true},
                                         {3, 6, true},
                                         {3, 7, false},
                                         {3, 9, true},
                                         {3, 10, false},
                                         {5, 0, true},
                                         {6, 0, false}}) {
    EXPECT_EQ(lacks(kParts, c.object, c.record), c.lacks) << c.object << " " << c.record;
  }
  EXPECT_FALSE(lacks({}, 0, 0));
}

}  // namespace
}  // namespace tally::verifier
