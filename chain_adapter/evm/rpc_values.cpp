#include "chain_adapter/evm/rpc_values.h"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "chain_adapter/evm/rpc_client.h"

namespace tally::chain {

namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 100;

[[noreturn]] void refuse(const std::string& what, const json::value& found) {
  throw RpcFailure("a node answers with what is no " + what + ": " + json::serialize(found).substr(0, kShown));
}

std::string_view text_of(const json::value& value, const std::string& what) {
  if (!value.is_string()) refuse(what, value);
  return value.get_string();
}

math::u128 u128_of(const json::value& quantity) {
  const std::string_view text = text_of(quantity, "number");
  constexpr std::size_t kMostDigits = 32;
  const bool begins = text.starts_with("0x") && text.size() > 2 && text.size() - 2 <= kMostDigits;
  if (!begins) refuse("number", quantity);
  math::u128 number = 0;
  for (const char digit : text.substr(2)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t value = kDigits.find(digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit);
    if (value == std::string_view::npos) refuse("number", quantity);
    number = number << 4 | value;
  }
  return number;
}

template <class Fixed>
Fixed fixed_of(const json::value& hexadecimal, const std::string& what) {
  const std::string_view text = text_of(hexadecimal, what);
  Fixed value;
  if (!math::from_hex(text, value.bytes)) refuse(what, hexadecimal);
  return value;
}

}  // namespace

std::string quantity(math::u128 number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[static_cast<std::size_t>(number & 15)]);
    number >>= 4;
  } while (number != 0);
  return "0x" + text;
}

std::uint64_t number_of(const json::value& quantity) {
  const math::u128 number = u128_of(quantity);
  if (number > std::numeric_limits<std::uint64_t>::max()) refuse("number of 64 bits", quantity);
  return static_cast<std::uint64_t>(number);
}

proof::Wei wei_of(const json::value& quantity) { return {u128_of(quantity)}; }

std::vector<std::uint8_t> bytes_of(const json::value& hexadecimal) {
  const std::string_view text = text_of(hexadecimal, "bytes");
  std::vector<std::uint8_t> bytes(text.size() < 2 ? 0 : (text.size() - 2) / 2);
  if (!math::from_hex(text, bytes)) refuse("bytes", hexadecimal);
  return bytes;
}

proof::Digest digest_of(const json::value& hexadecimal) { return fixed_of<proof::Digest>(hexadecimal, "hash"); }

proof::Address address_of(const json::value& hexadecimal) { return fixed_of<proof::Address>(hexadecimal, "address"); }

const json::value& member_of(const json::value& object, std::string_view name) {
  const json::object* const members = object.if_object();
  const json::value* const found = members == nullptr ? nullptr : members->if_contains(name);
  if (found == nullptr) refuse("object with \"" + std::string(name) + "\"", object);
  return *found;
}

}  // namespace tally::chain
