#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/game/read_fields.h"

namespace tally::proof {

namespace {

// Wire values; never renumbered.
enum class MoveTag : std::uint8_t {
  kReveal = 0,
  kDescend = 1,
  kChoose = 2,
  kRespond = 3,
  kNarrow = 4,
  kProve = 5,
  kNarrowAndProve = 6,
};

void write_tag(math::ByteWriter& writer, MoveTag tag) { writer.u8(static_cast<std::uint8_t>(tag)); }

/// Of any length: that a chain takes no such transaction is said by whoever submits it.
void write_long(math::ByteWriter& writer, math::Bytes bytes) {
  writer.u32be(static_cast<std::uint32_t>(bytes.size()));
  writer.raw(bytes);
}

void write_short(math::ByteWriter& writer, math::Bytes bytes) {
  TALLY_ASSERT(bytes.size() <= std::numeric_limits<std::uint16_t>::max());
  writer.u16be(static_cast<std::uint16_t>(bytes.size()));
  writer.raw(bytes);
}

void write(math::ByteWriter& writer, const Reveal& move) {
  TALLY_ASSERT(move.answers.size() <= kMaxDescents);
  write_tag(writer, MoveTag::kReveal);
  writer.u8(static_cast<std::uint8_t>(move.answers.size()));
  for (const Reveal::Answer& answer : move.answers) {
    TALLY_ASSERT(answer.nodes.size() <= kMaxChildren);
    TALLY_ASSERT(answer.leaf.size() <= kMaxLeafBytes);
    writer.u8(static_cast<std::uint8_t>(answer.nodes.size()));
    for (const Digest& node : answer.nodes) writer.raw(node.bytes);
    write_short(writer, answer.leaf);
  }
}

void write(math::ByteWriter& writer, const Descend& move) {
  TALLY_ASSERT(move.children.size() <= kMaxDescents);
  write_tag(writer, MoveTag::kDescend);
  writer.u8(static_cast<std::uint8_t>(move.children.size()));
  writer.raw(move.children);
}

void write(math::ByteWriter& writer, const Choose& move) {
  write_tag(writer, MoveTag::kChoose);
  writer.u16be(move.item);
  writer.u64be(move.entry);
  write_long(writer, move.openings);
}

void write(math::ByteWriter& writer, const Respond& move) {
  write_tag(writer, MoveTag::kRespond);
  write_short(writer, move.claims);
}

void write(math::ByteWriter& writer, const Narrow& move) {
  write_tag(writer, MoveTag::kNarrow);
  writer.u8(move.segment);
}

void write(math::ByteWriter& writer, const Prove& move) {
  write_tag(writer, MoveTag::kProve);
  write_long(writer, move.witness);
}

void write(math::ByteWriter& writer, const NarrowAndProve& move) {
  write_tag(writer, MoveTag::kNarrowAndProve);
  writer.u8(move.segment);
  write_long(writer, move.witness);
}

std::unexpected<ChainRefusal> malformed(const char* what) {
  return refuse(Reason::kMalformed, std::string("move: ") + what);
}

OrRefused<std::vector<std::uint8_t>> read_bytes(math::ByteReader& reader, std::size_t size, std::size_t limit) {
  if (size > limit) return malformed("longer than any that a game takes");
  const math::Bytes bytes = reader.raw(size);
  if (!reader.ok()) return malformed("it ends within a field");
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

OrRefused<Move> read_reveal(math::ByteReader& reader) {
  Reveal move;
  const std::size_t answers = reader.u8();
  if (answers > kMaxDescents) return malformed("too many answers");
  for (std::size_t i = 0; i < answers; ++i) {
    Reveal::Answer answer;
    const std::size_t nodes = reader.u8();
    if (nodes > kMaxChildren) return malformed("too many nodes");
    answer.nodes.resize(nodes);
    for (Digest& node : answer.nodes) read_digest(reader, node);
    auto leaf = read_bytes(reader, reader.u16be(), kMaxLeafBytes);
    if (!leaf) return std::unexpected(std::move(leaf.error()));
    answer.leaf = std::move(*leaf);
    move.answers.push_back(std::move(answer));
  }
  return Move(std::move(move));
}

OrRefused<Move> read_move(math::ByteReader& reader) {
  // A move that ends in bytes of a given size.
  const auto with_bytes = [&](auto move, auto member, std::size_t size, std::size_t limit) -> OrRefused<Move> {
    auto bytes = read_bytes(reader, size, limit);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    move.*member = std::move(*bytes);
    return Move(std::move(move));
  };
  switch (static_cast<MoveTag>(reader.u8())) {
    case MoveTag::kReveal:
      return read_reveal(reader);
    case MoveTag::kDescend:
      return with_bytes(Descend{}, &Descend::children, reader.u8(), kMaxDescents);
    case MoveTag::kChoose: {
      Choose move;
      move.item = reader.u16be();
      move.entry = reader.u64be();
      return with_bytes(std::move(move), &Choose::openings, reader.u32be(), kMaxOpeningsBytes);
    }
    case MoveTag::kRespond:
      return with_bytes(Respond{}, &Respond::claims, reader.u16be(), kMaxClaimBytes);
    case MoveTag::kNarrow:
      return Move(Narrow{.segment = reader.u8()});
    case MoveTag::kProve:
      return with_bytes(Prove{}, &Prove::witness, reader.u32be(), kMaxOpeningsBytes);
    case MoveTag::kNarrowAndProve: {
      NarrowAndProve move;
      move.segment = reader.u8();
      return with_bytes(std::move(move), &NarrowAndProve::witness, reader.u32be(), kMaxOpeningsBytes);
    }
  }
  return malformed("of an unknown kind");
}

}  // namespace

void encode(const Move& move, math::ByteWriter& writer) {
  std::visit([&](const auto& known) { write(writer, known); }, move);
}

OrRefused<Move> decode_move(math::ByteReader& reader) {
  if (reader.remaining() == 0) return malformed("there is none");
  auto move = read_move(reader);
  if (move && !reader.ok()) return malformed("it ends within a field");
  return move;
}

}  // namespace tally::proof
