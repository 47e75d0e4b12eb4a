#include "deterministic_math/numbers/prf.h"

#include <gtest/gtest.h>

namespace tally::math {
namespace {

// Vectors from an independent SHA-256 of the documented message.
TEST(Prf, gives_the_documented_words) {
  struct Vector {
    i128 a, b, c, word;
  };
  const Vector vectors[] = {
      {0, 0, 0, 1212467713},
      {0, 0, 7, 3820897271},
      {0, 0, 8, 2798197963},
      {-1, 1, 3, 2610979479},
      {kI128Min, kI128Max, (i128{1} << 63) - 1, 370357807},
  };
  for (const Vector& vector : vectors) EXPECT_EQ(prf(vector.a, vector.b, vector.c), vector.word);
}

TEST(Prf, is_0_for_a_counter_outside_its_domain) {
  EXPECT_EQ(prf(1, 2, -1), 0);
  EXPECT_EQ(prf(1, 2, i128{1} << 63), 0);
  EXPECT_EQ(prf(1, 2, kI128Min), 0);
  EXPECT_NE(prf(1, 2, (i128{1} << 63) - 1), 0);
}

TEST(Prf, shares_one_digest_between_eight_counters) {
  const Digest digest = prf_block(5, -6, 3);
  for (unsigned word = 0; word < kPrfWords; ++word) EXPECT_EQ(prf(5, -6, 24 + word), prf_word(digest, word));
}

}  // namespace
}  // namespace tally::math
