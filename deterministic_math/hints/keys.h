// The keys that hints select from, evaluated in lanes: many entries at one index v, or one entry along v.
//
// Hint sections are outside the range proof, so their intervals are worked out here; where one may leave i128, lanes of
// 128 bits wrap as the interpreter does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/executor/code.h"
#include "deterministic_math/executor/graph.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/runner.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

/// A hint at a batch's dims.
struct HintContext {
  const Program& program;
  const BatchValues& values;
  const Inputs& inputs;
  const Hint& hint;
  [[nodiscard]] const Item& item() const { return program.items[hint.item]; }
  [[nodiscard]] std::uint64_t over() const { return extent_value(hint.over, values); }
  [[nodiscard]] std::uint64_t inner_extent() const;  // of the last of two indices; 0 for fewer
  [[nodiscard]] std::uint64_t entries() const;
  [[nodiscard]] Position position(std::uint64_t entry) const;
};

[[nodiscard]] Graph hint_graph(const HintContext& context, std::span<const Instruction> section);

/// Schedules a hint section: `keys` as a fold's step over v, `rank` as a finish.
enum class HintSection : std::uint8_t { kKeys, kRank };
[[nodiscard]] Code schedule_hint(const HintContext& context, const Graph& graph, HintSection section, Axis axis,
                                 std::size_t& row_loads);

}  // namespace tally::math
