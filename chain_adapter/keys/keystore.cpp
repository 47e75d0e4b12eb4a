#include "chain_adapter/keys/keystore.h"

#include <cryptopp/scrypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/signing/keccak.h"

namespace tally::chain {

namespace {

using proof::PrivateKey;

/// Bytes that are wiped when they end.
template <std::size_t N>
struct Secret {
  std::array<std::uint8_t, N> bytes{};
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

/// The first half encrypts, the second authenticates.
using DerivedKey = Secret<32>;

void require_openssl(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL cannot ").append(what));
}

void fill_random(std::span<std::uint8_t> out) {
  require_openssl(RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1, "draw random numbers");
}

/// Crypto++, because OpenSSL refuses n >= 2^(16 r), which published key files have.
void derive(const ScryptCost& cost, std::string_view password, math::Bytes salt, DerivedKey& key) {
  // Bytes of any kind may be looked at as unsigned ones; a copy of the password would have to be wiped.
  const auto* const password_bytes = reinterpret_cast<const std::uint8_t*>(password.data());
  CryptoPP::Scrypt().DeriveKey(key.bytes.data(), key.bytes.size(), password_bytes, password.size(), salt.data(),
                               salt.size(), cost.n, cost.r, cost.p);
}

void derive(const Pbkdf2Cost& cost, std::string_view password, math::Bytes salt, DerivedKey& key) {
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                     static_cast<int>(salt.size()), static_cast<int>(cost.rounds), EVP_sha256(),
                                     static_cast<int>(key.bytes.size()), key.bytes.data());
  require_openssl(done == 1, "derive a key with PBKDF2");
}

/// Encrypting and decrypting are the same in counter mode.
void apply_aes_128_ctr(const DerivedKey& key, const std::array<std::uint8_t, 16>& iv, math::Bytes in,
                       std::span<std::uint8_t> out) {
  TALLY_ASSERT(in.size() == out.size());
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  int written = 0;
  const bool done = context != nullptr &&
                    EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key.bytes.data(), iv.data()) == 1 &&
                    EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) == 1;
  require_openssl(done && written == static_cast<int>(in.size()), "encrypt with AES-128-CTR");
}

std::array<std::uint8_t, 32> mac_of(const DerivedKey& key, math::Bytes ciphertext) {
  std::vector<std::uint8_t> preimage(key.bytes.begin() + 16, key.bytes.end());
  preimage.insert(preimage.end(), ciphertext.begin(), ciphertext.end());
  const proof::KeccakDigest digest = proof::keccak256(preimage);
  OPENSSL_cleanse(preimage.data(), preimage.size());
  return digest.bytes;
}

/// Without the leading 0x: key files have none.
std::string hex_of(math::Bytes bytes) { return math::to_hex(bytes).substr(2); }

/// A random (version 4) UUID of RFC 4122.
std::string random_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  fill_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text = hex_of(bytes);
  for (const std::size_t place : {8U, 13U, 18U, 23U}) text.insert(place, "-");
  return text;
}

}  // namespace

std::expected<PrivateKey, KeystoreRefusal> decrypt_key(const Keystore& keystore, std::string_view password) {
  DerivedKey derived;
  std::visit([&](const auto& cost) { derive(cost, password, keystore.salt, derived); }, keystore.kdf);
  const std::array<std::uint8_t, 32> mac = mac_of(derived, keystore.ciphertext);
  if (CRYPTO_memcmp(mac.data(), keystore.mac.data(), mac.size()) != 0) {
    return proof::refuse(KeystoreReason::kWrongPassword, "key file: the password is wrong");
  }
  Secret<32> secret;
  TALLY_ASSERT(!keystore.ciphertext.empty() && keystore.ciphertext.size() <= secret.bytes.size());
  apply_aes_128_ctr(derived, keystore.iv, keystore.ciphertext,
                    std::span(secret.bytes).last(keystore.ciphertext.size()));
  auto key = PrivateKey::from_bytes(secret.bytes);
  if (!key) return proof::refuse(KeystoreReason::kKey, "key file: " + key.error().message);
  if (keystore.address && *keystore.address != key->address()) {
    return proof::refuse(KeystoreReason::kAddress, "key file: it is for " + proof::to_text(*keystore.address) +
                                                       ", but holds the key of " + proof::to_text(key->address()));
  }
  return *std::move(key);
}

std::string encrypt_key(const PrivateKey& key, std::string_view password, const ScryptCost& cost) {
  std::array<std::uint8_t, 32> salt{};
  std::array<std::uint8_t, 16> iv{};
  fill_random(salt);
  fill_random(iv);
  DerivedKey derived;
  derive(cost, password, salt, derived);
  std::array<std::uint8_t, 32> ciphertext{};
  apply_aes_128_ctr(derived, iv, key.bytes(), ciphertext);

  const boost::json::object file = {
      {"address", hex_of(key.address().bytes)},
      {"crypto",
       {{"cipher", "aes-128-ctr"},
        {"cipherparams", {{"iv", hex_of(iv)}}},
        {"ciphertext", hex_of(ciphertext)},
        {"kdf", "scrypt"},
        {"kdfparams", {{"dklen", 32}, {"n", cost.n}, {"p", cost.p}, {"r", cost.r}, {"salt", hex_of(salt)}}},
        {"mac", hex_of(mac_of(derived, ciphertext))}}},
      {"id", random_uuid()},
      {"version", 3}};
  return boost::json::serialize(file) + "\n";
}

std::expected<Keystore, KeystoreRefusal> read_keystore(const std::filesystem::path& path) {
  auto bytes = read_file(path, kMaxKeystoreBytes);
  if (!bytes) {
    const bool large = bytes.error().reason == FileReason::kTooLarge;
    return proof::refuse(large ? KeystoreReason::kTooLarge : KeystoreReason::kFile, std::move(bytes.error().message));
  }
  auto keystore = parse_keystore(std::string(bytes->begin(), bytes->end()));
  if (!keystore) keystore.error().message = path.string() + ": " + keystore.error().message;
  return keystore;
}

void write_keystore(const std::filesystem::path& path, std::string_view json) {
  AtomicFile file(path, kSecretFileMode);
  file.write(std::vector<std::uint8_t>(json.begin(), json.end()));
  file.commit_new();
}

PrivateKey random_private_key() {
  while (true) {
    Secret<32> secret;
    fill_random(secret.bytes);
    if (auto key = PrivateKey::from_bytes(secret.bytes)) return *std::move(key);
  }
}

}  // namespace tally::chain
