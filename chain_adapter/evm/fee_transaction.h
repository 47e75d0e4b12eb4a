// Transactions of EIP-1559 (type 2), signed here: a node never sees a private key.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/signing/keccak.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

struct FeeTransaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  proof::Wei priority_fee{};  // most, of one unit of gas
  proof::Wei fee{};           // most in all, of one unit of gas
  std::uint64_t gas = 0;
  std::optional<proof::Address> to{};  // absent: makes a contract
  proof::Wei value{};
  std::vector<std::uint8_t> data{};
};

/// keccak256(0x02 ‖ rlp([chain id, nonce, priority fee, fee, gas, to, value, data, access list])).
[[nodiscard]] proof::KeccakDigest signing_hash(const FeeTransaction& transaction);

/// The bytes that a node takes: 0x02 ‖ rlp([…, parity, r, s]).
[[nodiscard]] std::vector<std::uint8_t> signed_bytes(const FeeTransaction& transaction, const proof::PrivateKey& key);

/// Of the contract that a sender's transaction makes: the last 20 bytes of keccak256(rlp([sender, nonce])).
[[nodiscard]] proof::Address created_address(const proof::Address& sender, std::uint64_t nonce);

}  // namespace tally::chain
