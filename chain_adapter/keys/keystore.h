// Password-protected key files in the format of the Web3 Secret Storage Definition, version 3: the JSON files of geth,
// Foundry and most wallets. The key is encrypted with AES-128-CTR under a key derived from the password, and a
// Keccak-256 MAC tells a wrong password. Written with scrypt; read with scrypt or PBKDF2. Every cost that a file asks
// for is bounded before it is paid.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

inline constexpr std::size_t kMaxKeystoreBytes = 64 * 1024;
inline constexpr std::size_t kMaxKeystoreDepth = 8;
inline constexpr std::uint64_t kMaxScryptN = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxScryptR = 16;
inline constexpr std::uint64_t kMaxScryptP = 16;
/// scrypt works in 128·n·r bytes.
inline constexpr std::uint64_t kMaxScryptMemoryBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kMaxPbkdf2Rounds = 10'000'000;

/// Parameters of RFC 7914; the defaults are geth's: 256 MiB and about a second. n is a power of two above 1.
struct ScryptCost {
  std::uint64_t n = std::uint64_t{1} << 18;
  std::uint64_t r = 8;
  std::uint64_t p = 1;
  auto operator<=>(const ScryptCost&) const = default;
};

/// Rounds of PBKDF2 with HMAC-SHA-256.
struct Pbkdf2Cost {
  std::uint64_t rounds = 0;
  auto operator<=>(const Pbkdf2Cost&) const = default;
};

/// What a key file says.
struct Keystore {
  /// Some wallets leave it out. It is a claim until the key is decrypted.
  std::optional<proof::Address> address;
  /// 1 to 32 bytes; old files drop leading zeros of the key.
  std::vector<std::uint8_t> ciphertext;
  std::array<std::uint8_t, 16> iv{};
  std::array<std::uint8_t, 32> mac{};
  std::vector<std::uint8_t> salt;
  std::variant<ScryptCost, Pbkdf2Cost> kdf;
  auto operator<=>(const Keystore&) const = default;
};

enum class KeystoreReason : std::uint8_t {
  kFile,           // missing, or not a regular file
  kTooLarge,       // more than kMaxKeystoreBytes
  kJson,           // not JSON, or nested too deeply
  kField,          // a field is missing or of another type
  kHex,            // a field is not hexadecimal, or not of its length
  kVersion,        // not version 3
  kCipher,         // not aes-128-ctr
  kKdf,            // neither scrypt nor pbkdf2 with hmac-sha256, or a derived key of another length
  kCost,           // a cost outside the limits above
  kWrongPassword,  // the MAC is another
  kKey,            // what was decrypted is no private key
  kAddress,        // the key has another address than the file says
};

using KeystoreRefusal = proof::Refusal<KeystoreReason>;

[[nodiscard]] std::expected<Keystore, KeystoreRefusal> parse_keystore(std::string_view json);
[[nodiscard]] std::expected<proof::PrivateKey, KeystoreRefusal> decrypt_key(const Keystore& keystore,
                                                                            std::string_view password);

/// The JSON text of a new key file with fresh salt, IV and id. The cost is within the limits.
[[nodiscard]] std::string encrypt_key(const proof::PrivateKey& key, std::string_view password,
                                      const ScryptCost& cost = {});

[[nodiscard]] std::expected<Keystore, KeystoreRefusal> read_keystore(const std::filesystem::path& path);
/// Writes a new file that only its owner can read. A file that is there already stays, and std::system_error says so.
void write_keystore(const std::filesystem::path& path, std::string_view json);

/// A key from the operating system's random numbers.
[[nodiscard]] proof::PrivateKey random_private_key();

}  // namespace tally::chain
