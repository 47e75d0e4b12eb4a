// Every entry of a batch against its fold over the committed values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "verifier/replay/description.h"
#include "verifier/replay/finding_list.h"

namespace tally::verifier {

/// One entry by the definition of its program, as math::evaluate_entry gives it.
using EntryEvaluator = std::function<std::optional<math::ResultValues>(const math::Evaluation& evaluation,
                                                                       std::size_t item, std::uint64_t entry)>;

/// The smallest `limit` elements of the range that are outside the object's declared range.
[[nodiscard]] std::set<std::uint64_t> entries_outside(const math::Object& object, std::span<const std::byte> data,
                                                      const chain::EntryRange& range, std::size_t limit,
                                                      math::TaskPool& pool);

/// Adds a finding for each advice element outside its range and each entry that is not its fold, in the order of a
/// batch, until the list is full. The first wrong entry must be wrong for `scalar` too, and is an alarm otherwise; only
/// tests of that lend another one. Gives the number of entries that were compared.
std::uint64_t check_entries(const Description& batch, const math::Inputs& inputs, math::TaskPool& pool,
                            const chain::Work& work, FindingList& findings,
                            const EntryEvaluator& scalar = math::evaluate_entry);

}  // namespace tally::verifier
