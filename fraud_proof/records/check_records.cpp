#include "fraud_proof/records/check_records.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::proof {

namespace {

/// Records per task: enough that handing out the task costs nothing beside the signatures.
constexpr std::size_t kRecordsPerTask = 64;

std::expected<void, Refusal<RecordReason>> check_one(math::Bytes records, std::size_t place, const RecordsRule& rule,
                                                     const RecordContext& context) {
  const std::size_t width = rule.shape.record_bytes();
  const auto at = [&](std::size_t index) {
    auto decoded = decode_record(records.subspan(index * width, width), rule.shape);
    TALLY_ASSERT(decoded.has_value());
    return *std::move(decoded);
  };
  const Record record = at(place);
  if (place > 0) {
    if (auto ordered = check_order(at(place - 1), record, rule.order); !ordered) return ordered;
  }
  return check_signature(record, context);
}

}  // namespace

std::expected<void, RecordsRefusal> check_records(math::Bytes records, const RecordsRule& rule,
                                                  const RecordContext& context, math::TaskPool& pool) {
  const std::size_t width = rule.shape.record_bytes();
  if (math::u128{rule.count} * width != records.size()) {
    return std::unexpected(RecordsRefusal{RecordReason::kSize, 0,
                                          "the records have " + std::to_string(records.size()) + " bytes, not " +
                                              std::to_string(rule.count) + " times " + std::to_string(width)});
  }
  const auto count = static_cast<std::size_t>(rule.count);
  const std::size_t tasks = (count + kRecordsPerTask - 1) / kRecordsPerTask;
  std::vector<std::optional<RecordsRefusal>> refusals(tasks);
  // A task behind a bad record need not run: its findings would come second.
  std::atomic<std::size_t> first_bad_task = tasks;
  pool.run(tasks, [&](std::size_t task) {
    if (task > first_bad_task.load(std::memory_order_relaxed)) return;
    const std::size_t end = std::min(count, (task + 1) * kRecordsPerTask);
    for (std::size_t place = task * kRecordsPerTask; place < end; ++place) {
      auto checked = check_one(records, place, rule, context);
      if (checked) continue;
      refusals[task] = RecordsRefusal{checked.error().reason, place,
                                      "record " + std::to_string(place) + ": " + checked.error().message};
      std::size_t known = first_bad_task.load(std::memory_order_relaxed);
      while (task < known && !first_bad_task.compare_exchange_weak(known, task, std::memory_order_relaxed)) {
      }
      return;
    }
  });
  const auto first = std::ranges::find_if(refusals, [](const auto& refusal) { return refusal.has_value(); });
  if (first != refusals.end()) return std::unexpected(std::move(**first));
  return {};
}

}  // namespace tally::proof
