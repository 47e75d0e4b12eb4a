// Ethereum addresses: the last 20 bytes of the Keccak-256 of a public key, written with the checksum of EIP-55.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "fraud_proof/encoding/refusal.h"

namespace tally::proof {

struct Address {
  std::array<std::uint8_t, 20> bytes{};
  /// Order of unsigned bytes: the order of records.
  auto operator<=>(const Address&) const = default;
};

/// An uncompressed secp256k1 point without its leading 0x04: x ‖ y, big-endian.
struct PublicKey {
  std::array<std::uint8_t, 64> bytes{};
  auto operator<=>(const PublicKey&) const = default;
};

[[nodiscard]] Address address_of(const PublicKey& key);

/// 0x and 40 digits, where the case of the letters is the checksum of EIP-55.
[[nodiscard]] std::string to_text(const Address& address);

enum class AddressReason : std::uint8_t { kPrefix, kLength, kDigit, kChecksum };

/// Parses 0x and 40 digits, either all in lower case or with a right EIP-55 checksum.
[[nodiscard]] std::expected<Address, Refusal<AddressReason>> parse_address(std::string_view text);

}  // namespace tally::proof
