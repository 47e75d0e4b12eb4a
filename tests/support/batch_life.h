// What tests of the tree of batches do again and again.
#pragma once

#include "tests/support/games_on_chain.h"

namespace tally::test {

/// Items of small_program().
inline constexpr std::uint16_t kTotalItem = 0;
inline constexpr std::uint16_t kMiddleItem = 1;

/// The options of a batch whose `total` is one too much.
[[nodiscard]] inline MakeBatch forged(MakeBatch options = {}) {
  options.alter = [](RandomBatch& data) { add_to(small_program(), data, kTotal, 0, 1); };
  return options;
}

/// Disproves a forged batch.
inline void disprove(SettlementWorld& world, WorldBatch& batch) {
  const auto effects = dispute(world, batch, world.challenger(), kTotalItem, 0);
  TALLY_ASSERT(effects && has_ended(effects));
}

inline proof::OrRefused<proof::Effects> finalize(SettlementWorld& world, WorldBatch& batch) {
  return world.send(world.other(), proof::Finalize{.header = batch.header()});
}

inline proof::OrRefused<proof::Effects> release(SettlementWorld& world, WorldBatch& batch) {
  return world.send(world.other(), proof::ReleaseBond{.header = batch.header()});
}

[[nodiscard]] inline proof::Wei credit_of(SettlementWorld& world, const proof::PrivateKey& key) {
  return proof::read_credit(world.state(), key.address());
}

[[nodiscard]] inline std::optional<proof::BatchStatus> status_of(SettlementWorld& world, WorldBatch& batch) {
  return proof::batch_status(world.state(), world.task(), batch.id());
}

}  // namespace tally::test
