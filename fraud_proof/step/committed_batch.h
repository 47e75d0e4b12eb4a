// What the chain knows of a batch once it was shown the header behind the batch's id: everything that an opening is
// checked against, and everything that a section runs on but the loaded values.
#pragma once

#include <cstdint>

#include "deterministic_math/bytecode/program.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/commitments/table_commitment.h"

namespace tally::proof {

/// The program has passed the validator, K is within its bounds, and the parts outlive this.
struct CommittedBatch {
  const math::Program& program;
  const BatchHeader& header;
  /// Of the task.
  std::uint32_t leaf_bytes = kDefaultLeafBytes;
  /// Dims, batch number and seed.
  math::BatchValues values{};
};

}  // namespace tally::proof
