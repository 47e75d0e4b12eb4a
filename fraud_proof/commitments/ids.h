// Digests that name things are types of their own, so that one is never passed for another.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof {

using math::Digest;

template <class What>
struct DigestOf {
  Digest digest;
  auto operator<=>(const DigestOf&) const = default;
};

using TaskId = DigestOf<struct TaskTag>;
using BatchId = DigestOf<struct BatchTag>;
using StateRoot = DigestOf<struct StateTag>;
using GameId = DigestOf<struct GameTag>;

/// The parent of a task's first batch, and the numbers that batches have.
inline constexpr BatchId kGenesisParent{};
inline constexpr std::uint64_t kFirstBatch = 1;
inline constexpr std::uint64_t kLastBatch = std::uint64_t{1} << 40;

template <class What>
[[nodiscard]] std::string to_hex(const DigestOf<What>& id) {
  return math::to_hex(id.digest);
}

}  // namespace tally::proof
