// How transactions reach an EVM chain: gas, fees and nonce from the node, signed here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain_adapter/evm/evm_node.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

struct Outgoing {
  const proof::PrivateKey& key;
  proof::Address to{};
  proof::Wei value{};
  std::vector<std::uint8_t> data{};
};

class Sender {
 public:
  /// `tip`: what is paid for a unit of gas beyond the base fee; absent: what the node suggests.
  Sender(EvmNode& node, std::uint64_t chain_id, std::optional<proof::Wei> tip = std::nullopt)
      : x_node(node), x_chain_id(chain_id), x_tip(tip) {}

  /// What the contract would refuse is not sent, and InsufficientFunds is said before it is. Any other refusal of the
  /// node is an RpcError.
  [[nodiscard]] proof::OrRefused<TransactionId> send(const Outgoing& outgoing);

 private:
  [[nodiscard]] TransactionId sign_and_send(const Outgoing& outgoing, std::uint64_t gas, const proof::Wei& tip,
                                            const proof::Wei& fee);

  EvmNode& x_node;
  std::uint64_t x_chain_id;
  std::optional<proof::Wei> x_tip;
};

}  // namespace tally::chain
