// A header that decodes is written back as it came.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const math::Bytes bytes(data, size);
  if (const auto header = proof::decode_header(bytes)) {
    TALLY_ASSERT(std::ranges::equal(proof::encode(*header), bytes));
  }
  return 0;
}
