// Random changes to programs: most make them invalid, some do not.
#pragma once

#include "deterministic_math/bytecode/program.h"
#include "tests/support/random_program.h"

namespace tally::test {

/// Changes one thing inside a random body: an instruction, a range, an initial value. Objects and shapes stay, so that
/// the program can run on the batch of the original. The instructions stay well formed.
void mutate_body(math::Program& program, Rng& rng);

/// Makes a changed program valid again where that is a matter of what it carries: proves the ranges anew, orders the
/// pool, drops links. Whether the validator accepts it then.
[[nodiscard]] bool settle(math::Program& program);

/// Changes one thing anywhere: dims, objects, constants, loops, items, links or a body.
void mutate_program(math::Program& program, Rng& rng);

}  // namespace tally::test
