#include "chain_adapter/keys/development_keys.h"

#include <string_view>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"

namespace tally::chain {

proof::PrivateKey development_key(std::uint64_t number) {
  constexpr std::string_view kPrefix = "tallystick development key";
  math::ByteWriter preimage;
  for (const char c : kPrefix) preimage.u8(static_cast<std::uint8_t>(c));
  preimage.u64be(number);
  auto key = proof::PrivateKey::from_bytes(math::sha256(preimage.view()).bytes);
  // A digest outside 1..n-1 has a chance of 2^-128, and no number that leads to one is known.
  TALLY_ASSERT(key.has_value());
  return *std::move(key);
}

}  // namespace tally::chain
