#include <algorithm>
#include <bit>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/game/game.h"

namespace tally::proof {

namespace {

// Bits of a value in two's complement, the sign's included.
std::size_t signed_bits(math::i128 value) {
  const auto magnitude = static_cast<math::u128>(value < 0 ? ~value : value);
  const auto high = static_cast<std::uint64_t>(magnitude >> 64);
  const auto low = static_cast<std::uint64_t>(magnitude);
  return 1 + static_cast<std::size_t>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

std::size_t claim_bytes(const math::Body& body) {
  std::size_t bytes = 0;
  for (const math::Range& range : body.accumulators) bytes += accumulator_width(range);
  return bytes;
}

math::i128 read_signed(math::Bytes bytes) {
  math::u128 value = (bytes.front() & 0x80) != 0 ? ~math::u128{0} : 0;
  for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
  return static_cast<math::i128>(value);
}

}  // namespace

std::size_t accumulator_width(const math::Range& range) {
  return (std::max(signed_bits(range.lo), signed_bits(range.hi)) + 7) / 8;
}

std::vector<std::uint8_t> encode_claims(const math::Body& body, std::span<const math::Accumulators> claims) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(claims.size() * claim_bytes(body));
  for (const math::Accumulators& claim : claims) {
    for (std::size_t j = 0; j < body.accumulators.size(); ++j) {
      const std::size_t width = accumulator_width(body.accumulators[j]);
      TALLY_ASSERT(signed_bits(claim[j]) <= 8 * width);
      const auto value = static_cast<math::u128>(claim[j]);
      for (std::size_t i = width; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }
  return bytes;
}

OrRefused<std::vector<math::Accumulators>> decode_claims(const math::Body& body, std::size_t count,
                                                         math::Bytes claims) {
  TALLY_ASSERT(count <= kMaxArity);
  const std::size_t wanted = count * claim_bytes(body);
  if (claims.size() != wanted) {
    return refuse(Reason::kClaimSize, "claims of " + std::to_string(claims.size()) + " bytes, not the " +
                                          std::to_string(wanted) + " of " + std::to_string(count) + " boundaries");
  }
  std::vector<math::Accumulators> values(count);
  for (math::Accumulators& value : values) {
    for (std::size_t j = 0; j < body.accumulators.size(); ++j) {
      const std::size_t width = accumulator_width(body.accumulators[j]);
      value[j] = read_signed(claims.first(width));
      claims = claims.subspan(width);
    }
  }
  return values;
}

}  // namespace tally::proof
