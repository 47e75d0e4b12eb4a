// Every entry of a batch against its fold over the committed values.
#pragma once

#include <cstdint>

#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/task_pool.h"
#include "verifier/replay/description.h"
#include "verifier/replay/finding_list.h"

namespace tally::verifier {

/// Adds a finding for each advice element outside its range and each entry that is not its fold, in the order of a
/// batch, until the list is full. Gives the number of entries that were compared.
std::uint64_t check_entries(const Description& batch, const math::Inputs& inputs, math::TaskPool& pool,
                            const chain::Work& work, FindingList& findings);

}  // namespace tally::verifier
