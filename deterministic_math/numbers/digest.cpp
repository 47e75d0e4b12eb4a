#include "deterministic_math/numbers/digest.h"

#include <openssl/sha.h>

namespace tally::math {

Digest sha256(Bytes data) {
  Digest digest;
  SHA256(data.data(), data.size(), digest.bytes.data());
  return digest;
}

std::string to_hex(Bytes data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  text.reserve(2 + 2 * data.size());
  for (const std::uint8_t byte : data) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool from_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (!text.starts_with("0x") || text.size() != 2 + 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit_value(text[2 + 2 * i]);
    const int low = digit_value(text[3 + 2 * i]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace tally::math
