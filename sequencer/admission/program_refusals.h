// Which records a program gives nothing for, as the program itself says.
//
// A program says so in computed tables of its records whose names begin with `refused_`: 1 where it counts a record for
// nothing, for the reason that the name tells. The rule stands there once: whoever admits records evaluates these
// tables over those that came in, on the states that the batch will extend, and hears the reason that the batch would
// show.
//
// After the prefix a name begins with that of the field at fault, or `member`: refused_timestamp_limit is about
// `timestamp`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/executor/executor.h"

namespace tally::sequencer {

inline constexpr std::string_view kRefusedPrefix = "refused_";

struct ProgramRefusal {
  std::uint64_t record = 0;
  std::string table;
  bool operator==(const ProgramRefusal&) const = default;
};

/// Whether the program has such tables that can be told.
[[nodiscard]] bool has_refusals(const math::CompiledProgram& program);

/// By record, then in the order of the program's tables. `inputs` has members, nonces, fields and states; records are
/// in the order of a batch, and as many as the program admits. Left out are tables that cannot be told from these
/// alone: those that need rows, a loop, or advice that must be supplied; and all where an entry on the way is FAIL.
[[nodiscard]] std::vector<ProgramRefusal> program_refusals(const math::CompiledProgram& program,
                                                           const math::BatchValues& values, math::Inputs inputs,
                                                           math::TaskPool& pool);

/// The field that a table of refusals is about: the longest name of a field, or `member`, that the table's name goes on
/// with. Empty where there is none.
[[nodiscard]] std::string refused_field(const math::CompiledProgram& program, std::string_view table);

}  // namespace tally::sequencer
