// What the settlement's clients ask of an Ethereum node, with its answers as types. Whatever keeps the node from
// answering is an RpcFailure, what it refuses an RpcError.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/evm/rpc_client.h"
#include "chain_adapter/ledger/block.h"

namespace tally::chain {

struct EvmBlock {
  Block block{};
  proof::Wei base_fee{};
};

struct EvmLog {
  std::uint64_t block = 0;
  proof::Digest block_hash{};
  TransactionId transaction{};
  std::vector<proof::Digest> topics{};
  std::vector<std::uint8_t> data{};
};

/// A transaction, as far as it calls.
struct EvmCall {
  proof::Address sender{};
  std::optional<proof::Address> to{};
  proof::Wei value{};
  std::vector<std::uint8_t> data{};
  std::optional<std::uint64_t> block{};  // absent: in none yet
};

struct EvmSent {
  TransactionId id{};
  std::uint64_t nonce = 0;
  EvmCall call{};
};

struct EvmReceipt {
  TransactionId transaction{};
  bool taken = false;
  std::uint64_t block = 0;
  std::uint64_t gas = 0;
};

class EvmNode {
 public:
  explicit EvmNode(RpcClient& rpc) : x_rpc(rpc) {}

  [[nodiscard]] std::uint64_t chain_id();
  [[nodiscard]] EvmBlock latest();
  [[nodiscard]] std::optional<EvmBlock> block(std::uint64_t number);
  /// The hash of block 0; zeros where the node has it no more.
  [[nodiscard]] proof::Digest first_block();
  /// The earliest that the next block can have, as far as the node says.
  [[nodiscard]] std::uint64_t next_time_s();

  /// At the latest block, or at an earlier one, which nodes that keep no history refuse.
  [[nodiscard]] std::vector<std::uint8_t> code(const proof::Address& address,
                                               std::optional<std::uint64_t> block = std::nullopt);
  [[nodiscard]] proof::Wei balance(const proof::Address& address);
  /// Of the sender's next transaction, those counted that wait for a block.
  [[nodiscard]] std::uint64_t next_nonce(const proof::Address& sender);
  /// By blocks up to this one; absent: up to the latest. Nonces count from 0.
  [[nodiscard]] std::uint64_t used_nonces(const proof::Address& sender,
                                          std::optional<std::uint64_t> block = std::nullopt);

  /// Of the blocks `first` to `last`, in order.
  [[nodiscard]] std::vector<EvmLog> logs(const proof::Address& contract, std::uint64_t first, std::uint64_t last);
  /// Of the block with this hash. RpcError where the node does not have it.
  [[nodiscard]] std::vector<EvmLog> logs(const proof::Address& contract, const proof::Digest& block);
  [[nodiscard]] std::optional<EvmCall> transaction(const TransactionId& id);
  /// All that are in a block, in order; none where the node does not have it.
  [[nodiscard]] std::vector<EvmSent> transactions(const proof::Digest& block);
  [[nodiscard]] std::optional<EvmReceipt> receipt(const TransactionId& id);

  /// What a call would return; RpcError where it reverts. `block`: as of its end; absent: as of the latest.
  [[nodiscard]] std::vector<std::uint8_t> simulate(const EvmCall& call, std::optional<std::uint64_t> block);
  [[nodiscard]] std::uint64_t estimate_gas(const EvmCall& call);
  /// By how much the sender should outbid the base fee.
  [[nodiscard]] proof::Wei priority_fee();
  [[nodiscard]] TransactionId send(math::Bytes signed_transaction);

 private:
  RpcClient& x_rpc;
};

}  // namespace tally::chain
