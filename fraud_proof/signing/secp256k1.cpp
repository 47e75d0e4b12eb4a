#include "fraud_proof/signing/secp256k1.h"

#include <openssl/crypto.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>

#include "deterministic_math/numbers/assert.h"

namespace tally::proof {

namespace {

using Scalar = std::array<std::uint8_t, 32>;

/// n, and floor(n/2), big-endian (SEC 2, section 2.4.1).
constexpr Scalar kOrder = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                           0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                           0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

constexpr Scalar half_of(const Scalar& number) {
  Scalar half{};
  int carry = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    half[i] = static_cast<std::uint8_t>((carry << 7) | (number[i] >> 1));
    carry = number[i] & 1;
  }
  return half;
}
constexpr Scalar kHalfOrder = half_of(kOrder);

/// Never freed: it lives as long as the program. Shared by all threads, as the library allows for a constant context.
const secp256k1_context* context() {
  static const secp256k1_context* const kContext = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  return kContext;
}

PublicKey to_public_key(const secp256k1_pubkey& point) {
  std::array<std::uint8_t, 65> serialized;
  std::size_t size = serialized.size();
  secp256k1_ec_pubkey_serialize(context(), serialized.data(), &size, &point, SECP256K1_EC_UNCOMPRESSED);
  TALLY_ASSERT(size == serialized.size());
  PublicKey key;
  std::copy(serialized.begin() + 1, serialized.end(), key.bytes.begin());
  return key;
}

}  // namespace

std::expected<PrivateKey, Refusal<KeyReason>> PrivateKey::from_bytes(std::span<const std::uint8_t, 32> big_endian) {
  // The library's check takes the same time for every key; only a refused one may be looked at.
  if (secp256k1_ec_seckey_verify(context(), big_endian.data()) == 0) {
    const bool zero = std::ranges::all_of(big_endian, [](std::uint8_t byte) { return byte == 0; });
    if (zero) return refuse(KeyReason::kZero, "the private key is 0");
    return refuse(KeyReason::kNotBelowOrder, "the private key is not below the order of secp256k1");
  }
  PrivateKey key;
  std::ranges::copy(big_endian, key.x_bytes.begin());
  return key;
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept : x_bytes(other.x_bytes) { other.wipe(); }

PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  if (this != &other) {
    x_bytes = other.x_bytes;
    other.wipe();
  }
  return *this;
}

PrivateKey::~PrivateKey() { wipe(); }

void PrivateKey::wipe() noexcept { OPENSSL_cleanse(x_bytes.data(), x_bytes.size()); }

PublicKey PrivateKey::public_key() const {
  secp256k1_pubkey point;
  const int created = secp256k1_ec_pubkey_create(context(), &point, x_bytes.data());
  TALLY_ASSERT(created == 1);
  return to_public_key(point);
}

Signature sign(const PrivateKey& key, MessageHash hash) {
  secp256k1_ecdsa_recoverable_signature recoverable;
  const int is_signed = secp256k1_ecdsa_sign_recoverable(context(), &recoverable, hash.data(), key.bytes().data(),
                                                         secp256k1_nonce_function_rfc6979, nullptr);
  TALLY_ASSERT(is_signed == 1);
  Signature signature;
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), signature.bytes.data(), &recovery_id,
                                                          &recoverable);
  // Ids 2 and 3 mean r >= n before reduction: probability 2^-127, and no key is known to reach it.
  TALLY_ASSERT(recovery_id == 0 || recovery_id == 1);
  signature.bytes[64] = static_cast<std::uint8_t>(27 + recovery_id);
  return signature;
}

std::expected<Address, Refusal<SignatureReason>> recover_signer(const Signature& signature, MessageHash hash) {
  Scalar r;
  Scalar s;
  std::copy_n(signature.bytes.begin(), 32, r.begin());
  std::copy_n(signature.bytes.begin() + 32, 32, s.begin());
  const int v = signature.bytes[64];
  if (v != 27 && v != 28) {
    return refuse(SignatureReason::kRecoveryId, "v of the signature is " + std::to_string(v) + ", not 27 or 28");
  }
  if (r == Scalar{}) return refuse(SignatureReason::kRZero, "r of the signature is 0");
  if (r >= kOrder) return refuse(SignatureReason::kRNotBelowOrder, "r of the signature is not below the group order");
  if (s == Scalar{}) return refuse(SignatureReason::kSZero, "s of the signature is 0");
  if (s > kHalfOrder) return refuse(SignatureReason::kSHigh, "s of the signature is above half the group order");

  secp256k1_ecdsa_recoverable_signature recoverable;
  const int parsed =
      secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &recoverable, signature.bytes.data(), v - 27);
  TALLY_ASSERT(parsed == 1);
  secp256k1_pubkey point;
  if (secp256k1_ecdsa_recover(context(), &point, &recoverable, hash.data()) == 0) {
    return refuse(SignatureReason::kNoPoint, "no public key gives this signature");
  }
  return refuse_zero_address(address_of(to_public_key(point)));
}

std::expected<Address, Refusal<SignatureReason>> refuse_zero_address(const Address& recovered) {
  if (recovered == Address{}) {
    return refuse(SignatureReason::kZeroAddress, "the signature recovers the address 0");
  }
  return recovered;
}

}  // namespace tally::proof
