// The range proof of a freshly lowered body and the validation of the whole program, with faults mapped to the text.
#pragma once

#include <vector>

#include "deterministic_math/language/bodies.h"
#include "deterministic_math/language/elaborate.h"

namespace tally::math {

/// Puts the body into item `item`, with the accumulators' ranges, and gives proved results their ranges. Returns the
/// results' ranges, declared and inferred. Throws CompileFailure.
std::vector<Range> prove_body(Program& program, std::size_t item, const LoweredBody& lowered, const ItemSyntax& syntax);

/// Asks the validator that every role asks. Throws CompileFailure.
void check_valid(const Program& program, const ItemPlaces& places);

}  // namespace tally::math
