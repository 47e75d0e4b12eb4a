#include "chain_adapter/chain/wei_text.h"

#include <algorithm>
#include <array>

#include "deterministic_math/numbers/int128.h"

namespace tally::chain {

namespace {

using math::u128;

struct Unit {
  std::string_view name;
  std::size_t digits;
};
constexpr std::array<Unit, 3> kUnits = {Unit{"gwei", 9}, Unit{"ether", 18}, Unit{"wei", 0}};
constexpr u128 kMax = ~u128{0};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::expected<u128, std::string> parse_digits(std::string_view digits) {
  u128 value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (value > (kMax - digit) / 10) return std::unexpected("an amount of 2^128 wei or more");
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace

std::string to_text(const proof::Wei& amount) {
  std::string digits;
  u128 rest = amount.value;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<char>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  std::ranges::reverse(digits);
  return digits;
}

std::string to_text_with_unit(const proof::Wei& amount) {
  std::string digits = to_text(amount);
  const Unit unit = digits.size() > 15 ? kUnits[1] : digits.size() > 6 ? kUnits[0] : kUnits[2];
  if (digits.size() <= unit.digits) digits.insert(0, unit.digits + 1 - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - unit.digits);
  digits.resize(digits.size() - unit.digits);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) digits += "." + fraction;
  return digits + " " + std::string(unit.name);
}

std::expected<proof::Wei, std::string> parse_wei(std::string_view text) {
  Unit unit = kUnits[2];
  for (const Unit& candidate : kUnits) {
    if (!text.ends_with(candidate.name)) continue;
    unit = candidate;
    text.remove_suffix(candidate.name.size());
    if (text.ends_with(' ')) text.remove_suffix(1);
    break;
  }
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (digits.empty() || (point != std::string_view::npos && fraction.empty()) ||
      !std::ranges::all_of(digits + fraction, is_digit)) {
    return std::unexpected("not an amount, such as 5, 20gwei or 1.5ether");
  }
  if (fraction.size() > unit.digits) return std::unexpected("a fraction of a wei");
  fraction.append(unit.digits - fraction.size(), '0');
  const auto value = parse_digits(digits + fraction);
  if (!value) return std::unexpected(value.error());
  return proof::Wei{*value};
}

std::optional<proof::Wei> add(const proof::Wei& a, const proof::Wei& b) {
  if (a.value > kMax - b.value) return std::nullopt;
  return proof::Wei{a.value + b.value};
}

}  // namespace tally::chain
