// Fixed-width fields as the codecs of games and moves read them. A read past the end leaves zeros, and the reader not
// ok().
#pragma once

#include <algorithm>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

inline void read_digest(math::ByteReader& reader, math::Digest& digest) {
  std::ranges::copy(reader.raw(digest.bytes.size()), digest.bytes.begin());
}

inline void read_address(math::ByteReader& reader, Address& address) {
  std::ranges::copy(reader.raw(address.bytes.size()), address.bytes.begin());
}

}  // namespace tally::proof
