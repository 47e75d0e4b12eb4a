// The 32-byte big-endian words of Ethereum's ABI, as batch headers and EIP-712 structures use them: numbers and
// addresses right-aligned, signed numbers sign-extended, digests as they are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

inline constexpr std::size_t kWordBytes = 32;

class WordWriter {
 public:
  void u64(std::uint64_t value) {
    x_bytes.insert(x_bytes.end(), 24, std::uint8_t{0});
    append(value);
  }
  void i64(std::int64_t value) {
    x_bytes.insert(x_bytes.end(), 24, value < 0 ? std::uint8_t{0xff} : std::uint8_t{0});
    append(static_cast<std::uint64_t>(value));
  }
  void address(const Address& value) {
    x_bytes.insert(x_bytes.end(), 12, std::uint8_t{0});
    x_bytes.insert(x_bytes.end(), value.bytes.begin(), value.bytes.end());
  }
  void bytes32(std::span<const std::uint8_t, kWordBytes> value) {
    x_bytes.insert(x_bytes.end(), value.begin(), value.end());
  }

  [[nodiscard]] math::Bytes view() const { return x_bytes; }

 private:
  void append(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) x_bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }

  std::vector<std::uint8_t> x_bytes;
};

/// Reads words from a buffer whose length the caller has checked. A word whose unused high bytes are not all zero has
/// a second, non-canonical form: it reads as nothing.
class WordReader {
 public:
  explicit WordReader(math::Bytes data) : x_rest(data) {}

  [[nodiscard]] std::optional<std::uint64_t> u64() {
    math::ByteReader low(next_after_zeros(24));
    const std::uint64_t value = low.u64be();
    return low.finished() ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] std::optional<Address> address() {
    const math::Bytes low = next_after_zeros(12);
    if (low.empty()) return std::nullopt;
    Address value;
    std::ranges::copy(low, value.bytes.begin());
    return value;
  }
  [[nodiscard]] math::Digest digest() {
    math::Digest value;
    std::ranges::copy(next(), value.bytes.begin());
    return value;
  }

 private:
  math::Bytes next() {
    TALLY_ASSERT(x_rest.size() >= kWordBytes);
    const math::Bytes word = x_rest.first(kWordBytes);
    x_rest = x_rest.subspan(kWordBytes);
    return word;
  }
  math::Bytes next_after_zeros(std::size_t count) {
    const math::Bytes word = next();
    const bool padded = std::ranges::all_of(word.first(count), [](std::uint8_t byte) { return byte == 0; });
    return padded ? word.subspan(count) : math::Bytes{};
  }

  math::Bytes x_rest;
};

}  // namespace tally::proof
