// EIP-712: what a wallet signs when it signs structured data. Structures are written as a type hash and 32-byte words
// (fraud_proof/encoding/words.h); arrays and strings are words that hold the Keccak-256 of their contents.
#pragma once

#include <cstdint>
#include <string_view>

#include "fraud_proof/signing/address.h"
#include "fraud_proof/signing/keccak.h"

namespace tally::proof {

struct SigningDomain {
  std::string_view name{};
  std::string_view version{};
  std::uint64_t chain_id = 0;
  Address verifying_contract{};
};

/// The domain of every Tallystick signature on that chain and contract.
[[nodiscard]] SigningDomain tallystick_domain(std::uint64_t chain_id, const Address& verifying_contract);

[[nodiscard]] KeccakDigest keccak256_of_text(std::string_view text);

/// hashStruct of EIP712Domain(string name,string version,uint256 chainId,address verifyingContract).
[[nodiscard]] KeccakDigest domain_separator(const SigningDomain& domain);

/// keccak256(0x19 ‖ 0x01 ‖ domain separator ‖ hashStruct(message)): the hash that is signed.
[[nodiscard]] KeccakDigest typed_data_hash(const KeccakDigest& separator, const KeccakDigest& struct_hash);

}  // namespace tally::proof
