// Which items may be evaluated together, block of entries by block of entries, so that rows are read once for all of
// them while they are in cache: a median's advice, for one, and the table that proves it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

/// Entries that fused items are best evaluated by at a time: few enough that some dozen rows stay in cache, enough that
/// planning an item anew for each part costs nothing.
inline constexpr std::uint64_t kFusedEntries = 4 * kRowBlock;

/// The end of the longest run of items from `item` on that may be evaluated so: all of rank 1 with the same extent,
/// outside loops, and each loads tables of the run at its own index only (its hint: not at all). At least item + 1.
[[nodiscard]] std::size_t fused_end(const CompiledProgram& compiled, std::size_t item);

}  // namespace tally::math
