// What `tally aggregate --task` gathers: contributions to a task on chain, and the batch that they are for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/aggregate_inputs.h"
#include "cli/console.h"
#include "cli/task_options.h"

namespace tally::cli {

/// Refuses flags that a task settles. With --leave-out-refused, updates that are not what was signed, and records that
/// cannot be read or are for another round, are left out with a warning. `task` and `store` outlive the result.
[[nodiscard]] sequencer::BatchInputs gather_contributions(const AggregateFlags& flags, const sequencer::OpenTask& task,
                                                          const sequencer::Extension& extension,
                                                          const chain::BatchStore& store,
                                                          const std::vector<std::filesystem::path>& updates,
                                                          const Console& console);

}  // namespace tally::cli
