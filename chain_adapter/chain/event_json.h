// Events, games and moves as JSON. Ids, digests and bytes are 0x hexadecimal, addresses carry their checksum, money is
// a string of its decimal digits in wei, times are seconds.
#pragma once

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/data/json_writer.h"
#include "fraud_proof/game/game.h"

namespace tally::chain {

/// "respond", …: what the next move is.
[[nodiscard]] std::string_view name_of(proof::Phase phase);
/// "narrow_and_prove", ….
[[nodiscard]] std::string_view name_of(const proof::Move& move);

// Each writes one object.
void write_json(JsonWriter& json, const LoggedEvent& event);
/// "event" holds the name, and the event's own fields follow.
void write_json(JsonWriter& json, const proof::Event& event);
void write_json(JsonWriter& json, const proof::BatchHeader& header);
void write_json(JsonWriter& json, const proof::TaskPreimage& task);
void write_json(JsonWriter& json, const proof::TaskSettings& settings);
void write_json(JsonWriter& json, const proof::Game& game);
/// "move" holds the name.
void write_json(JsonWriter& json, const proof::Move& move);

/// The text of one of the above.
template <class Written>
[[nodiscard]] std::string to_json(const Written& written) {
  JsonWriter json;
  write_json(json, written);
  return json.take();
}

}  // namespace tally::chain
