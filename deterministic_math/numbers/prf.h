// The pseudo-random function of programs: opcode PRF.
#pragma once

#include <cstdint>

#include "deterministic_math/numbers/digest.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::math {

/// Words of one PRF digest; consecutive counters share it.
inline constexpr unsigned kPrfWords = 8;

/// SHA-256(0x10 || be128 a || be128 b || be64 block).
[[nodiscard]] Digest prf_block(i128 a, i128 b, std::uint64_t block);

/// Word `index` (below kPrfWords) of a digest, u32 big-endian.
[[nodiscard]] std::uint32_t prf_word(const Digest& digest, unsigned index);

/// Word (c mod 8) of prf_block(a, b, floor(c / 8)); 0 where c < 0 or c >= 2^63.
[[nodiscard]] i128 prf(i128 a, i128 b, i128 c);

}  // namespace tally::math
