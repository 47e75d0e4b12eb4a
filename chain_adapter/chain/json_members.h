// Members of a JSON object, written by the type of their value.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/event_json.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/data/json_writer.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/signing/address.h"

namespace tally::chain {

/// Of the innermost object.
class Members {
 public:
  explicit Members(JsonWriter& json) : x_json(json) {}

  void operator()(std::string_view key, std::string_view value) const {
    x_json.key(key);
    x_json.string(value);
  }
  void operator()(std::string_view key, const char* value) const { (*this)(key, std::string_view(value)); }
  void operator()(std::string_view key, bool value) const {
    x_json.key(key);
    x_json.boolean(value);
  }
  template <std::unsigned_integral Natural>
  void operator()(std::string_view key, Natural value) const {
    x_json.key(key);
    x_json.integer(value);
  }
  void operator()(std::string_view key, const proof::Wei& value) const { (*this)(key, to_text(value)); }
  void operator()(std::string_view key, const proof::Address& value) const { (*this)(key, proof::to_text(value)); }
  void operator()(std::string_view key, const proof::Digest& value) const { (*this)(key, math::to_hex(value)); }
  template <class What>
  void operator()(std::string_view key, const proof::DigestOf<What>& value) const {
    (*this)(key, value.digest);
  }
  void operator()(std::string_view key, math::Bytes value) const { (*this)(key, math::to_hex(value)); }
  void operator()(std::string_view key, const std::vector<std::uint8_t>& value) const {
    (*this)(key, math::Bytes(value));
  }
  void operator()(std::string_view key, std::span<const proof::Digest> values) const {
    list(key, values, [this](const proof::Digest& value) { x_json.string(math::to_hex(value)); });
  }
  void operator()(std::string_view key, std::span<const proof::Address> values) const {
    list(key, values, [this](const proof::Address& value) { x_json.string(proof::to_text(value)); });
  }
  void operator()(std::string_view key, std::span<const std::uint64_t> values) const {
    list(key, values, [this](std::uint64_t value) { x_json.integer(value); });
  }
  void operator()(std::string_view key, std::span<const math::i128> values) const {
    list(key, values, [this](math::i128 value) { x_json.wide_integer(value); });
  }
  template <class Value, class Write>
  void list(std::string_view key, std::span<Value> values, const Write& write) const {
    x_json.key(key);
    x_json.begin_array();
    for (const auto& value : values) write(value);
    x_json.end_array();
  }
  template <class Object>
  void object(std::string_view key, const Object& value) const {
    x_json.key(key);
    write_json(x_json, value);
  }
  void null(std::string_view key) const {
    x_json.key(key);
    x_json.null();
  }
  void unless_zero(std::string_view key, const proof::Address& value) const {
    value == proof::Address{} ? null(key) : (*this)(key, value);
  }

 private:
  JsonWriter& x_json;
};

}  // namespace tally::chain
