#include "deterministic_math/numbers/int128.h"

#include <algorithm>

namespace tally::math {

std::string to_string(i128 value) {
  const bool negative = value < 0;
  u128 magnitude = negative ? u128{0} - static_cast<u128>(value) : static_cast<u128>(value);
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(magnitude % 10)));
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative) digits.push_back('-');
  std::ranges::reverse(digits);
  return digits;
}

std::optional<i128> parse_i128(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 39 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  if (negative && text == "0") return std::nullopt;
  const u128 limit = static_cast<u128>(kI128Max) + (negative ? 1 : 0);
  u128 magnitude = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<u128>(c - '0');
    if (magnitude > (limit - digit) / 10) return std::nullopt;
    magnitude = magnitude * 10 + digit;
  }
  return static_cast<i128>(negative ? u128{0} - magnitude : magnitude);
}

}  // namespace tally::math
