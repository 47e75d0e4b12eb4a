// Our own fixed-width codec for hashed bytes: a Writer that appends and a Reader that never reads past its end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::math {

/// Appends big-endian integers and raw bytes to a buffer.
class ByteWriter {
 public:
  void u8(std::uint8_t value) { x_bytes.push_back(value); }
  void u16be(std::uint16_t value) { append_be(value, 2); }
  void u32be(std::uint32_t value) { append_be(value, 4); }
  void u64be(std::uint64_t value) { append_be(value, 8); }
  void i32be(std::int32_t value) { append_be(static_cast<std::uint32_t>(value), 4); }
  void i64be(std::int64_t value) { append_be(static_cast<std::uint64_t>(value), 8); }
  void i128be(i128 value) { append_be(static_cast<u128>(value), 16); }
  void raw(Bytes data) { x_bytes.insert(x_bytes.end(), data.begin(), data.end()); }

  [[nodiscard]] Bytes view() const { return x_bytes; }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(x_bytes); }

 private:
  void append_be(u128 value, int width) {
    for (int i = width - 1; i >= 0; --i) x_bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }

  std::vector<std::uint8_t> x_bytes;
};

/// Reads what ByteWriter writes. A read past the end yields zero and makes ok() false for good.
class ByteReader {
 public:
  explicit ByteReader(Bytes data) : x_rest(data) {}

  [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(read_be(1)); }
  [[nodiscard]] std::uint16_t u16be() { return static_cast<std::uint16_t>(read_be(2)); }
  [[nodiscard]] std::uint32_t u32be() { return static_cast<std::uint32_t>(read_be(4)); }
  [[nodiscard]] std::uint64_t u64be() { return static_cast<std::uint64_t>(read_be(8)); }
  [[nodiscard]] std::int32_t i32be() { return static_cast<std::int32_t>(u32be()); }
  [[nodiscard]] std::int64_t i64be() { return static_cast<std::int64_t>(u64be()); }
  [[nodiscard]] i128 i128be() { return static_cast<i128>(read_be(16)); }
  [[nodiscard]] Bytes raw(std::size_t size) {
    if (!x_ok || size > x_rest.size()) {
      x_ok = false;
      return {};
    }
    const Bytes taken = x_rest.first(size);
    x_rest = x_rest.subspan(size);
    return taken;
  }

  [[nodiscard]] bool ok() const { return x_ok; }
  [[nodiscard]] std::size_t remaining() const { return x_rest.size(); }
  /// True iff every read succeeded and no byte is left over.
  [[nodiscard]] bool finished() const { return x_ok && x_rest.empty(); }

 private:
  u128 read_be(std::size_t width) {
    u128 value = 0;
    for (const std::uint8_t byte : raw(width)) value = (value << 8) | byte;
    return value;
  }

  Bytes x_rest;
  bool x_ok = true;
};

}  // namespace tally::math
