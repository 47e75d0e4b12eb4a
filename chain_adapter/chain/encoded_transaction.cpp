#include "chain_adapter/chain/encoded_transaction.h"

#include <stdexcept>
#include <string>

namespace tally::chain {

std::vector<std::uint8_t> encoded_transaction(const proof::Transaction& transaction) {
  std::vector<std::uint8_t> bytes = proof::encode(transaction);
  if (bytes.size() > proof::kMaxTransactionBytes) {
    throw std::length_error("a transaction of " + std::to_string(bytes.size()) + " bytes; a chain takes at most " +
                            std::to_string(proof::kMaxTransactionBytes));
  }
  return bytes;
}

}  // namespace tally::chain
