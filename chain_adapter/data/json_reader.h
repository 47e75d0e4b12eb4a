// Reads values out of parsed JSON and remembers the first thing that is not as it should be, with the path of its key.
// After a failure every reader gives zeros, so a caller reads a whole document and asks once at the end.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/int128.h"

namespace tally::chain {

enum class JsonReason : std::uint8_t { kNotJson, kMissingKey, kUnknownKey, kValue };

struct JsonFailure {
  JsonReason reason{};
  std::string message;
};

/// Bounded in depth; numbers keep 64 bits.
[[nodiscard]] std::optional<boost::json::value> parse_json(std::string_view text, std::optional<JsonFailure>& failure);

/// One value, at `path` of the document.
class JsonValue {
 public:
  JsonValue(const boost::json::value* value, std::string path, std::optional<JsonFailure>& failure)
      : x_value(value), x_path(std::move(path)), x_failure(&failure) {}

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t natural(std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) const;
  /// What JsonWriter::wide_integer writes.
  [[nodiscard]] math::i128 wide_integer() const;
  /// 0x and exactly as many digits as fill `out`.
  void hex(std::span<std::uint8_t> out) const;
  /// 0x and digits of at most `max_bytes` bytes.
  [[nodiscard]] std::vector<std::uint8_t> hex_bytes(std::size_t max_bytes) const;
  [[nodiscard]] bool is_null() const { return x_value != nullptr && x_value->is_null(); }
  [[nodiscard]] std::vector<JsonValue> elements() const;

  struct Member;
  /// Of an object whose keys are free.
  [[nodiscard]] std::vector<Member> members() const;

  /// The value of a key that an object must have.
  [[nodiscard]] JsonValue operator[](std::string_view key) const;
  /// Refuses an object that has a key which is not in `keys`, or lacks one.
  void expect_keys(std::span<const std::string_view> keys) const;

  void refuse(std::string_view what) const;

 private:
  [[nodiscard]] const boost::json::object* object() const;
  void fail(JsonReason reason, std::string message) const;

  const boost::json::value* x_value;  // null after a failure
  std::string x_path;
  std::optional<JsonFailure>* x_failure;
};

struct JsonValue::Member {
  std::string key;
  JsonValue value;
};

}  // namespace tally::chain
