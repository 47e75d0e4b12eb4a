// A SHA-256 digest, and one-shot SHA-256 (FIPS 180-4). Hashing of many leaves at once is in fraud_proof/hashing.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tally::math {

using Bytes = std::span<const std::uint8_t>;

/// The same bytes as numbers: what files and tables hold, as hashes and codecs read it.
[[nodiscard]] inline Bytes unsigned_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes unsigned_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
};

[[nodiscard]] Digest sha256(Bytes data);

/// Lower-case hex with a leading 0x.
[[nodiscard]] std::string to_hex(Bytes data);
[[nodiscard]] inline std::string to_hex(const Digest& digest) { return to_hex(Bytes{digest.bytes}); }

/// Fills `out` exactly from hex with a leading 0x (either case); false where the text is anything else.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace tally::math
