#include "chain_adapter/data/json_reader.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

namespace {

constexpr std::size_t kMaxDepth = 8;

}  // namespace

std::optional<boost::json::value> parse_json(std::string_view text, std::optional<JsonFailure>& failure) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(text, error, {}, options);
  if (error) {
    failure = JsonFailure{JsonReason::kNotJson, "not JSON: " + error.message()};
    return std::nullopt;
  }
  return value;
}

void JsonValue::fail(JsonReason reason, std::string message) const {
  if (!*x_failure) *x_failure = JsonFailure{reason, std::move(message)};
}

void JsonValue::refuse(std::string_view what) const {
  if (x_value != nullptr) fail(JsonReason::kValue, x_path + " is not " + std::string(what));
}

std::string JsonValue::text() const {
  if (x_value == nullptr) return {};
  if (const auto* const value = x_value->if_string()) return std::string(std::string_view(*value));
  refuse("a string");
  return {};
}

std::uint64_t JsonValue::natural(std::uint64_t max) const {
  if (x_value == nullptr) return 0;
  std::optional<std::uint64_t> value;
  if (const auto* const positive = x_value->if_uint64()) value = *positive;
  if (const auto* const number = x_value->if_int64(); number != nullptr && *number >= 0) {
    value = static_cast<std::uint64_t>(*number);
  }
  if (value && *value <= max) return *value;
  refuse("an integer in 0.." + std::to_string(max));
  return 0;
}

math::i128 JsonValue::wide_integer() const {
  if (x_value == nullptr) return 0;
  if (const auto* const number = x_value->if_int64()) return *number;
  if (const auto* const digits = x_value->if_string()) {
    if (const auto value = math::parse_i128(std::string_view(*digits))) return *value;
  }
  refuse("an integer");
  return 0;
}

void JsonValue::hex(std::span<std::uint8_t> out) const {
  if (x_value == nullptr) return;
  const auto* const digits = x_value->if_string();
  if (digits == nullptr || !math::from_hex(std::string_view(*digits), out)) {
    refuse("0x and " + std::to_string(2 * out.size()) + " hexadecimal digits");
  }
}

std::vector<std::uint8_t> JsonValue::hex_bytes(std::size_t max_bytes) const {
  if (x_value == nullptr) return {};
  const auto* const digits = x_value->if_string();
  if (digits != nullptr && digits->size() >= 2 && digits->size() % 2 == 0 && digits->size() <= 2 + 2 * max_bytes) {
    std::vector<std::uint8_t> bytes(digits->size() / 2 - 1);
    if (math::from_hex(std::string_view(*digits), bytes)) return bytes;
  }
  refuse("0x and hexadecimal digits of at most " + std::to_string(max_bytes) + " bytes");
  return {};
}

std::vector<JsonValue> JsonValue::elements() const {
  std::vector<JsonValue> values;
  if (x_value == nullptr) return values;
  const auto* const array = x_value->if_array();
  if (array == nullptr) {
    refuse("an array");
    return values;
  }
  values.reserve(array->size());
  for (const boost::json::value& value : *array) {
    values.emplace_back(&value, x_path + "[" + std::to_string(values.size()) + "]", *x_failure);
  }
  return values;
}

const boost::json::object* JsonValue::object() const {
  if (x_value == nullptr) return nullptr;
  const auto* const object = x_value->if_object();
  if (object == nullptr) refuse("an object");
  return object;
}

std::vector<JsonValue::Member> JsonValue::members() const {
  std::vector<Member> values;
  if (const auto* const own = object()) {
    values.reserve(own->size());
    for (const auto& member : *own) {
      const std::string key(std::string_view(member.key()));
      values.push_back({key, JsonValue(&member.value(), x_path + "." + key, *x_failure)});
    }
  }
  return values;
}

JsonValue JsonValue::operator[](std::string_view key) const {
  const boost::json::value* found = nullptr;
  const std::string path = x_path.empty() ? std::string(key) : x_path + "." + std::string(key);
  if (const auto* const own = object()) {
    found = own->if_contains(key);
    if (found == nullptr) fail(JsonReason::kMissingKey, path + " is missing");
  }
  return {found, path, *x_failure};
}

void JsonValue::expect_keys(std::span<const std::string_view> keys) const {
  const auto* const own = object();
  if (own == nullptr) return;
  for (const std::string_view key : keys) static_cast<void>((*this)[key]);
  for (const auto& member : *own) {
    if (std::ranges::find(keys, std::string_view(member.key())) != keys.end()) continue;
    fail(JsonReason::kUnknownKey,
         (x_path.empty() ? "" : x_path + ".") + std::string(std::string_view(member.key())) + " is not a known key");
  }
}

}  // namespace tally::chain
