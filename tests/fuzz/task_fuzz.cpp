// A task's preimage that decodes is written back as it came.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/task.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const math::Bytes bytes(data, size);
  if (const auto task = proof::decode_task(bytes)) {
    TALLY_ASSERT(std::ranges::equal(proof::encode(*task), bytes));
  }
  return 0;
}
