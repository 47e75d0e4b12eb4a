#include "chain_adapter/chain/wei_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tally::chain {
namespace {

using math::u128;

constexpr u128 kEther = 1'000'000'000'000'000'000;
constexpr u128 kMost = ~u128{0};

TEST(WeiText, writes_amounts_in_the_unit_that_reads_best) {
  struct Row {
    u128 amount;
    std::string_view wei;
    std::string_view with_unit;
  };
  const Row rows[] = {
      {0, "0", "0 wei"},
      {7, "7", "7 wei"},
      {999'999, "999999", "999999 wei"},
      {1'000'000, "1000000", "0.001 gwei"},
      {20'500'000'000, "20500000000", "20.5 gwei"},
      {kEther / 1000, "1000000000000000", "0.001 ether"},
      {3 * kEther / 2, "1500000000000000000", "1.5 ether"},
      {10'000 * kEther, "10000000000000000000000", "10000 ether"},
      {kMost, "340282366920938463463374607431768211455", "340282366920938463463.374607431768211455 ether"}};
  for (const Row& row : rows) {
    EXPECT_EQ(to_text(proof::Wei{row.amount}), row.wei);
    EXPECT_EQ(to_text_with_unit(proof::Wei{row.amount}), row.with_unit);
  }
}

TEST(WeiText, reads_amounts_with_and_without_a_unit) {
  const std::pair<std::string_view, u128> rows[] = {{"0", 0},
                                                    {"007", 7},
                                                    {"5wei", 5},
                                                    {"5 wei", 5},
                                                    {"20gwei", 20'000'000'000},
                                                    {"0.000000001 gwei", 1},
                                                    {"1.5ether", 3 * kEther / 2},
                                                    {"340282366920938463463374607431768211455", kMost}};
  for (const auto& [text, amount] : rows) {
    const auto parsed = parse_wei(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->value, amount) << text;
  }
}

TEST(WeiText, refuses_what_is_no_amount) {
  for (const std::string_view text : {"", " ", "-1", "+1", "1e18", "0x10", "ether", ".5ether", "1.ether", "1.2.3ether",
                                      "1 000", "5  wei", "5 finney", "1,5ether", " 1", "1 "}) {
    const auto parsed = parse_wei(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find("not an amount"), std::string::npos) << text;
  }
  EXPECT_EQ(parse_wei("1.5").error(), "a fraction of a wei");
  EXPECT_EQ(parse_wei("0.0000000000000000001ether").error(), "a fraction of a wei");
  EXPECT_EQ(parse_wei("340282366920938463463374607431768211456").error(), "an amount of 2^128 wei or more");
  EXPECT_EQ(parse_wei("340282366920938463464ether").error(), "an amount of 2^128 wei or more");
}

RC_GTEST_PROP(WeiText, both_forms_are_read_back_exactly, (std::uint64_t high, std::uint64_t low)) {
  const auto shift = *rc::gen::inRange(0, 128);
  const proof::Wei amount{((u128{high} << 64) | low) >> shift};
  RC_ASSERT(parse_wei(to_text(amount)).value() == amount);
  RC_ASSERT(parse_wei(to_text_with_unit(amount)).value() == amount);
}

TEST(WeiText, adds_until_128_bits_are_full) {
  EXPECT_EQ(add({kMost - 1}, {1}), proof::Wei{kMost});
  EXPECT_FALSE(add({kMost}, {1}));
  EXPECT_FALSE(add({1}, {kMost}));
}

}  // namespace
}  // namespace tally::chain
