// A signed transaction that decodes is written back as it came, and whatever arrives at a chain is taken or refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "chain_adapter/embedded/block_builder.h"
#include "chain_adapter/embedded/signed_transaction.h"
#include "deterministic_math/numbers/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const math::Bytes bytes(data, size);
  const auto transaction = chain::decode_signed_transaction(bytes);
  if (!transaction) return 0;
  TALLY_ASSERT(std::ranges::equal(chain::encode(*transaction), bytes));
  if (const auto arrived = chain::arrive(transaction->chain, bytes)) {
    TALLY_ASSERT(std::ranges::equal(proof::encode(arrived->transaction), transaction->payload));
  }
  return 0;
}
