// Games on a SettlementWorld's chain: both sides' transactions, as simple as they can be.
#pragma once

#include <cstdint>

#include "tests/support/game_players.h"
#include "tests/support/settlement_world.h"

namespace tally::test {

/// Adds to an element of a batch's data, or subtracts where that does not fit its type: what a cheat does.
void add_to(const math::Program& program, RandomBatch& data, math::ObjectId table, std::uint64_t element,
            math::i128 change);

/// The states of an entry's fold over a batch's data as it is.
[[nodiscard]] StateAt truth_of(SettlementWorld& world, WorldBatch& batch, std::uint16_t item, std::uint64_t entry);

[[nodiscard]] proof::OpenGame opening(WorldBatch& batch, std::uint16_t item, std::uint64_t entry,
                                      std::uint8_t salt = 0);
/// Into all tables of the item.
[[nodiscard]] proof::OpenDescent descent(SettlementWorld& world, WorldBatch& batch, std::uint16_t item,
                                         std::uint8_t salt = 0);

/// The game after a transaction that opened or moved it.
[[nodiscard]] proof::Game game_after(const proof::OrRefused<proof::Effects>& effects);
[[nodiscard]] bool has_ended(const proof::OrRefused<proof::Effects>& effects);

/// What the side to move would send next. The poster answers with what its data gives; the challenger descends to the
/// last child and chooses entry 0, narrows to the first false claim or, where none is, to the last segment, and proves.
[[nodiscard]] proof::MakeMove next_move(SettlementWorld& world, WorldBatch& batch, const proof::Game& game);

/// Opens a game with the challenger's bond and plays it to its end, or to the refusal of a move.
proof::OrRefused<proof::Effects> dispute(SettlementWorld& world, WorldBatch& batch, const proof::PrivateKey& challenger,
                                         std::uint16_t item, std::uint64_t entry, std::uint8_t salt = 0);

}  // namespace tally::test
