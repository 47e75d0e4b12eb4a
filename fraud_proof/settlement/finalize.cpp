// Finalize, SkipInvalid and ReleaseBond: how a batch ends that nobody disproved.
#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/tree.h"

namespace tally::proof {

namespace {

/// kPeriodRunning, kGamesOpen, kRequestsOpen: what stands between a batch and its bond.
OrRefused<void> check_quiet(const Call& call, const FoundBatch& batch) {
  const NodeRecord& node = batch.node;
  if (seconds_since(call, node.posted_s) < batch.settings.challenge_period_s) {
    return refuse(Reason::kPeriodRunning, "the batch was posted at " + std::to_string(node.posted_s) +
                                              ", and its period is " +
                                              std::to_string(batch.settings.challenge_period_s) + " s");
  }
  if (node.open_games > 0) return refuse(Reason::kGamesOpen, std::to_string(node.open_games) + " games are open");
  if (node.open_requests > 0)
    return refuse(Reason::kRequestsOpen, std::to_string(node.open_requests) + " requests are open");
  return {};
}

/// Pays the bond out; the caller writes the node.
OrRefused<void> return_bond(const Call& call, NodeRecord& node) {
  if (auto credited = call.changes.credit(node.poster, node.bond); !credited) return credited;
  node.bond = {};
  return {};
}

void put_final_child(const Call& call, const NodeRecord& child, const BatchId& id, NodeRecord parent) {
  parent.final_child = id;
  call.changes.put(node_key(child.task, child.parent), parent);
}

void put_task_status(const Call& call, const BatchHeader& header, const BatchId& id) {
  TaskStatus status = status_of(call.changes, header.task);
  status.final_batch = id;
  status.final_number = header.number;
  status.final_state = header.next_state_root;
  call.changes.put(task_status_key(header.task), status);
}

}  // namespace

OrRefused<void> run(const Call& call, const Finalize& finalize) {
  auto batch = find_batch(call.changes, finalize.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  NodeRecord& node = batch->node;
  if (auto pending = check_pending(call.changes, *batch); !pending) return pending;
  if (auto quiet = check_quiet(call, *batch); !quiet) return quiet;
  auto parent = read_node(call.changes, node.task, node.parent);
  TALLY_ASSERT(parent.has_value());  // check_pending
  if (parent->state != NodeState::kFinal) return refuse(Reason::kParentNotFinal, "the parent is not final yet");
  (void)skip_invalid_children(call.changes, node.parent, *parent);
  if (parent->first_live != node.position) {
    return refuse(Reason::kEarlierSibling, "child " + std::to_string(parent->first_live) +
                                               " of the parent is not passed, and this is child " +
                                               std::to_string(node.position));
  }

  if (auto returned = return_bond(call, node); !returned) return returned;
  node.state = NodeState::kFinal;
  put_node(call.changes, *batch);
  put_final_child(call, node, batch->id, *std::move(parent));
  put_task_status(call, finalize.header, batch->id);
  call.changes.emit(Finalized{.task = node.task, .batch = batch->id});
  return {};
}

OrRefused<void> run(const Call& call, const SkipInvalid& skip) {
  if (auto task = find_task(call.changes, skip.task); !task) return std::unexpected(std::move(task.error()));
  auto parent = find_node(call.changes, skip.task, skip.parent);
  if (!parent) return std::unexpected(std::move(parent.error()));
  if (skip_invalid_children(call.changes, skip.parent, *parent) == 0) {
    return refuse(Reason::kNothingToSkip,
                  "child " + std::to_string(parent->first_live) + " of the batch is not there, or not invalid");
  }
  call.changes.put(node_key(skip.task, skip.parent), *parent);
  call.changes.emit(Skipped{.task = skip.task, .parent = skip.parent, .first_live = parent->first_live});
  return {};
}

OrRefused<void> run(const Call& call, const ReleaseBond& release) {
  auto batch = find_batch(call.changes, release.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  NodeRecord& node = batch->node;
  auto pending = check_pending(call.changes, *batch);
  if (pending) return refuse(Reason::kNotReleasable, "the batch may still become final");
  if (pending.error().reason != Reason::kBatchDead) return pending;
  if (node.bond == Wei{}) return refuse(Reason::kBondReleased, "the bond was given back before");
  if (auto quiet = check_quiet(call, *batch); !quiet) return quiet;

  const Wei bond = node.bond;
  if (auto returned = return_bond(call, node); !returned) return returned;
  put_node(call.changes, *batch);
  call.changes.emit(BondReleased{.batch = batch->id, .poster = node.poster, .amount = bond});
  return {};
}

}  // namespace tally::proof
