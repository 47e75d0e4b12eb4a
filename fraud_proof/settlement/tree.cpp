#include "fraud_proof/settlement/tree.h"

#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

namespace {

NodeRecord node_of(const StateReader& state, const TaskId& task, const BatchId& batch) {
  auto node = read_node(state, task, batch);
  if (!node) throw BrokenState("a batch that its task's tree names is not there");
  return *std::move(node);
}

BatchStatus known_status(const StateReader& state, const TaskId& task, const BatchId& batch) {
  const auto status = batch_status(state, task, batch);
  if (!status) throw BrokenState("a batch that its task's tree names is not there");
  return *status;
}

/// Batches from this one up that are not final. The batch is pending or final, so none of them is invalid.
std::uint64_t unfinalised_line(const StateReader& state, const TaskId& task, const BatchId& batch) {
  std::uint64_t line = 0;
  for (NodeRecord node = node_of(state, task, batch); node.state != NodeState::kFinal;
       node = node_of(state, task, node.parent)) {
    ++line;
    TALLY_ASSERT(line <= kMaxUnfinalised);  // its status was found
  }
  return line;
}

}  // namespace

OrRefused<FoundBatch> find_batch(const StateReader& state, const BatchHeader& header) {
  const BatchId id = batch_id(header);
  auto node = find_node(state, header.task, id);
  if (!node) return std::unexpected(std::move(node.error()));
  return FoundBatch{.id = id, .node = *std::move(node), .settings = task_of(state, header.task).preimage.settings};
}

void put_node(Changes& changes, const FoundBatch& batch) {
  changes.put(node_key(batch.node.task, batch.id), batch.node);
}

std::uint64_t seconds_since(const Call& call, std::uint64_t past_s) {
  if (call.block.time_s < past_s) throw BrokenState("something of a later time than the block's");
  return call.block.time_s - past_s;
}

OrRefused<void> check_pending(const StateReader& state, const FoundBatch& batch) {
  switch (known_status(state, batch.node.task, batch.id)) {
    case BatchStatus::kPending:
      return {};
    case BatchStatus::kInvalid:
      return refuse(Reason::kBatchLost, "batch " + to_hex(batch.id) + " was shown to be invalid before");
    case BatchStatus::kOrphaned:
      return refuse(Reason::kBatchDead, "an ancestor of batch " + to_hex(batch.id) + " is invalid");
    case BatchStatus::kSuperseded:
      return refuse(Reason::kBatchDead, "batch " + to_hex(batch.id) + " was superseded by another that is final");
    case BatchStatus::kFinal:
      return refuse(Reason::kBatchFinal, "batch " + to_hex(batch.id) + " is final");
  }
  TALLY_ASSERT(false);
}

OrRefused<void> check_challengeable(const Call& call, const FoundBatch& batch, std::uint64_t period_s) {
  if (auto pending = check_pending(call.changes, batch); !pending) return pending;
  if (seconds_since(call, batch.node.posted_s) >= period_s) {
    return refuse(Reason::kPeriodOver, "the batch was posted at " + std::to_string(batch.node.posted_s) +
                                           ", and it is open to this for " + std::to_string(period_s) + " s");
  }
  return {};
}

OrRefused<void> check_extendable(const StateReader& state, const TaskId& task, const BatchId& parent) {
  const BatchStatus status = known_status(state, task, parent);
  if (status != BatchStatus::kPending && status != BatchStatus::kFinal)
    return refuse(Reason::kParentDead, "the parent is " + std::string(to_string(status)));
  const NodeRecord node = node_of(state, task, parent);
  if (node.final_child != BatchId{})
    return refuse(Reason::kParentDead, "another child of the parent is final already: " + to_hex(node.final_child));
  if (node.number >= kLastBatch) return refuse(Reason::kTooDeep, "a task has no more batches than 2^40");
  if (unfinalised_line(state, task, parent) >= kMaxUnfinalised) {
    return refuse(Reason::kTooDeep,
                  "the parent ends a line of " + std::to_string(kMaxUnfinalised) + " batches that are not final");
  }
  return {};
}

std::uint64_t skip_invalid_children(const StateReader& state, const BatchId& id, NodeRecord& node) {
  std::uint64_t skipped = 0;
  while (skipped < kMaxSkipped && node.first_live < node.children) {
    const auto child = read_child(state, node.task, id, node.first_live);
    if (!child) throw BrokenState("a child of a batch is not there");
    if (node_of(state, node.task, *child).state != NodeState::kLost) break;
    ++node.first_live;
    ++skipped;
  }
  return skipped;
}

OrRefused<void> lose_batch(const Call& call, FoundBatch& batch, LossCause cause, const Address& winner) {
  NodeRecord& node = batch.node;
  TALLY_ASSERT(node.state == NodeState::kPending);
  if (node.bond != batch.settings.sequencer_bond)
    throw BrokenState("a batch that can be lost has not the bond of its post");
  const Split split = split_bond(node.bond, batch.settings.burn_bps);
  if (auto burned = call.changes.burn(split.burned); !burned) return burned;
  if (auto credited = call.changes.credit(winner, split.reward); !credited) return credited;
  node.bond = {};
  node.state = NodeState::kLost;
  put_node(call.changes, batch);
  call.changes.emit(BatchInvalid{.task = node.task,
                                 .batch = batch.id,
                                 .cause = cause,
                                 .winner = winner,
                                 .reward = split.reward,
                                 .burned = split.burned});
  return {};
}

}  // namespace tally::proof
