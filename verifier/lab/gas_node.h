// What the laboratory's transactions cost in gas: the contracts on a development node (anvil), which sends for accounts
// whose keys nobody has, and makes a block for each transaction. Gas follows from a chain's fork and a transaction's
// bytes alone, so the figures are those of any chain of that fork.
#pragma once

#include <map>
#include <string>

#include "chain_adapter/evm/evm_node.h"
#include "verifier/lab/lab_chain.h"

namespace tally::verifier {

class GasNode final : public LabNode {
 public:
  /// Puts the settlement there. `rpc` outlives this. Throws chain::RpcError where the node is no development node.
  explicit GasNode(chain::RpcClient& rpc);

  [[nodiscard]] proof::BlockContext next_block() override;
  void advance(std::uint64_t seconds) override { x_now.time_s += seconds; }
  /// Throws std::runtime_error where the contracts refuse it.
  std::uint64_t send(const proof::StateReader& before, const proof::BlockContext& block, const proof::Message& message,
                     const proof::Effects& effects) override;
  void mark() override;
  void go_back() override;

  struct Outcome {
    bool taken = false;
    std::uint64_t gas = 0;
  };
  /// Sends what the contracts may refuse, of which the machine hears nothing.
  [[nodiscard]] Outcome attempt(const proof::StateReader& state, const proof::Message& message);

 private:
  void deploy();
  [[nodiscard]] std::vector<std::uint8_t> call_data_of(const proof::StateReader& state,
                                                       const proof::Message& message) const;
  /// In a block of its own.
  [[nodiscard]] chain::EvmReceipt mine(const proof::BlockContext& block, const proof::Message& message,
                                       math::Bytes data);
  [[nodiscard]] chain::EvmReceipt receipt(const chain::TransactionId& id);

  chain::RpcClient& x_rpc;
  chain::EvmNode x_node;
  std::uint64_t x_chain_id;
  struct Moment {
    std::uint64_t block = 0;
    std::uint64_t time_s = 0;
    std::map<proof::BatchId, proof::BatchHeader> headers{};  // of all that was posted
  };
  Moment x_now;
  Moment x_marked;
  std::string x_snapshot;  // the node's, of the mark
};

}  // namespace tally::verifier
