// A block, as far as clients keep it.
#pragma once

#include <cstdint>

#include "fraud_proof/commitments/ids.h"

namespace tally::chain {

struct Block {
  std::uint64_t number = 0;
  std::uint64_t time_s = 0;
  proof::Digest parent{};
  proof::Digest hash{};
  bool operator==(const Block&) const = default;
};

}  // namespace tally::chain
