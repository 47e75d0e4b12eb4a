// What a sender hands to the embedded chain: a transaction with everything that its fate depends on, signed with
// secp256k1. docs/spec.md gives the bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

struct SignedTransaction {
  ChainIdentity chain{};
  /// Transactions of the sender that were applied before.
  std::uint64_t nonce = 0;
  proof::Wei value{};
  /// An encoded transaction, of at most proof::kMaxTransactionBytes.
  std::vector<std::uint8_t> payload{};
  proof::Signature signature{};
  bool operator==(const SignedTransaction&) const = default;
};

/// Bytes beside the payload: chain id, contract, nonce, value, signature.
inline constexpr std::size_t kEnvelopeBytes = 8 + 20 + 8 + 32 + 65;

/// SHA-256(0x0a ‖ u64be chain id ‖ contract[20] ‖ u64be nonce ‖ u256be value ‖ payload).
[[nodiscard]] proof::Digest signing_hash(const SignedTransaction& transaction);
void sign(SignedTransaction& transaction, const proof::PrivateKey& key);
/// Whose key signed it; kBadSignature.
[[nodiscard]] proof::OrRefused<proof::Address> sender_of(const SignedTransaction& transaction);

/// u64be chain id ‖ contract[20] ‖ u64be nonce ‖ u256be value ‖ payload ‖ signature[65].
[[nodiscard]] std::vector<std::uint8_t> encode(const SignedTransaction& transaction);
/// kMalformed unless the bytes are what encode() gives. The payload is not looked at.
[[nodiscard]] proof::OrRefused<SignedTransaction> decode_signed_transaction(math::Bytes bytes);

/// SHA-256(0x0c ‖ the signed transaction's bytes).
[[nodiscard]] TransactionId transaction_id(math::Bytes signed_transaction);

}  // namespace tally::chain
