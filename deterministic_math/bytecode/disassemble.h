// A program as people read it: `tally program show`.
#pragma once

#include <string>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

/// The listing of a whole program: dims, objects with ranges, then each item's sections, one instruction a line.
/// `names` may be null: then objects are called `object 4` and so on.
[[nodiscard]] std::string disassemble(const Program& program, const ProgramNames* names);

/// One instruction, such as `add r3, r1, r2` or `ld r2, updates[r1, r4]`.
[[nodiscard]] std::string disassemble(const Program& program, const ProgramNames* names,
                                      const Instruction& instruction);

}  // namespace tally::math
