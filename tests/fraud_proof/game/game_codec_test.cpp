#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fraud_proof/game/game.h"

namespace tally::proof {
namespace {

Digest digest_of(std::uint8_t first) {
  Digest digest;
  digest.bytes[0] = first;
  digest.bytes[31] = 9;
  return digest;
}

Game narrowing() {
  Game game;
  game.id = {digest_of(1)};
  game.task = {digest_of(2)};
  game.batch = {digest_of(3)};
  game.poster = {{4}};
  game.delegate = {{5}};
  game.challenger = {{6}};
  game.bond = {~math::u128{0}};
  game.phase = Phase::kNarrow;
  game.poster_clock_s = 1000;
  game.challenger_clock_s = 900;
  game.moved_at_s = 77;
  game.item = 2;
  game.entry = 12345;
  game.low = 10;
  game.high = 20;
  game.at_low = {1, 0, -3};
  game.results = {0, 5};
  game.claims = {1, 2, 3, 4};
  return game;
}

Game proving() {
  Game game = narrowing();
  game.phase = Phase::kProve;
  game.high = 11;
  game.results = {};
  game.at_high = {math::kI128Min, 0, 0, 0, 0, 0, 0, math::kI128Max};
  game.claims.clear();
  return game;
}

Game descending() {
  Game game = narrowing();
  game.phase = Phase::kDescend;
  game.entry = kNoEntry;
  game.low = game.high = 0;
  game.at_low = {};
  game.results = {};
  game.claims.clear();
  game.descents = {
      {.object = 5,
       .first_leaf = 16,
       .leaves = 3,
       .node = digest_of(7),
       .children = {digest_of(8), digest_of(9), digest_of(10)}},
      {.object = 6, .first_leaf = 1, .leaves = 1, .node = digest_of(11), .located = true},
      {.object = 9, .first_leaf = 0, .leaves = 17, .node = digest_of(12), .children = std::vector(9, digest_of(13))}};
  return game;
}

Game revealing() {
  Game game = descending();
  game.phase = Phase::kReveal;
  for (Descent& descent : game.descents) descent.children.clear();
  return game;
}

Game choosing() {
  Game game = revealing();
  game.phase = Phase::kChoose;
  game.descents = {game.descents[1]};
  return game;
}

std::vector<Game> examples() { return {narrowing(), proving(), descending(), revealing(), choosing()}; }

TEST(GameCodec, what_is_written_is_read) {
  for (const Game& game : examples()) {
    const auto decoded = decode_game(encode(game));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, game);
  }
}

// The layout of docs/spec.md, byte for byte.
TEST(GameCodec, fields_stand_where_the_specification_says) {
  const Game game = narrowing();
  math::ByteWriter expected;
  for (const Digest& digest : {game.id.digest, game.task.digest, game.batch.digest}) expected.raw(digest.bytes);
  for (const Address& address : {game.poster, game.delegate, game.challenger}) expected.raw(address.bytes);
  expected.i128be(0);
  expected.i128be(-1);
  expected.u8(4);
  expected.u64be(1000);
  expected.u64be(900);
  expected.u64be(77);
  expected.u16be(2);
  expected.u64be(12345);
  expected.u64be(10);
  expected.u64be(20);
  expected.u8(3);
  for (const int value : {1, 0, -3}) expected.i128be(value);
  expected.u8(0);
  expected.u8(2);
  for (const int value : {0, 5}) expected.i128be(value);
  expected.u16be(4);
  expected.raw(game.claims);
  expected.u8(0);
  EXPECT_EQ(encode(game), expected.take());

  math::ByteWriter hashed;
  hashed.u8(0x08);
  hashed.raw(encode(game));
  EXPECT_EQ(game_hash(game), math::sha256(hashed.view()));
}

TEST(GameCodec, a_table_under_descent_is_its_node_and_what_lies_below) {
  const Game game = choosing();
  math::ByteWriter expected;
  expected.u8(1);
  expected.u16be(6);
  expected.u64be(1);
  expected.u64be(1);
  expected.raw(game.descents[0].node.bytes);
  expected.u8(1);
  expected.u8(0);
  const auto bytes = encode(game);
  const auto tail = expected.take();
  EXPECT_TRUE(std::ranges::equal(math::Bytes(bytes).last(tail.size()), tail));
}

TEST(GameCodec, no_other_bytes_are_a_game) {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const Game& game : examples()) {
    const auto good = encode(game);
    for (std::size_t place = 0; place < good.size(); ++place) {
      for (const unsigned change : {0x01U, 0x02U, 0x80U, 0xffU}) {
        auto bytes = good;
        bytes[place] = static_cast<std::uint8_t>(bytes[place] ^ change);
        const auto decoded = decode_game(bytes);
        if (decoded) {
          EXPECT_EQ(encode(*decoded), bytes);
          EXPECT_NE(game_hash(*decoded), game_hash(game));
          ++accepted;
        } else {
          EXPECT_EQ(decoded.error().reason, Reason::kMalformed);
          EXPECT_FALSE(decoded.error().message.empty());
          ++refused;
        }
      }
      const auto cut = decode_game(math::Bytes(good).first(place));
      ASSERT_FALSE(cut.has_value());
      EXPECT_EQ(cut.error().reason, Reason::kMalformed);
    }
    auto longer = good;
    longer.push_back(0);
    EXPECT_FALSE(decode_game(longer).has_value());
  }
  EXPECT_GT(accepted, 1000U);
  EXPECT_GT(refused, 100U);
}

