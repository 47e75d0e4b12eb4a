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
constexpr std::uint8_t kMakeMove = 15;
constexpr std::uint8_t kDescend = 1;
constexpr std::uint8_t kRespond = 3;
constexpr std::uint8_t kNarrow = 4;
constexpr std::uint8_t kPosted = 9;
constexpr std::uint8_t kGameOpened = 13;
constexpr std::uint8_t kGameMoved = 14;

/// GameEnded by a move, up to it: kind, game, batch, outcome and a 1.
constexpr std::size_t kEndBytes = 1 + 32 + 32 + 1 + 1;

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
  const auto of_game = [](std::uint8_t kind, const proof::Game& game) {
    return joined({{&kind, 1}, game.id.digest.bytes, game_hash(game).bytes});
  };
  if (const auto* const opened = std::get_if<proof::GameOpened>(&event)) return of_game(kGameOpened, opened->game);
  if (const auto* const moved = std::get_if<proof::GameMoved>(&event)) return of_game(kGameMoved, moved->game);
  if (const auto* const posted = std::get_if<proof::Posted>(&event))
    return joined({{&kPosted, 1}, posted->batch.digest.bytes});
  Bytes bytes = encode(event);
  // Of the move that ended a game, its kind.
  if (std::holds_alternative<proof::GameEnded>(event) && bytes.size() > kEndBytes) bytes.resize(kEndBytes + 1);
  return bytes;
}

}  // namespace tally::chain
