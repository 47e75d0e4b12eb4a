// Hexadecimal literals for tests.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "deterministic_math/numbers/digest.h"

namespace tally::test {

/// Exactly N bytes from 2N digits without 0x; a typing error in a test throws.
template <std::size_t N>
[[nodiscard]] std::array<std::uint8_t, N> hex(std::string_view digits) {
  std::array<std::uint8_t, N> bytes{};
  if (!math::from_hex(std::string("0x").append(digits), bytes)) throw std::invalid_argument(std::string(digits));
  return bytes;
}

}  // namespace tally::test
