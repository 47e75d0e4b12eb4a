#include "deterministic_math/executor/column_fold.h"

#include <algorithm>
#include <span>

namespace tally::math {

void ColumnFold::run(std::size_t count) {
  for (std::size_t block = 0; block < count; block += kRowBlock) fold_block(block, std::min(kRowBlock, count - block));
}

// Rows that can be read in place are gathered first: all records then go through a few lanes whose accumulators stay in
// the nearest cache. Others are folded as soon as their caches are full.
void ColumnFold::fold_block(std::size_t block, std::size_t lanes) {
  x_batches.clear();
  x_batches.emplace_back();
  bool lasting = true;
  const auto close = [&] {
    if (lasting) {
      x_batches.emplace_back();
      return;
    }
    for (std::size_t at = 0; at < lanes; at += kColumnLanes) {
      fold(x_batches.back(), at, block, std::min(kColumnLanes, lanes - at));
    }
    x_batches.back() = {};
    lasting = true;
  };
  for (std::uint64_t record = 0; record < x_plan.fold_length; ++record) {
    x_checks.spend(lanes);
    x_step.set_fold(record);
    if (!x_step.run_scalars(Phase::kRepeated)) continue;
    lasting = add_record(x_batches.back(), block, lanes) && lasting;
    if (x_batches.back().rows.number == kColumnRows) close();
  }
  close();
  for (std::size_t at = 0; at < lanes; at += kColumnLanes) {
    x_checks.spend(kColumnLanes * x_plan.fold_length);
    for (Batch& batch : x_batches) fold(batch, at, block, std::min(kColumnLanes, lanes - at));
  }
}

bool ColumnFold::add_record(Batch& batch, std::size_t block, std::size_t lanes) {
  const ColumnPlan& column = *x_plan.column;
  const std::size_t number = batch.rows.number++;
  const std::byte* row = x_step.row_in_place(column.load.dst, number, block, lanes);
  const bool lasting = row != nullptr;
  batch.rows.rows[number] = lasting ? row : x_step.load_row(column.load, number, block, lanes);
  for (std::size_t t = 0; t < column.terms.size(); ++t) {
    const NodeId weight = column.terms[t].weight;
    batch.weights[t][number] = weight == kNoNode ? 1 : static_cast<std::int64_t>(x_step.scalar(weight));
  }
  return lasting;
}

void ColumnFold::fold(Batch& batch, std::size_t offset, std::size_t lane, std::size_t lanes) {
  const ColumnPlan& column = *x_plan.column;
  if (batch.rows.number == 0) return;
  ColumnRows rows = batch.rows;
  for (std::size_t r = 0; r < rows.number; ++r) rows.rows[r] += offset * lane_bytes(LaneType::k32);
  add_all_ranks(rows, lane + offset, lanes);
  for (std::size_t t = 0; t < column.terms.size(); ++t) {
    rows.weights = batch.weights[t];
    add_term(column.terms[t], rows, lane + offset, lanes);
  }
}

void ColumnFold::add_all_ranks(const ColumnRows& rows, std::size_t lane, std::size_t lanes) {
  std::array<ColumnRanks, kMaxAccumulators> ranks;
  std::size_t number = 0;
  for (const ColumnTerm& term : x_plan.column->terms) {
    if (term.kind != ColumnTermKind::kRanks) continue;
    ranks[number++] = {accumulator_at(term.accumulator, lane), accumulator_at(term.up_to, lane),
                       x_step.lanes(term.bound, lane)};
  }
  add_ranks(std::span(ranks).first(number), rows, lanes);
}

std::byte* ColumnFold::accumulator_at(std::size_t accumulator, std::size_t lane) const {
  const LaneType type = x_plan.step_code.slots[x_plan.step_code.accumulators[accumulator].slot].type;
  return x_step.accumulator_lanes(accumulator) + lane * lane_bytes(type);
}

void ColumnFold::add_term(const ColumnTerm& term, const ColumnRows& rows, std::size_t lane, std::size_t lanes) {
  std::byte* const accumulator = accumulator_at(term.accumulator, lane);
  switch (term.kind) {
    case ColumnTermKind::kWeighted:
      add_weighted(accumulator, rows, lanes);
      break;
    case ColumnTermKind::kBelow:
    case ColumnTermKind::kUpTo:
    case ColumnTermKind::kAbove:
    case ColumnTermKind::kFrom:
      add_counts(term.kind, accumulator, rows, x_step.lanes(term.bound, lane), lanes);
      break;
    case ColumnTermKind::kInside:
      add_inside(accumulator, rows, x_step.lanes(term.bound, lane), x_step.lanes(term.upper, lane), lanes);
      break;
    case ColumnTermKind::kRanks:
      break;
  }
}

}  // namespace tally::math
