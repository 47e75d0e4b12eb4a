#include "fraud_proof/settlement/fields.h"

namespace tally::proof {

void FieldReader::get(Game& value) {
  const math::Bytes bytes = take_bytes();
  if (!x_reader.ok()) return;
  auto game = decode_game(bytes);
  if (!game) return fail(game.error().message);
  value = *std::move(game);
}

void FieldReader::get(Move& value) {
  auto move = decode_move(x_reader);
  if (!x_reader.ok()) return;
  if (!move) return fail(move.error().message);
  value = *std::move(move);
}

}  // namespace tally::proof
