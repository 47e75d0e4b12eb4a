// The ABI of Solidity, as far as the contracts need it: calls whose arguments are words, byte strings and lists of byte
// strings, and what they return. (Contract ABI Specification of Solidity, "Formal Specification of the Encoding".)
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/signing/address.h"

namespace tally::chain {

using Selector = std::array<std::uint8_t, 4>;

/// Of a function or a custom error, from "name(type,type)".
[[nodiscard]] Selector selector_of(std::string_view signature);

/// Writes a tuple: static values into its head, dynamic ones behind it.
class AbiWriter {
 public:
  void word(std::span<const std::uint8_t, 32> value);
  void number(std::uint64_t value);
  void address(const proof::Address& value);
  void bytes(math::Bytes value);
  void list_of_bytes(std::span<const std::vector<std::uint8_t>> values);

  /// All of it.
  [[nodiscard]] std::vector<std::uint8_t> take() const;
  /// Behind a function's selector.
  [[nodiscard]] std::vector<std::uint8_t> call(const Selector& function) const;

 private:
  struct Part {
    std::vector<std::uint8_t> head;  // empty: a dynamic value, whose place comes here
    std::vector<std::uint8_t> tail;
  };
  std::vector<Part> x_parts;
};

/// Why bytes are no such tuple.
enum class AbiReason : std::uint8_t {
  kTruncated,  // a value stands behind the end
  kPlace,      // a place or a length of 2^32 or more
  kPadding,    // bytes that a value does not use are not 0
};

template <class T>
using OrNotAbi = std::expected<T, AbiReason>;

/// Reads values of a tuple, in order.
class AbiReader {
 public:
  explicit AbiReader(math::Bytes tuple) : x_tuple(tuple) {}

  [[nodiscard]] OrNotAbi<std::array<std::uint8_t, 32>> word();
  [[nodiscard]] OrNotAbi<std::uint64_t> number();
  [[nodiscard]] OrNotAbi<proof::Address> address();
  /// Points into the tuple.
  [[nodiscard]] OrNotAbi<math::Bytes> bytes();
  [[nodiscard]] OrNotAbi<std::vector<math::Bytes>> list_of_bytes();

 private:
  /// What a place in the head points to.
  [[nodiscard]] OrNotAbi<math::Bytes> dynamic();

  math::Bytes x_tuple;
  std::size_t x_place = 0;
};

}  // namespace tally::chain
