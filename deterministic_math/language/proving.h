// Runs the range proof on a freshly lowered body and maps its faults back to the text.
#pragma once

#include <vector>

#include "deterministic_math/language/bodies.h"

namespace tally::math {

/// Puts the body into item `item`, with the accumulators' ranges, and gives proved results their ranges. Returns the
/// results' ranges, declared and inferred. Throws CompileFailure.
std::vector<Range> prove_body(Program& program, std::size_t item, LoweredBody lowered, const ItemSyntax& syntax);

}  // namespace tally::math
