// What a dispute costs: games over one forged entry, played to their end through the settlement machine.
#pragma once

#include <array>
#include <cstdint>

#include "fraud_proof/settlement/settlement.h"
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

/// Where the poster's claims turn false: at the first step, in the middle, at the last step, or only at the end.
enum class FalseFrom : std::uint8_t { kFirstStep, kMiddle, kLastStep, kResult };
inline constexpr std::array kAllFalseFrom = {FalseFrom::kFirstStep, FalseFrom::kMiddle, FalseFrom::kLastStep,
                                             FalseFrom::kResult};

/// Says in which block each transaction of a dispute is, those that create its task and post its batch included, and
/// sees what it did.
class DisputeObserver {
 public:
  virtual ~DisputeObserver() = default;
  [[nodiscard]] virtual proof::BlockContext next_block() = 0;
  virtual void applied(const proof::StateReader& before, const proof::BlockContext& block,
                       const proof::Message& message, const proof::OrRefused<proof::Effects>& effects) = 0;
};

/// A parameter of a fedavg batch is posted one unit too high, and the game over it is played to its end.
DisputeCost play_dispute(const math::Program& fedavg, const DisputeCase& dispute, FalseFrom from,
                         DisputeObserver& observer);

/// A parameter of a fedavg batch is posted one unit too high: the dearest of these games counts. `shape` is one that
/// fedavg takes.
[[nodiscard]] DisputeCost measure_dispute(const math::Program& fedavg, const DisputeCase& dispute);

}  // namespace tally::verifier
