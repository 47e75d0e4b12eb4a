#include "deterministic_math/numbers/int128.h"

#include <gtest/gtest.h>

namespace tally::math {
namespace {

TEST(Int128, writes_and_parses_the_extremes) {
  EXPECT_EQ(to_string(kI128Max), "170141183460469231731687303715884105727");
  EXPECT_EQ(to_string(kI128Min), "-170141183460469231731687303715884105728");
  for (const i128 value : {kI128Min, kI128Min + 1, i128{-1}, i128{0}, i128{10}, kI128Max}) {
    EXPECT_EQ(parse_i128(to_string(value)), value);
  }
}

TEST(Int128, refuses_what_it_would_not_write) {
  for (const char* text : {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "0x1", "1_0",
                           "170141183460469231731687303715884105728", "-170141183460469231731687303715884105729"}) {
    EXPECT_EQ(parse_i128(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tally::math
