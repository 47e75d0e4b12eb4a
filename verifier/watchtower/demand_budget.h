// What may still be spent on demanding leaves in tasks that the operator did not name.
//
// A stranger may make a task with any bond, post batches to it and keep their data back, and be paid the bonds for
// answering each demand; or ask next to nothing, and keep the watchtower busy with millions of demands. So they have a
// limit, over all such tasks and all time. It is counted from the chain's own events, which the memory keeps: neither a
// restart nor a lost memory gives anything back. What no event tells of yet counts too, from before it is sent on.
#pragma once

#include <cstdint>
#include <map>

#include "chain_adapter/chain/chain.h"
#include "verifier/watchtower/memory.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::verifier {

/// What a demand counts at least: it is a transaction too.
inline constexpr proof::Wei kLeastDemand{1'000'000'000'000'000};
/// What stays of one that was won: it is two, the demand and the claim, and only the bond came back.
inline constexpr proof::Wei kWonDemand{2 * kLeastDemand.value};

class DemandBudget {
 public:
  DemandBudget(chain::ChainAdapter& chain, const WatchSettings& settings, Memory& memory)
      : x_chain(chain), x_settings(settings), x_memory(memory) {}

  /// Whether there is room for a demand's bond.
  [[nodiscard]] bool allows(const proof::RequestLeaf& demand, const proof::Wei& bond);

 private:
  void count_new();
  /// What a demand of a batch's leaf counts: nothing in a named task.
  [[nodiscard]] proof::Wei cost_of(const proof::BatchId& batch);

  chain::ChainAdapter& x_chain;
  const WatchSettings& x_settings;
  Memory& x_memory;
  std::uint64_t x_next = 0;  // the position of the next event to count
  proof::Wei x_spent{};
  std::map<proof::BatchId, proof::Wei> x_costs;
};

}  // namespace tally::verifier
