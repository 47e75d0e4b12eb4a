// What a dispute costs: games over one forged entry, played to their end through the settlement machine.
#pragma once

#include <cstdint>

#include "verifier/lab/column_batch.h"

namespace tally::verifier {

struct DisputeCase {
  ColumnShape shape{};
  std::uint16_t arity = 32;
};

/// Bytes are those of the encoded transactions, headers and game states included.
struct DisputeCost {
  std::uint64_t transactions = 0;
  std::uint64_t rounds = 0;  // responses of the poster
  std::uint64_t challenger_bytes = 0;
  std::uint64_t poster_bytes = 0;
  std::uint64_t largest_bytes = 0;  // of one transaction
  [[nodiscard]] std::uint64_t bytes() const { return challenger_bytes + poster_bytes; }
};

/// A parameter of a fedavg batch is posted one unit too high. The poster's claims turn false at the first step, in the
/// middle, at the last step, or only at the end: the dearest of these games counts. `shape` is one that fedavg takes.
[[nodiscard]] DisputeCost measure_dispute(const math::Program& fedavg, const DisputeCase& dispute);

}  // namespace tally::verifier
