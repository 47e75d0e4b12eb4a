// A payable entry of the latest final state, made money. What was paid is kept for each entry for good, so an entry
// pays only for what it rises above every earlier payment.
#include <algorithm>
#include <string>

#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"
#include "fraud_proof/step/leaves.h"

namespace tally::proof {

namespace {

/// The entry that the claim opens, as it is in the state after the batch.
OrRefused<math::i128> opened_entry(const CommittedBatch& batch, const ClaimPayout& claim) {
  const auto states = objects_of(batch.program, math::ObjectKind::kState);
  if (claim.state_commitments.size() != states.size() ||
      state_root(claim.state_commitments) != batch.header.next_state_root) {
    return refuse(Reason::kOpeningState, "the state commitments do not give the header's next_state_root");
  }
  const OpeningKey key = leaf_of(batch, claim.object, claim.member);
  math::ByteReader reader(claim.openings);
  const auto opened = read_opening(reader, key, leaf_layout(batch, claim.object));
  if (!opened) return std::unexpected(opened.error());
  if (!reader.finished()) {
    return refuse(Reason::kOpeningTrailing, std::to_string(reader.remaining()) + " bytes behind the opening");
  }
  const TableShape shape = table_shape(batch.program.objects[claim.object], batch.values);
  const auto place = static_cast<std::size_t>(std::ranges::find(states, claim.object) - states.begin());
  if (table_commitment(shape, batch.leaf_bytes, opened->root) != claim.state_commitments[place]) {
    return refuse(Reason::kOpeningState, "the opening does not lead to the state's commitment");
  }
  return value_in_leaf(batch, claim.object, claim.member, opened->leaf);
}

/// entry * unit, or 2^128 - 1 where that is less: no pool ever holds, or has paid, as much.
Wei worth(math::i128 entry, const Wei& unit) {
  if (entry <= 0 || unit == Wei{}) return {};
  const auto units = static_cast<math::u128>(entry);
  constexpr math::u128 kMost = ~math::u128{0};
  return {units > kMost / unit.value ? kMost : units * unit.value};
}

}  // namespace

OrRefused<void> run(const Call& call, const ClaimPayout& claim) {
  const TaskId& id = claim.header.task;
  const auto task = find_task(call.changes, id);
  if (!task) return std::unexpected(task.error());
  TaskStatus status = status_of(call.changes, id);
  const BatchId batch_name = batch_id(claim.header);
  if (status.final_batch != batch_name) {
    return refuse(Reason::kNotLatestFinal, to_hex(batch_name) + " is not the task's latest final batch");
  }
  const CommittedBatch batch = committed_batch(call.changes, call.programs, claim.header);
  if (std::ranges::find(batch.program.payable, claim.object) == batch.program.payable.end()) {
    return refuse(Reason::kNotPayable, "object " + std::to_string(claim.object) + " is no payable state");
  }
  const auto member = find_member(call.changes, id, claim.member);
  if (!member) return std::unexpected(member.error());
  const auto entry = opened_entry(batch, claim);
  if (!entry) return std::unexpected(entry.error());

  const TaskSettings& settings = task->preimage.settings;
  const Wei due = worth(batch.program.objects[claim.object].range.clamp(*entry), settings.payout_unit);
  const Wei paid = read_paid(call.changes, id, claim.object, claim.member);
  const Wei paid_in_batch = read_paid_in_batch(call.changes, batch_name);
  if (paid_in_batch > settings.max_payout_per_batch) throw BrokenState("a batch that paid more than it may");
  const Wei amount = std::min(
      {due > paid ? subtract(due, paid) : Wei{}, status.pool, subtract(settings.max_payout_per_batch, paid_in_batch)});
  if (amount == Wei{}) {
    return refuse(Reason::kNothingToPay, "the entry is worth " + describe(due) + " of which " + describe(paid) +
                                             " are paid; the pool has " + describe(status.pool) +
                                             ", and the batch may pay " +
                                             describe(subtract(settings.max_payout_per_batch, paid_in_batch)));
  }

  status.pool = subtract(status.pool, amount);
  call.changes.put(task_status_key(id), status);
  // Neither sum overflows: paid + amount <= due, and paid_in_batch + amount <= max_payout_per_batch.
  call.changes.put(paid_key(id, claim.object, claim.member), Wei{paid.value + amount.value});
  call.changes.put(paid_in_batch_key(batch_name), Wei{paid_in_batch.value + amount.value});
  if (auto credited = call.changes.credit(member->wallet, amount); !credited) return credited;
  call.changes.emit(
      PaidOut{.task = id, .object = claim.object, .member = claim.member, .wallet = member->wallet, .amount = amount});
  return {};
}

}  // namespace tally::proof
