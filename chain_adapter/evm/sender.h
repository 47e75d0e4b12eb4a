// How transactions reach an EVM chain, and get into a block.
//
// Gas, fees and nonce are the node's to say, the signature is made here, and what is on its way is kept in an outbox
// before a node hears of it. Whoever asks for a transaction's fate drives it on: what its node has forgotten is sent
// again, byte for byte; what waits for too long is signed again with the same nonce for a higher fee. All these are one
// transaction under one id. So does the next send() of the same key with what an earlier process left behind; and who
// sends what is on its way already gets that one's id.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "chain_adapter/evm/evm_node.h"
#include "chain_adapter/evm/outbox.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

struct Outgoing {
  const proof::PrivateKey& key;
  proof::Address to{};
  proof::Wei value{};
  std::vector<std::uint8_t> data{};
};

struct SenderSettings {
  /// What is paid for a unit of gas beyond the base fee. Absent: what the node suggests.
  std::optional<proof::Wei> tip{};
  /// The most of that: 50 gwei. A node that suggests more is not followed.
  proof::Wei max_tip{50'000'000'000};
  /// The most that a unit of gas may cost in all: 500 gwei.
  proof::Wei max_fee{500'000'000'000};
  /// A transaction waits for too long after so many blocks, or so many seconds where they are slow.
  std::uint64_t patience_blocks = 5;
  std::uint64_t patience_s = 180;
  /// A used nonce counts when so many blocks are behind the one that used it.
  std::uint64_t settled_blocks = 2;
  std::function<std::uint64_t()> now_s{};  // absent: the host's clock
};

/// A unit of gas costs more than the settings allow.
class FeeAboveLimit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Whereabouts {
  /// kNonceUsed: by another transaction of the same account, so that this one never happens.
  enum class Kind : std::uint8_t { kUnknown, kPending, kInBlock, kNonceUsed };
  Kind kind = Kind::kUnknown;
  EvmCall call{};                        // but for kUnknown
  EvmReceipt receipt{};                  // kInBlock
  std::optional<TransactionId> other{};  // kNonceUsed: by which; absent where no node says
};

/// Of a unit of gas.
struct GasPrices {
  proof::Wei now{};    // with the tip
  proof::Wei least{};  // that its sender has to own before it is sent
};

/// What a transaction may use for which the node estimates `gas`.
[[nodiscard]] std::uint64_t gas_limit(std::uint64_t gas);

class Sender {
 public:
  /// The outbox is in `folder`; where that is empty, in memory.
  Sender(EvmNode& node, std::uint64_t chain_id, const std::filesystem::path& folder, SenderSettings settings = {});

  /// What the contract would refuse is not sent, and InsufficientFunds is said before it is. Any other refusal of the
  /// node is an RpcError. Throws FeeAboveLimit.
  [[nodiscard]] proof::OrRefused<TransactionId> send(const Outgoing& outgoing);

  /// Throws FeeAboveLimit.
  [[nodiscard]] GasPrices prices();

  /// Of what was sent from this outbox. Drives on what is not in a block, once for each block and every few seconds;
  /// what send() was not given the key of is not signed again. Throws FeeAboveLimit, RpcError.
  [[nodiscard]] Whereabouts follow(const TransactionId& id);

 private:
  struct Counts {
    std::uint64_t mined = 0;  // nonces below are used in blocks
    std::uint64_t known = 0;  // nonces below are used there, or by what waits at the node
  };
  struct Fees {
    proof::Wei tip{};
    proof::Wei fee{};
  };
  struct Look {
    proof::Digest block{};  // the latest then
    std::uint64_t time_s = 0;
  };

  [[nodiscard]] std::optional<TransactionId> take_up(const proof::Address& sender, const math::Digest& purpose,
                                                     const EvmBlock& latest);
  [[nodiscard]] TransactionId sign_and_send(const Outgoing& outgoing, const math::Digest& purpose, std::uint64_t gas,
                                            const Fees& fees, const Block& latest);
  [[nodiscard]] std::optional<EvmReceipt> receipt(const SentTransaction& sent);
  [[nodiscard]] Counts counts(const proof::Address& sender);
  /// Whether blocks up to this one used its nonce, as far as nodes say.
  [[nodiscard]] bool is_used(const SentTransaction& sent, std::uint64_t block);
  /// By which transaction.
  [[nodiscard]] std::optional<TransactionId> used_by(const SentTransaction& sent, std::uint64_t block);
  [[nodiscard]] bool is_known(const SentTransaction& sent);
  [[nodiscard]] proof::Wei tip();
  [[nodiscard]] Fees fees_at(const EvmBlock& latest);

  void drive_on(const SentTransaction& sent, const EvmBlock& latest, const Counts& counts);
  /// And what is missing before it.
  void send_again(const SentTransaction& sent, const Counts& counts);
  void replace(const SentTransaction& sent, const EvmBlock& latest);

  EvmNode& x_node;
  std::uint64_t x_chain_id;
  SenderSettings x_settings;
  Outbox x_outbox;
  std::map<proof::Address, proof::PrivateKey> x_keys;
  std::map<TransactionId, Look> x_looks;
  std::map<proof::Address, proof::Digest> x_taken_up;  // at which latest block
};

}  // namespace tally::chain
