// The tree of batches: which batch may be extended, which may be challenged, and what happens when one falls.
//
// A node keeps the children that were posted on it in their order. Of a final node's children, the first that is not
// invalid is the one that may become final; `first_live` moves over invalid ones, at most kMaxSkipped a call.
#pragma once

#include <cstdint>

#include "fraud_proof/settlement/handlers.h"

namespace tally::proof {

/// A batch whose header was shown.
struct FoundBatch {
  BatchId id{};
  NodeRecord node{};
  TaskSettings settings{};
};

/// kNoSuchBatch.
[[nodiscard]] OrRefused<FoundBatch> find_batch(const StateReader& state, const BatchHeader& header);

void put_node(Changes& changes, const FoundBatch& batch);

/// Clocks of chains do not run backwards.
[[nodiscard]] std::uint64_t seconds_since(const Call& call, std::uint64_t past_s);

/// Refuses all but a batch that may still be challenged or become final: kBatchLost, kBatchFinal, kBatchDead.
[[nodiscard]] OrRefused<void> check_pending(const StateReader& state, const FoundBatch& batch);

/// A pending batch younger than `period_s`; otherwise also kPeriodOver.
[[nodiscard]] OrRefused<void> check_challengeable(const Call& call, const FoundBatch& batch, std::uint64_t period_s);

/// Whether a batch may be posted on this node, genesis included: kParentDead, kTooDeep.
[[nodiscard]] OrRefused<void> check_extendable(const StateReader& state, const TaskId& task, const BatchId& parent);

/// Moves first_live over at most kMaxSkipped invalid children; gives how many. Writes nothing.
std::uint64_t skip_invalid_children(const StateReader& state, const BatchId& id, NodeRecord& node);

/// Splits the bond of a batch that was not lost before, and writes its node with whatever else the caller changed in
/// it.
[[nodiscard]] OrRefused<void> lose_batch(const Call& call, FoundBatch& batch, LossCause cause, const Address& winner);

}  // namespace tally::proof
