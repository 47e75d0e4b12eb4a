#include "fraud_proof/signing/address.h"

#include <algorithm>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/signing/keccak.h"

namespace tally::proof {

Address address_of(const PublicKey& key) {
  const KeccakDigest digest = keccak256(key.bytes);
  Address address;
  std::copy(digest.bytes.end() - 20, digest.bytes.end(), address.bytes.begin());
  return address;
}

std::string to_text(const Address& address) {
  std::string text = math::to_hex(Bytes{address.bytes});
  const std::string_view digits = std::string_view(text).substr(2);
  const std::vector<std::uint8_t> ascii(digits.begin(), digits.end());
  const KeccakDigest digest = keccak256(ascii);
  for (std::size_t i = 0; i < ascii.size(); ++i) {
    const int nibble = (digest.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15;
    char& digit = text[2 + i];
    if (digit >= 'a' && nibble >= 8) digit = static_cast<char>(digit - 'a' + 'A');
  }
  return text;
}

std::expected<Address, Refusal<AddressReason>> parse_address(std::string_view text) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'F'; };
  const auto is_digit = [&](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || is_upper(c); };
  if (!text.starts_with("0x")) return refuse(AddressReason::kPrefix, "an address starts with 0x");
  if (text.size() != 42) return refuse(AddressReason::kLength, "an address has 40 hexadecimal digits after 0x");
  const auto wrong = std::ranges::find_if_not(text.substr(2), is_digit);
  if (wrong != text.end()) {
    return refuse(AddressReason::kDigit,
                  "character " + std::to_string(wrong - text.begin() + 1) + " of the address is no hexadecimal digit");
  }
  Address address;
  const bool parsed = math::from_hex(text, address.bytes);
  TALLY_ASSERT(parsed);
  if (std::ranges::any_of(text, is_upper) && to_text(address) != text) {
    return refuse(AddressReason::kChecksum, "the checksum of the address is wrong: a digit was mistyped");
  }
  return address;
}

}  // namespace tally::proof
