// ECDSA over secp256k1 with recovery, in Ethereum's form: r ‖ s ‖ v, v 27 or 28, and only the low one of the two
// possible s (EIP-2), so that a signature has exactly one valid encoding. Signing is deterministic (RFC 6979).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <span>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

/// What is signed: 32 bytes of any hash function.
using MessageHash = std::span<const std::uint8_t, 32>;

enum class KeyReason : std::uint8_t { kZero, kNotBelowOrder };

/// A number in 1..n-1, n the order of secp256k1. Moves, never copies; wiped when it is moved away and when it ends.
class PrivateKey {
 public:
  [[nodiscard]] static std::expected<PrivateKey, Refusal<KeyReason>> from_bytes(
      std::span<const std::uint8_t, 32> big_endian);

  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;
  ~PrivateKey();

  [[nodiscard]] std::span<const std::uint8_t, 32> bytes() const { return x_bytes; }
  [[nodiscard]] PublicKey public_key() const;
  [[nodiscard]] Address address() const { return address_of(public_key()); }

 private:
  PrivateKey() = default;
  void wipe() noexcept;

  std::array<std::uint8_t, 32> x_bytes{};
};

/// Raw bytes r ‖ s ‖ v; only recover_signer() says whether they are a signature.
struct Signature {
  std::array<std::uint8_t, 65> bytes{};
  auto operator<=>(const Signature&) const = default;
};

enum class SignatureReason : std::uint8_t {
  kRecoveryId,      // v is neither 27 nor 28
  kRZero,           // r = 0
  kRNotBelowOrder,  // r >= n
  kSZero,           // s = 0
  kSHigh,           // s > n/2
  kNoPoint,         // no public key gives this signature: r is no point's x, or the key would be the point at infinity
  kZeroAddress,     // the recovered address is 0
};

[[nodiscard]] Signature sign(const PrivateKey& key, MessageHash hash);

/// The address whose key signed `hash`, if the signature is canonical.
[[nodiscard]] std::expected<Address, Refusal<SignatureReason>> recover_signer(const Signature& signature,
                                                                              MessageHash hash);

/// The last check of recover_signer(), apart because no known key reaches it.
[[nodiscard]] std::expected<Address, Refusal<SignatureReason>> refuse_zero_address(const Address& recovered);

}  // namespace tally::proof
