#include "chain_adapter/keys/development_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/hex.h"

namespace tally::chain {
namespace {

// Known answers come from a second implementation in Python.
TEST(DevelopmentKeys, are_the_documented_digests) {
  struct Case {
    std::uint64_t number;
    const char* key;
  };
  const Case cases[] = {{0, "ca790cf4fc1419727f54869ac02b04f69ec954c6e0e474aca5d4e412a54cd3ab"},
                        {1, "a2b7dbcab9228d81917a315ea5c2654b0b530e848540bcde7f4ade19b5edbba7"},
                        {~std::uint64_t{0}, "e4ecd8107ae7ae4d54fcf5c31d2d686029e4c1118c6153b7efaadba4f8f1eb41"}};
  for (const Case& c : cases) {
    EXPECT_TRUE(std::ranges::equal(development_key(c.number).bytes(), test::hex<32>(c.key))) << c.number;
  }
}

TEST(DevelopmentKeys, have_different_addresses) {
  std::set<proof::Address> addresses;
  for (std::uint64_t i = 0; i < 100; ++i) addresses.insert(development_key(i).address());
  EXPECT_EQ(addresses.size(), 100U);
}

}  // namespace
}  // namespace tally::chain
