// The transactions that a settlement's contract took, read off its logs: each call's sender, value and bytes, and what
// the contract told of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "chain_adapter/evm/evm_node.h"

namespace tally::chain {

/// What the chain shows is not what docs/spec.md says of it: this program and the contracts disagree, or the node does
/// not tell the truth. Nothing is to be done on such ground.
class ChainDisagrees : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SettlementCall {
  TransactionId transaction{};
  std::uint64_t block = 0;
  proof::Address sender{};
  proof::Wei value{};
  std::vector<std::uint8_t> bytes{};                // the transaction of docs/spec.md, 10.3, or its short form
  std::vector<std::vector<std::uint8_t>> events{};  // as the contract tells them, in order; at least one
};

/// The transaction that a log is of.
using FindTransaction = std::function<EvmCall(const EvmLog&)>;

/// In order. Throws ChainDisagrees, and what `find` throws.
[[nodiscard]] std::vector<SettlementCall> settlement_calls(const proof::Address& contract, std::span<const EvmLog> logs,
                                                           const FindTransaction& find);

}  // namespace tally::chain
