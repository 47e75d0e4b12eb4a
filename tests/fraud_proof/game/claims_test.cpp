#include <gtest/gtest.h>

#include "fraud_proof/game/game.h"

namespace tally::proof {
namespace {

using math::Accumulators;
using math::i128;
using math::Range;

math::Body body_of(std::vector<Range> ranges) {
  math::Body body;
  body.fold = math::FoldKind::kFold;
  body.init.assign(ranges.size(), 0);
  body.accumulators = std::move(ranges);
  return body;
}

TEST(Claims, a_width_is_the_fewest_bytes_that_hold_the_range) {
  struct Case {
    Range range;
    std::size_t width;
  };
  const Case cases[] = {
      {{0, 0}, 1},
      {{0, 127}, 1},
      {{-128, 127}, 1},
      {{0, 128}, 2},
      {{-129, 0}, 2},
      {{-32768, 32767}, 2},
      {{0, 32768}, 3},
      {{-8388608, 0}, 3},
      {{-8388609, 0}, 4},
      {{0, (i128{1} << 63)}, 9},
      {{-(i128{1} << 63), 0}, 8},
      {{0, (i128{1} << 119) - 1}, 15},
      {{0, i128{1} << 119}, 16},
      {{math::kI128Min, math::kI128Max}, 16},
      {{math::kI128Min, math::kI128Min}, 16},
      {{5, 6}, 1},
      {{-6, -5}, 1},
  };
  for (const Case& known : cases) EXPECT_EQ(accumulator_width(known.range), known.width);
}

TEST(Claims, are_big_endian_in_order_of_declaration) {
  const math::Body body = body_of({{-300, 300}, {0, 1}, {0, 1 << 20}});
  const std::vector<Accumulators> claims{{-2, 1, 0x10203}, {258, 0, 7}};
  const std::vector<std::uint8_t> bytes = encode_claims(body, claims);
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0xff, 0xfe, 1, 1, 2, 3, 1, 2, 0, 0, 0, 7}));
  EXPECT_EQ(decode_claims(body, 2, bytes).value(), claims);
}

TEST(Claims, hold_the_ends_of_every_width) {
  for (unsigned bits = 8; bits <= 128; bits += 8) {
    const i128 low = math::kI128Min >> (128 - bits);
    const i128 high = math::kI128Max >> (128 - bits);
    const math::Body body = body_of({{low, high}});
    EXPECT_EQ(accumulator_width({low, high}), bits / 8);
    const std::vector<Accumulators> claims{{low}, {high}, {0}, {-1}, {low + 1}};
    const auto bytes = encode_claims(body, claims);
    EXPECT_EQ(bytes.size(), 5 * bits / 8);
    EXPECT_EQ(decode_claims(body, 5, bytes).value(), claims);
  }
}

TEST(Claims, of_another_size_are_refused) {
  const math::Body body = body_of({{-300, 300}, {0, 1}});
  const std::vector<std::uint8_t> bytes(7, 0);
  for (std::size_t size = 0; size <= 7; ++size) {
    const auto claims = decode_claims(body, 2, math::Bytes(bytes).first(size));
    EXPECT_EQ(claims.has_value(), size == 6);
    if (!claims) {
      EXPECT_EQ(claims.error().reason, Reason::kClaimSize);
    }
  }
  EXPECT_TRUE(decode_claims(body_of({}), 5, {}).has_value());
  EXPECT_EQ(decode_claims(body, 0, {}).value().size(), 0U);
}

TEST(Claims, outside_the_proved_range_are_claims) {
  const math::Body body = body_of({{0, 100}});
  const std::vector<std::uint8_t> bytes{0x80, 0x7f};
  EXPECT_EQ(decode_claims(body, 2, bytes).value(), (std::vector<Accumulators>{{-128}, {127}}));
}

}  // namespace
}  // namespace tally::proof
