// A transaction or an event that decodes is written back as it came.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/transaction.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const math::Bytes bytes(data, size);
  if (const auto transaction = proof::decode_transaction(bytes)) {
    TALLY_ASSERT(std::ranges::equal(proof::encode(*transaction), bytes));
  }
  if (const auto event = proof::decode_event(bytes)) TALLY_ASSERT(std::ranges::equal(proof::encode(*event), bytes));
  return 0;
}
