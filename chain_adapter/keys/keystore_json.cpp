// Reading the JSON text of key files.
#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <utility>

#include "chain_adapter/keys/keystore.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

namespace {

namespace json = boost::json;

template <class T>
using Result = std::expected<T, KeystoreRefusal>;

std::unexpected<KeystoreRefusal> refuse(KeystoreReason reason, std::string message) {
  return proof::refuse(reason, "key file: " + std::move(message));
}

Result<const json::object*> object_at(const json::object& parent, std::string_view name) {
  const json::value* const value = parent.if_contains(name);
  if (value == nullptr || !value->is_object()) {
    return refuse(KeystoreReason::kField, std::string(name) + " is not an object");
  }
  return &value->get_object();
}

Result<std::string_view> text_at(const json::object& parent, std::string_view name) {
  const json::value* const value = parent.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    return refuse(KeystoreReason::kField, std::string(name) + " is not a string");
  }
  return std::string_view(value->get_string());
}

Result<std::uint64_t> number_at(const json::object& parent, std::string_view name) {
  const json::value* const value = parent.if_contains(name);
  if (value != nullptr && value->is_uint64()) return value->get_uint64();
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return refuse(KeystoreReason::kField, std::string(name) + " is not a whole number");
}

Result<std::vector<std::uint8_t>> hex_at(const json::object& parent, std::string_view name, std::size_t min_bytes,
                                         std::size_t max_bytes) {
  const Result<std::string_view> text = text_at(parent, name);
  if (!text) return std::unexpected(text.error());
  std::vector<std::uint8_t> bytes(text->size() / 2);
  const bool fits = bytes.size() >= min_bytes && bytes.size() <= max_bytes;
  if (!fits || !math::from_hex(std::string("0x").append(*text), bytes)) {
    return refuse(KeystoreReason::kHex, std::string(name) + " is not " + std::to_string(min_bytes) + " to " +
                                            std::to_string(max_bytes) + " bytes in hexadecimal");
  }
  return bytes;
}

template <std::size_t N>
Result<std::array<std::uint8_t, N>> hex_array_at(const json::object& parent, std::string_view name) {
  const auto bytes = hex_at(parent, name, N, N);
  if (!bytes) return std::unexpected(bytes.error());
  std::array<std::uint8_t, N> array{};
  std::ranges::copy(*bytes, array.begin());
  return array;
}

Result<std::variant<ScryptCost, Pbkdf2Cost>> read_scrypt(const json::object& parameters) {
  const auto n = number_at(parameters, "n");
  if (!n) return std::unexpected(n.error());
  const auto r = number_at(parameters, "r");
  if (!r) return std::unexpected(r.error());
  const auto p = number_at(parameters, "p");
  if (!p) return std::unexpected(p.error());
  const bool in_limits = *n > 1 && *n <= kMaxScryptN && std::has_single_bit(*n) && *r >= 1 && *r <= kMaxScryptR &&
                         *p >= 1 && *p <= kMaxScryptP;
  if (!in_limits || 128 * *n * *r > kMaxScryptMemoryBytes) {
    return refuse(KeystoreReason::kCost, "scrypt with n " + std::to_string(*n) + ", r " + std::to_string(*r) + ", p " +
                                             std::to_string(*p) + " is outside what is accepted");
  }
  return ScryptCost{.n = *n, .r = *r, .p = *p};
}

Result<std::variant<ScryptCost, Pbkdf2Cost>> read_pbkdf2(const json::object& parameters) {
  const auto prf = text_at(parameters, "prf");
  if (!prf) return std::unexpected(prf.error());
  if (*prf != "hmac-sha256") return refuse(KeystoreReason::kKdf, "pbkdf2 with another function than hmac-sha256");
  const auto rounds = number_at(parameters, "c");
  if (!rounds) return std::unexpected(rounds.error());
  if (*rounds < 1 || *rounds > kMaxPbkdf2Rounds) {
    return refuse(KeystoreReason::kCost, "pbkdf2 with " + std::to_string(*rounds) + " rounds");
  }
  return Pbkdf2Cost{.rounds = *rounds};
}

