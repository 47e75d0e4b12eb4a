#include "verifier/watchtower/demand_budget.h"

#include <algorithm>
#include <stdexcept>
#include <variant>

#include "fraud_proof/settlement/state.h"

namespace tally::verifier {

bool DemandBudget::allows(const proof::RequestLeaf& demand, const proof::Wei& bond) {
  if (x_settings.is_named(demand.header.task)) return true;
  count_new();
  proof::Wei spent = x_spent;
  for (const proof::BatchId& batch : x_memory.expected_demands_but(proof::batch_id(demand.header), demand.leaf))
    spent.value += cost_of(batch).value;
  const proof::Wei limit = x_settings.demand_limit;
  return spent <= limit && std::max(bond, kLeastDemand).value <= limit.value - spent.value;
}

void DemandBudget::count_new() {
  for (const OwnDemand& demand : x_memory.own_demands(x_next)) {
    x_next = demand.position + 1;
    const proof::Wei cost = cost_of(demand.batch);
    if (!demand.is_returned) {
      x_spent.value += cost.value;
    } else if (cost != proof::Wei{}) {
      x_spent.value -= std::min(cost, x_spent).value;
      x_spent.value += kWonDemand.value;
    }
  }
}

proof::Wei DemandBudget::cost_of(const proof::BatchId& batch) {
  const auto known = x_costs.find(batch);
  if (known != x_costs.end()) return known->second;
  const auto post = x_memory.post(batch);
  if (!post) return {};
  proof::Wei cost{};
  if (!x_settings.is_named(post->posted.header.task)) {
    const proof::TaskId& id = post->posted.header.task;
    const auto task = proof::read_task(x_chain.state(), id);
    if (!task) throw std::runtime_error("the chain does not know task " + to_hex(id));
    const auto* const requests = std::get_if<proof::LeafRequests>(&task->preimage.settings.availability);
    if (requests != nullptr) cost = std::max(requests->request_bond, kLeastDemand);
  }
  return x_costs.emplace(batch, cost).first->second;
}

}  // namespace tally::verifier
