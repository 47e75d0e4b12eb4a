#include "deterministic_math/numbers/prf.h"

#include "deterministic_math/numbers/assert.h"

namespace tally::math {

Digest prf_block(i128 a, i128 b, std::uint64_t block) {
  std::array<std::uint8_t, 41> message{0x10};
  const auto put = [&message](std::size_t at, u128 value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) message[at + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
  };
  put(1, static_cast<u128>(a), 16);
  put(17, static_cast<u128>(b), 16);
  put(33, block, 8);
  return sha256(message);
}

std::uint32_t prf_word(const Digest& digest, unsigned index) {
  TALLY_ASSERT(index < kPrfWords);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word = (word << 8) | digest.bytes[4 * std::size_t{index} + i];
  return word;
}

i128 prf(i128 a, i128 b, i128 c) {
  if (c < 0 || c >= (i128{1} << 63)) return 0;
  return prf_word(prf_block(a, b, static_cast<std::uint64_t>(c / kPrfWords)), static_cast<unsigned>(c % kPrfWords));
}

}  // namespace tally::math