// Each line breaks one rule that every game keeps.
TEST(GameCodec, states_that_no_game_has_are_refused) {
  const auto refused = [](Game game, auto&& change) {
    change(game);
    return !decode_game(encode(game)).has_value();
  };
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.low = game.high; }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.low = game.high + 1; }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.high = game.low + 1; }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.phase = Phase::kRespond; }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.phase = Phase::kReveal; }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.phase = static_cast<Phase>(6); }));
  EXPECT_TRUE(refused(narrowing(), [](Game& game) { game.descents = choosing().descents; }));
  EXPECT_TRUE(refused(proving(), [](Game& game) { game.high += 1; }));
  EXPECT_TRUE(refused(proving(), [](Game& game) { game.claims = {1}; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents.clear(); }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.entry = 3; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.high = 1; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.at_low[7] = 1; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.at_high[0] = 1; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.results[15] = 1; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.claims = {1}; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[0].object = 6; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[0].children.pop_back(); }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[0].leaves = 0; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[1].leaves = 2; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[1].located = false; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[0].first_leaf = ~std::uint64_t{0}; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) { game.descents[0].leaves = ~std::uint64_t{0}; }));
  EXPECT_TRUE(refused(descending(), [](Game& game) {
    game.descents[0] = {.object = 5, .leaves = 1, .node = digest_of(7), .children = {digest_of(1)}};
  }));
  EXPECT_TRUE(refused(revealing(), [](Game& game) { game.descents[0].children.resize(3); }));
  EXPECT_TRUE(refused(revealing(), [](Game& game) { game.descents = choosing().descents; }));
  EXPECT_TRUE(refused(choosing(), [](Game& game) { game.descents[0].located = false; }));
  EXPECT_TRUE(refused(choosing(), [](Game& game) { game.descents[0].children.resize(1); }));
}

std::vector<Move> moves() {
  return {Reveal{},
          Reveal{.answers = {{.nodes = {digest_of(1), digest_of(2)}, .leaf = {}}, {.nodes = {}, .leaf = {1, 2, 3}}}},
          Descend{},
          Descend{.children = {0, 15, 3}},
          Choose{.item = 3, .entry = 1U << 30, .openings = {9, 8}},
          Respond{},
          Respond{.claims = {1, 2, 3}},
          Narrow{.segment = 63},
          Prove{},
          Prove{.witness = {5}},
          NarrowAndProve{.segment = 2, .witness = {6, 7}}};
}

TEST(MoveCodec, what_is_written_is_read_and_no_more) {
  for (const Move& move : moves()) {
    math::ByteWriter writer;
    encode(move, writer);
    const auto good = writer.take();
    math::ByteReader reader(good);
    const auto decoded = decode_move(reader);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, move);
    EXPECT_TRUE(reader.finished());

    auto longer = good;
    longer.push_back(1);
    math::ByteReader with_rest(longer);
    EXPECT_EQ(decode_move(with_rest).value(), move);
    EXPECT_EQ(with_rest.remaining(), 1U);

    for (std::size_t size = 0; size < good.size(); ++size) {
      math::ByteReader cut(math::Bytes(good).first(size));
      const auto refused = decode_move(cut);
      ASSERT_FALSE(refused.has_value()) << size;
      EXPECT_EQ(refused.error().reason, Reason::kMalformed);
    }
  }
}

TEST(MoveCodec, kinds_have_their_wire_values) {
  std::vector<std::uint8_t> tags;
  for (const Move& move : moves()) {
    math::ByteWriter writer;
    encode(move, writer);
    tags.push_back(writer.view()[0]);
  }
  EXPECT_EQ(tags, (std::vector<std::uint8_t>{0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6}));
}

TEST(MoveCodec, moves_larger_than_any_game_takes_are_refused) {
  const auto refused = [](auto&& write) {
    math::ByteWriter writer;
    write(writer);
    const auto bytes = writer.take();
    math::ByteReader reader(bytes);
    const auto move = decode_move(reader);
    return !move && move.error().reason == Reason::kMalformed;
  };
  EXPECT_TRUE(refused([](math::ByteWriter& writer) { writer.u8(7); }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) { writer.u8(255); }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(0);
    writer.u8(static_cast<std::uint8_t>(kMaxDescents + 1));
    writer.raw(std::vector<std::uint8_t>(3 * (kMaxDescents + 1)));
  }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(0);
    writer.u8(1);
    writer.u8(17);
    writer.raw(std::vector<std::uint8_t>(std::size_t{17} * 32 + 2));
  }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(0);
    writer.u8(1);
    writer.u8(0);
    writer.u16be(kMaxLeafBytes + 1);
    writer.raw(std::vector<std::uint8_t>(kMaxLeafBytes + 1));
  }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(1);
    writer.u8(static_cast<std::uint8_t>(kMaxDescents + 1));
    writer.raw(std::vector<std::uint8_t>(kMaxDescents + 1));
  }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(3);
    writer.u16be(static_cast<std::uint16_t>(kMaxClaimBytes + 1));
    writer.raw(std::vector<std::uint8_t>(kMaxClaimBytes + 1));
  }));
  EXPECT_TRUE(refused([](math::ByteWriter& writer) {
    writer.u8(5);
    writer.u32be(kMaxOpeningsBytes + 1);
    writer.raw(std::vector<std::uint8_t>(kMaxOpeningsBytes + 1));
  }));
}

}  // namespace
}  // namespace tally::proof
