// The poster's side of a dispute: what to answer, from what the poster has. Pure: no chain, no clock, and no files but
// those behind the data that it is lent.
//
// An answer costs one entry's fold at most, never the batch: for a response the steps between the agreed state and the
// last boundary, for a reveal the digests of one table's leaves, for a request one leaf.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/executor/inputs.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/step/opening.h"

namespace tally::sequencer {

/// What the poster has of a batch.
struct PosterData {
  const proof::CommittedBatch& batch;
  const math::Inputs& inputs;
  proof::LeafSource& leaves;
  /// Of a table's leaves; valid until the next call of anything here.
  std::function<std::span<const math::Digest>(math::ObjectId table)> leaf_digests;
};

struct Answer {
  proof::Move move{};
  /// The data lead from the state that both agree on to the one that was claimed. Where they do not, they are not what
  /// was posted, or what was posted is wrong: the answer can be disproved.
  bool agrees = true;
};

/// Absent where the game does not wait for the poster. `game` is a state that the chain keeps the hash of.
[[nodiscard]] std::optional<Answer> answer(const PosterData& data, const proof::Game& game, std::uint16_t arity);

/// The openings that a request of a leaf asks for; the batch has the leaf.
[[nodiscard]] std::vector<std::uint8_t> answer(const PosterData& data, const proof::OpeningKey& leaf);

}  // namespace tally::sequencer
