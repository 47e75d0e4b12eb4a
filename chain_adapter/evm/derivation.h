// The records of a settlement on an EVM chain, derived: each call that the contract took is done again by the machine
// in C++, and must tell the very events that the contract told.
//
// The contract takes tasks whose program the validator refuses (docs/spec.md, 13.2). Nobody who uses this program takes
// part in one, so they are left out, with all their batches: there are no records and no events of them. What they
// leave in common with all others is credit; so once there is such a task, a withdrawal may be of more than was
// derived.
#pragma once

#include <functional>
#include <optional>

#include "chain_adapter/evm/settlement_calls.h"
#include "chain_adapter/evm/short_forms.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::chain {

/// The tasks that are left out.
class LeftOut {
 public:
  virtual ~LeftOut() = default;
  [[nodiscard]] virtual bool any() const = 0;
  [[nodiscard]] virtual bool has(const proof::TaskId& task) const = 0;
  virtual void add(const proof::TaskId& task) = 0;
};

/// What is asked of the chain on the way. Absent where there is none.
struct Asked {
  std::function<std::optional<proof::Digest>(std::uint64_t number)> hash;  // of an earlier block
  FindHeader header;                                                       // of a posted batch
};

class Derivation {
 public:
  explicit Derivation(ChainIdentity identity) : x_identity(identity) {}

  /// What the call did to the records; nothing of it where it is about what is left out. Throws ChainDisagrees.
  [[nodiscard]] proof::Effects derive(const proof::StateReader& state, LeftOut& left_out, const EvmBlock& block,
                                      const Asked& asked, const SettlementCall& call);

  /// Why the machine refuses a call; nothing where it does not.
  [[nodiscard]] std::optional<proof::ChainRefusal> refusal(const proof::StateReader& state, const EvmBlock& block,
                                                           const Asked& asked, const SettlementCall& call);

 private:
  [[nodiscard]] proof::OrRefused<proof::Effects> apply(const proof::StateReader& state, const EvmBlock& block,
                                                       const Asked& asked, const SettlementCall& call,
                                                       proof::Transaction transaction);

  ChainIdentity x_identity;
  proof::Settlement x_machine;
};

}  // namespace tally::chain
