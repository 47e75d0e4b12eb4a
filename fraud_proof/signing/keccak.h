// Keccak-256 as Ethereum uses it: the padding of the SHA-3 submission, not of FIPS 202. Only for what Ethereum's
// conventions need (addresses, EIP-712, keystore files); commitments use SHA-256.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof {

using math::Bytes;

/// Distinct from math::Digest, so that the two hash functions are never mistaken for each other.
struct KeccakDigest {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const KeccakDigest&) const = default;
};

[[nodiscard]] KeccakDigest keccak256(Bytes data);

}  // namespace tally::proof
