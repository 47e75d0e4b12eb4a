// From the text of a body to the sections of its bytecode, and of a hint to its native sections.
#pragma once

#include <string>
#include <vector>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/language/emit.h"
#include "deterministic_math/language/lowering.h"

namespace tally::math {

/// The item whose body it is. `first_index` is the variable of its first own index: 1 inside a loop.
struct BodyInput {
  const ItemSyntax& syntax;
  Frame frame;
  LoweringContext context;
  std::size_t first_index = 0;
};

/// A body with what maps the range proof back to the text.
struct LoweredBody {
  Body body;  // `accumulators` is left to the proof
  Section step;
  Section finish;
  std::vector<LogicalUse> step_uses;
  std::vector<LogicalUse> finish_uses;
  std::vector<Identifier> accumulators;
};

/// Throws CompileFailure. `pool` is the program's.
[[nodiscard]] LoweredBody lower_body(const BodyInput& input, std::vector<i128>& pool);

/// The item's hint; `item` is its number.
[[nodiscard]] Hint lower_hint(const BodyInput& input, std::size_t item);

/// A dim, or a constant in 1..2^28.
[[nodiscard]] Extent resolve_extent(const Expr& expr, const Frame& frame, const LoweringContext& context);

}  // namespace tally::math