Result<void> read_kdf(const json::object& crypto, Keystore& keystore) {
  const auto parameters = object_at(crypto, "kdfparams");
  if (!parameters) return std::unexpected(parameters.error());
  const auto length = number_at(**parameters, "dklen");
  if (!length) return std::unexpected(length.error());
  if (*length != 32) return refuse(KeystoreReason::kKdf, "a derived key that is not 32 bytes long");
  auto salt = hex_at(**parameters, "salt", 0, kMaxKeystoreBytes);
  if (!salt) return std::unexpected(salt.error());
  keystore.salt = *std::move(salt);
  const auto name = text_at(crypto, "kdf");
  if (!name) return std::unexpected(name.error());
  if (*name != "scrypt" && *name != "pbkdf2") {
    return refuse(KeystoreReason::kKdf, "a key derivation other than scrypt and pbkdf2");
  }
  const auto kdf = *name == "scrypt" ? read_scrypt(**parameters) : read_pbkdf2(**parameters);
  if (!kdf) return std::unexpected(kdf.error());
  keystore.kdf = *kdf;
  return {};
}

Result<void> read_crypto(const json::object& crypto, Keystore& keystore) {
  const auto cipher = text_at(crypto, "cipher");
  if (!cipher) return std::unexpected(cipher.error());
  if (*cipher != "aes-128-ctr") return refuse(KeystoreReason::kCipher, "a cipher other than aes-128-ctr");
  const auto parameters = object_at(crypto, "cipherparams");
  if (!parameters) return std::unexpected(parameters.error());
  const auto iv = hex_array_at<16>(**parameters, "iv");
  if (!iv) return std::unexpected(iv.error());
  keystore.iv = *iv;
  auto ciphertext = hex_at(crypto, "ciphertext", 1, 32);
  if (!ciphertext) return std::unexpected(ciphertext.error());
  keystore.ciphertext = *std::move(ciphertext);
  const auto mac = hex_array_at<32>(crypto, "mac");
  if (!mac) return std::unexpected(mac.error());
  keystore.mac = *mac;
  return read_kdf(crypto, keystore);
}

/// 40 digits of either case, with or without 0x: wallets differ, and the key will prove it.
Result<proof::Address> read_address(const json::object& file) {
  const auto text = text_at(file, "address");
  if (!text) return std::unexpected(text.error());
  const bool prefixed = text->starts_with("0x");
  proof::Address address;
  if (!math::from_hex(std::string(prefixed ? "" : "0x").append(*text), address.bytes)) {
    return refuse(KeystoreReason::kHex, "address is not 20 bytes in hexadecimal");
  }
  return address;
}

}  // namespace

std::expected<Keystore, KeystoreRefusal> parse_keystore(std::string_view text) {
  if (text.size() > kMaxKeystoreBytes) {
    return refuse(KeystoreReason::kTooLarge, "larger than " + std::to_string(kMaxKeystoreBytes) + " bytes");
  }
  json::parse_options options;
  options.max_depth = kMaxKeystoreDepth;
  json::error_code error;
  const json::value value = json::parse(text, error, {}, options);
  if (error) return refuse(KeystoreReason::kJson, "not readable as JSON: " + error.message());
  if (!value.is_object()) return refuse(KeystoreReason::kField, "not a JSON object");
  const json::object& file = value.get_object();

  const auto version = number_at(file, "version");
  if (!version) return std::unexpected(version.error());
  if (*version != 3) return refuse(KeystoreReason::kVersion, "version " + std::to_string(*version) + ", not 3");
  Keystore keystore;
  if (file.contains("address")) {
    const auto address = read_address(file);
    if (!address) return std::unexpected(address.error());
    keystore.address = *address;
  }
  // Some wallets write the name with a capital. Both at once would leave open which of them counts.
  if (file.contains("Crypto") && file.contains("crypto")) {
    return refuse(KeystoreReason::kField, "crypto stands there twice");
  }
  const auto crypto = object_at(file, file.contains("Crypto") ? "Crypto" : "crypto");
  if (!crypto) return std::unexpected(crypto.error());
  if (auto read = read_crypto(**crypto, keystore); !read) return std::unexpected(std::move(read.error()));
  return keystore;
}

}  // namespace tally::chain
