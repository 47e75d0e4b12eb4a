#include "chain_adapter/evm/short_forms.h"

#include <array>
#include <initializer_list>
#include <utility>

#include "fraud_proof/commitments/ids.h"

namespace tally::chain {

namespace {

using Bytes = std::vector<std::uint8_t>;

// Kinds of 10.3 and 10.7, of moves (8.3), and the one that the contract alone has.
constexpr std::uint8_t kMoveWithoutHeader = 0;
constexpr std::uint8_t kPost = 9;
constexpr std::uint8_t kMakeMove = 15;
constexpr std::uint8_t kDescend = 1;
constexpr std::uint8_t kRespond = 3;
constexpr std::uint8_t kNarrow = 4;
constexpr std::uint8_t kPosted = 9;
constexpr std::uint8_t kGameMoved = 14;
constexpr std::uint8_t kGameEnded = 15;

/// GameEnded by a move, up to it: kind, game, batch, outcome and a 1.
constexpr std::size_t kEndBytes = 1 + 32 + 32 + 1 + 1;

/// Posted up to its lists: kind, id and header. Behind them comes the seed.
constexpr std::size_t kPostedBytes = 1 + 32 + proof::kHeaderBytes;
constexpr std::size_t kSeedBytes = 32;

/// A list of words with its count.
math::Bytes take_list(math::ByteReader& reader, math::Bytes all) {
  const math::Bytes list = all.last(reader.remaining());
  const math::Bytes words = reader.raw(std::size_t{32} * reader.u16be());
  return list.first(reader.ok() ? 2 + words.size() : 0);
}

/// The lists of states and of tables of a post; empty where the bytes are none.
std::array<math::Bytes, 2> posted_lists(math::Bytes call) {
  if (call.empty() || call.front() != kPost) return {};
  math::ByteReader reader(call.subspan(1));
  static_cast<void>(reader.raw(32));
  if (reader.u8() == 1) static_cast<void>(reader.raw(proof::kHeaderBytes));
  const math::Bytes states = take_list(reader, call);
  static_cast<void>(reader.raw(8 + 32));
  const math::Bytes tables = take_list(reader, call);
  return {states, tables};
}

/// Of a make_move, with or without its header. `move` is empty where the bytes are none.
struct MoveCall {
  math::Bytes header;
  math::Bytes state;
  math::Bytes move;
};

MoveCall move_call(math::Bytes call) {
  if (call.empty() || (call.front() != kMakeMove && call.front() != kMoveWithoutHeader)) return {};
  math::ByteReader reader(call.subspan(1));
  MoveCall found;
  if (call.front() == kMakeMove) found.header = reader.raw(proof::kHeaderBytes);
  found.state = reader.raw(reader.u32be());
  found.move = reader.raw(reader.remaining());
  return reader.ok() ? found : MoveCall{};
}

bool shows_nothing(math::Bytes move) {
  return move.front() == kDescend || move.front() == kRespond || move.front() == kNarrow;
}

Bytes joined(std::initializer_list<math::Bytes> parts) {
  Bytes all;
  for (const math::Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

Bytes shortened(math::Bytes transaction) {
  const MoveCall call = move_call(transaction);
  const auto is_of_batch = [&] {
    const auto header = proof::decode_header(call.header);
    const auto game = proof::decode_game(call.state);
    return header && game && batch_id(*header) == game->batch;
  };
  if (call.move.empty() || !shows_nothing(call.move) || !is_of_batch()) return {transaction.begin(), transaction.end()};
  constexpr std::array kKind = {kMoveWithoutHeader};
  return joined({kKind, transaction.subspan(1 + proof::kHeaderBytes)});
}

proof::OrRefused<proof::Transaction> decode_call(math::Bytes call, const FindHeader& find) {
  if (call.empty() || call.front() != kMoveWithoutHeader) return proof::decode_transaction(call);
  const MoveCall found = move_call(call);
  auto game = proof::decode_game(found.state);
  if (!game) return std::unexpected(std::move(game.error()));
  math::ByteReader reader(found.move);
  auto move = proof::decode_move(reader);
  if (!move) return std::unexpected(std::move(move.error()));
  if (!reader.finished() || !shows_nothing(found.move))
    return proof::refuse(proof::Reason::kMalformed, "it is no move that comes without a header");
  const proof::BatchHeader header = find(game->batch).value_or(proof::BatchHeader{.task = game->task});
  return proof::MakeMove{.header = header, .game = *std::move(game), .move = *std::move(move)};
}

Bytes log_bytes(const proof::Event& event) {
  Bytes bytes = encode(event);
  if (const auto* const moved = std::get_if<proof::GameMoved>(&event)) {
    math::ByteWriter move;
    encode(moved->move, move);
    bytes.erase(bytes.begin() + 2, bytes.begin() + 1 + static_cast<std::ptrdiff_t>(move.view().size()));
  } else if (bytes.front() == kPosted) {
    bytes.erase(bytes.begin() + kPostedBytes, bytes.end() - kSeedBytes);
  } else if (bytes.front() == kGameEnded && bytes.size() > kEndBytes) {
    bytes.resize(kEndBytes + 1);
  }
  return bytes;
}

Bytes event_bytes(math::Bytes log, math::Bytes call) {
  const math::Bytes move = move_call(call).move;
  if (!move.empty() && log.size() > 1) {
    if (log.front() == kGameMoved && log[1] == move.front()) return joined({log.first(1), move, log.subspan(2)});
    if (log.front() == kGameEnded && log.size() == kEndBytes + 1 && log.back() == move.front())
      return joined({log.first(kEndBytes), move});
  }
  if (const auto [states, tables] = posted_lists(call);
      !tables.empty() && log.size() == kPostedBytes + kSeedBytes && log.front() == kPosted)
    return joined({log.first(kPostedBytes), states, tables, log.last(kSeedBytes)});
  return {log.begin(), log.end()};
}

}  // namespace tally::chain
