#include <algorithm>
#include <array>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/game/read_fields.h"

namespace tally::proof {

namespace {

void write(math::ByteWriter& writer, const Wei& amount) {
  writer.i128be(0);
  writer.i128be(static_cast<math::i128>(amount.value));
}

// Values up to the last that is not 0.
template <std::size_t N>
void write(math::ByteWriter& writer, const std::array<math::i128, N>& values) {
  std::size_t count = N;
  while (count > 0 && values[count - 1] == 0) --count;
  writer.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) writer.i128be(values[i]);
}

// False where there are too many, or the last is 0.
template <std::size_t N>
[[nodiscard]] bool read(math::ByteReader& reader, std::array<math::i128, N>& values) {
  const std::size_t count = reader.u8();
  if (count > N) return false;
  for (std::size_t i = 0; i < count; ++i) values[i] = reader.i128be();
  return count == 0 || values[count - 1] != 0;
}

void write(math::ByteWriter& writer, const Descent& descent) {
  writer.u16be(descent.object);
  writer.u64be(descent.first_leaf);
  writer.u64be(descent.leaves);
  writer.raw(descent.node.bytes);
  writer.u8(descent.located ? 1 : 0);
  writer.u8(static_cast<std::uint8_t>(descent.children.size()));
  for (const Digest& child : descent.children) writer.raw(child.bytes);
}

[[nodiscard]] bool read(math::ByteReader& reader, Descent& descent) {
  descent.object = reader.u16be();
  descent.first_leaf = reader.u64be();
  descent.leaves = reader.u64be();
  read_digest(reader, descent.node);
  const std::uint8_t located = reader.u8();
  descent.located = located == 1;
  const std::size_t children = reader.u8();
  if (located > 1 || children > kMaxChildren) return false;
  descent.children.resize(children);
  for (Digest& child : descent.children) read_digest(reader, child);
  return true;
}

bool is_zero(const auto& values) {
  return std::ranges::all_of(values, [](math::i128 value) { return value == 0; });
}

// Whether one table's part can stand in a game of that phase.
bool is_consistent(const Descent& descent, Phase phase) {
  // Neither place nor number of leaves exceeds that of elements, so sums of the two stay far from 2^64.
  if (descent.leaves == 0 || descent.leaves > kMaxTableElements || descent.first_leaf > kMaxTableElements) return false;
  if (descent.located) return descent.leaves == 1 && descent.children.empty();
  switch (phase) {
    case Phase::kReveal:
      return descent.children.empty();
    case Phase::kDescend: {
      const std::uint64_t block = reveal_block(descent.leaves);
      return descent.leaves > 1 && descent.children.size() == (descent.leaves + block - 1) / block;
    }
    case Phase::kChoose:
    case Phase::kRespond:
    case Phase::kNarrow:
    case Phase::kProve:
      return false;
  }
  return false;
}

bool is_consistent_descent(const Game& game) {
  const auto located = [](const Descent& descent) { return descent.located; };
  const bool all_located = std::ranges::all_of(game.descents, located);
  return !game.descents.empty() && all_located == (game.phase == Phase::kChoose) && game.entry == kNoEntry &&
         game.low == 0 && game.high == 0 && is_zero(game.at_low) && is_zero(game.at_high) && is_zero(game.results) &&
         game.claims.empty() &&
         std::ranges::adjacent_find(game.descents, std::ranges::greater_equal{}, &Descent::object) ==
             game.descents.end() &&
         std::ranges::all_of(game.descents, [&](const Descent& descent) { return is_consistent(descent, game.phase); });
}

bool is_consistent(const Game& game) {
  switch (game.phase) {
    case Phase::kReveal:
    case Phase::kDescend:
    case Phase::kChoose:
      return is_consistent_descent(game);
    case Phase::kRespond:
    case Phase::kNarrow:
    case Phase::kProve:
      return game.descents.empty() && game.low < game.high &&
             (game.high - game.low == 1) == (game.phase == Phase::kProve) &&
             (game.claims.empty() || game.phase == Phase::kNarrow);
  }
  return false;
}

std::unexpected<ChainRefusal> malformed(const char* what) {
  return refuse(Reason::kMalformed, std::string("game: ") + what);
}

}  // namespace

std::vector<std::uint8_t> encode(const Game& game) {
  TALLY_ASSERT(game.claims.size() <= kMaxClaimBytes);
  TALLY_ASSERT(game.descents.size() <= kMaxDescents);
  math::ByteWriter writer;
  writer.raw(game.id.digest.bytes);
  writer.raw(game.task.digest.bytes);
  writer.raw(game.batch.digest.bytes);
  writer.raw(game.poster.bytes);
  writer.raw(game.delegate.bytes);
  writer.raw(game.challenger.bytes);
  write(writer, game.bond);
  writer.u8(static_cast<std::uint8_t>(game.phase));
  writer.u64be(game.poster_clock_s);
  writer.u64be(game.challenger_clock_s);
  writer.u64be(game.moved_at_s);
  writer.u16be(game.item);
  writer.u64be(game.entry);
  writer.u64be(game.low);
  writer.u64be(game.high);
  write(writer, game.at_low);
  write(writer, game.at_high);
  write(writer, game.results);
  writer.u16be(static_cast<std::uint16_t>(game.claims.size()));
  writer.raw(game.claims);
  writer.u8(static_cast<std::uint8_t>(game.descents.size()));
  for (const Descent& descent : game.descents) write(writer, descent);
  return writer.take();
}

OrRefused<Game> decode_game(math::Bytes bytes) {
  math::ByteReader reader(bytes);
  Game game;
  read_digest(reader, game.id.digest);
  read_digest(reader, game.task.digest);
  read_digest(reader, game.batch.digest);
  read_address(reader, game.poster);
  read_address(reader, game.delegate);
  read_address(reader, game.challenger);
  if (reader.i128be() != 0) return malformed("a bond of 2^128 wei or more");
  game.bond.value = static_cast<math::u128>(reader.i128be());
  const std::uint8_t phase = reader.u8();
  if (phase > static_cast<std::uint8_t>(Phase::kProve)) return malformed("an unknown phase");
  game.phase = static_cast<Phase>(phase);
  game.poster_clock_s = reader.u64be();
  game.challenger_clock_s = reader.u64be();
  game.moved_at_s = reader.u64be();
  game.item = reader.u16be();
  game.entry = reader.u64be();
  game.low = reader.u64be();
  game.high = reader.u64be();
  if (!read(reader, game.at_low) || !read(reader, game.at_high) || !read(reader, game.results))
    return malformed("values that are too many, or end in 0");
  const std::size_t claim_bytes = reader.u16be();
  if (claim_bytes > kMaxClaimBytes) return malformed("more claims than any game has");
  const math::Bytes claims = reader.raw(claim_bytes);
  game.claims.assign(claims.begin(), claims.end());
  const std::size_t descents = reader.u8();
  if (descents > kMaxDescents) return malformed("too many tables under descent");
  game.descents.resize(descents);
  for (Descent& descent : game.descents) {
    if (!read(reader, descent)) return malformed("a table under descent that is neither located nor not");
  }
  if (!reader.finished()) return malformed(reader.ok() ? "bytes behind its end" : "it ends within a field");
  if (!is_consistent(game)) return malformed("parts that no game of its phase has");
  return game;
}

Digest game_hash(const Game& game) {
  math::ByteWriter writer = tagged(HashTag::kGameState);
  writer.raw(encode(game));
  return math::sha256(writer.view());
}

}  // namespace tally::proof
