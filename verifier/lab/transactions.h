// What single transactions cost, each as dear as it gets at a thousand clients: posts of five tables, keepers'
// signatures, the moves of a game over leaves of 1 KiB under 20 levels, the proofs of the other checks, and the end of
// a batch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verifier/lab/dispute.h"

namespace tally::verifier {

struct TransactionCost {
  std::string name;
  std::uint64_t gas = 0;
  /// What it should cost at most; absent for those that nothing is asked of.
  std::optional<std::uint64_t> goal{};
};

/// What a whole dispute over 1,000 clients and 10^7 parameters should cost at most, both sides.
inline constexpr std::uint64_t kDisputeGasGoal = 400'000;

/// The dearest of the games by gas. The first dispute of a challenger costs more, once: words of the settlement that
/// were 0 are dearer, so `chain` should have seen one.
[[nodiscard]] DisputeSteps dearest_dispute(const math::Program& program, const DisputeCase& dispute, LabChain& chain);
/// One that makes the words that disputes write again and again be other than 0.
void break_in(const math::Program& fedavg, LabChain& chain);

[[nodiscard]] std::vector<TransactionCost> measure_posts(LabChain& chain);
[[nodiscard]] std::vector<TransactionCost> measure_moves(const math::Program& fedavg, LabChain& chain);
[[nodiscard]] std::vector<TransactionCost> measure_proofs(LabChain& chain);

}  // namespace tally::verifier
