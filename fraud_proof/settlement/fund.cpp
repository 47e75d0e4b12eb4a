#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

OrRefused<void> run(const Call& call, const Fund& fund) {
  if (auto task = find_task(call.changes, fund.task); !task) return std::unexpected(std::move(task.error()));
  if (call.value == Wei{}) return refuse(Reason::kWrongValue, "nothing comes with it for the pool");
  TaskStatus status = status_of(call.changes, fund.task);
  const auto pool = add(status.pool, call.value);
  if (!pool) return std::unexpected(pool.error());
  status.pool = *pool;
  call.changes.put(task_status_key(fund.task), status);
  call.changes.emit(Funded{.task = fund.task, .by = call.sender, .amount = call.value});
  return {};
}

}  // namespace tally::proof
