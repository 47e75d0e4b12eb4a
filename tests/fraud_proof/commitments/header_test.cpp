#include "fraud_proof/commitments/header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

Address address_of_byte(std::uint8_t byte) {
  Address address;
  address.bytes.fill(byte);
  return address;
}

BatchHeader example() {
  return {.task = {digest_of(0x21)},
          .number = 258,
          .parent = {digest_of(0x22)},
          .record_count = 1000,
          .records_root = digest_of(0x23),
          .prev_state_root = {digest_of(0x24)},
          .next_state_root = {digest_of(0x25)},
          .tables_root = digest_of(0x26),
          .poster = address_of_byte(0x27)};
}

// Known answers come from a second implementation of the layouts in Python.
TEST(BatchHeader, gives_the_known_hashes) {
  const BatchId id = batch_id(example());
  EXPECT_EQ(id.digest.bytes, hex<32>("bcb8a86f330bd815f2e6d64936f8a4ef5d5cb726910c0a317569e748fecf51fe"));
  EXPECT_EQ(keeper_message(id).bytes, hex<32>("21f61c411d0d41276dec0bc12f2d713252a7b037f6064a345d17d794e40f6576"));
  EXPECT_EQ(batch_seed(digest_of(0x31), {digest_of(0x22)}).bytes,
            hex<32>("be000c6c02276739b42a24a5036458a3e0c408a1260b62496e881d123fb61302"));
  const GameKey key{
      .batch = id, .challenger = address_of_byte(0x32), .body = 7, .index = 123'456'789, .salt = digest_of(0x33)};
  EXPECT_EQ(game_id(key).digest.bytes, hex<32>("005e73e85cba774ce8e21f903819c37d49fc0041b44cd31d2512db794cf1dd98"));
}

TEST(BatchHeader, round_trips) {
  EXPECT_EQ(decode_header(encode(example())).value(), example());
  BatchHeader largest = example();
  largest.number = kLastBatch;
  largest.record_count = ~std::uint64_t{0};
  EXPECT_EQ(decode_header(encode(largest)).value(), largest);
}

TEST(BatchHeader, refuses_each_kind_of_wrong_bytes_by_name) {
  const HeaderBytes good = encode(example());
  // Word and byte changed, and the one reason for it.
  struct Case {
    std::size_t word;
    std::size_t byte;
    HeaderReason reason;
  };
  const Case cases[] = {{0, 31, HeaderReason::kVersion},           {0, 0, HeaderReason::kVersion},
                        {0, 23, HeaderReason::kVersion},           {2, 0, HeaderReason::kNumberPadding},
                        {2, 23, HeaderReason::kNumberPadding},     {2, 24, HeaderReason::kNumberOutOfRange},
                        {4, 0, HeaderReason::kRecordCountPadding}, {4, 23, HeaderReason::kRecordCountPadding},
                        {9, 0, HeaderReason::kPosterPadding},      {9, 11, HeaderReason::kPosterPadding}};
  std::set<HeaderReason> seen;
  for (const Case& c : cases) {
    HeaderBytes bytes = good;
    bytes[c.word * 32 + c.byte] ^= 0x80;
    const auto decoded = decode_header(bytes);
    ASSERT_FALSE(decoded.has_value()) << c.word << ' ' << c.byte;
    EXPECT_EQ(decoded.error().reason, c.reason) << c.word << ' ' << c.byte;
    seen.insert(decoded.error().reason);
  }
  BatchHeader zeroth = example();
  zeroth.number = 0;
  EXPECT_EQ(decode_header(encode(zeroth)).error().reason, HeaderReason::kNumberOutOfRange);
  zeroth.number = kLastBatch + 1;
  EXPECT_EQ(decode_header(encode(zeroth)).error().reason, HeaderReason::kNumberOutOfRange);

  std::vector<std::uint8_t> longer(good.begin(), good.end());
  longer.push_back(0);
  for (const std::size_t size : {std::size_t{0}, std::size_t{319}, std::size_t{321}}) {
    const auto decoded = decode_header(math::Bytes(longer).first(size));
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().reason, HeaderReason::kSize);
    seen.insert(decoded.error().reason);
  }
  EXPECT_EQ(seen.size(), 6U) << "a reason is not covered";
}

// Pitfall 6: no header has two encodings, and no two headers share an id.
TEST(BatchHeader, any_changed_byte_is_refused_or_gives_another_header_and_id) {
  const HeaderBytes good = encode(example());
  std::set<BatchId> ids{batch_id(example())};
  std::size_t accepted = 1;
  for (std::size_t i = 0; i < good.size(); ++i) {
    HeaderBytes bytes = good;
    bytes[i] ^= 0x01;
    const auto decoded = decode_header(bytes);
    if (!decoded) continue;
    EXPECT_NE(*decoded, example()) << i;
    EXPECT_EQ(encode(*decoded), bytes) << i;
    ids.insert(batch_id(*decoded));
    ++accepted;
  }
  EXPECT_EQ(ids.size(), accepted);
  // Six digests, the poster, 64 bits of K, and those of the low 40 bits of the number.
  EXPECT_EQ(accepted, 1U + 6 * 32 + 20 + 8 + 5);
}

TEST(GameKey, each_part_gives_another_game) {
  const GameKey base{};
  std::set<GameId> ids{game_id(base)};
  GameKey key = base;
  key.batch.digest.bytes[0] = 1;
  ids.insert(game_id(key));
  key = base;
  key.challenger.bytes[0] = 1;
  ids.insert(game_id(key));
  key = base;
  key.body = 1;
  ids.insert(game_id(key));
  key = base;
  key.index = 1;
  ids.insert(game_id(key));
  key = base;
  key.salt.bytes[0] = 1;
  ids.insert(game_id(key));
  EXPECT_EQ(ids.size(), 6U);
}

}  // namespace
}  // namespace tally::proof
