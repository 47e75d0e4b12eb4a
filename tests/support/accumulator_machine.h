// Random programs that attack the growth rule of the range proof.
//
// Registers are few and dims are fixed and tiny, so that folds and scans run to their last step and bounds are met
// exactly: accumulators feed on one another, on the item's own smaller entries, and (in a loop) on a neighbour's.
#pragma once

#include <optional>

#include "tests/support/random_program.h"

namespace tally::test {

/// A valid program of one item, or of a loop of two; absent where the range proof refuses the draw.
[[nodiscard]] std::optional<math::Program> accumulator_machine(Rng& rng);

}  // namespace tally::test
