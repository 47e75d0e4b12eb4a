// The values of the range proof: an interval, and where it has one the shape of a join over symbols (range_proof.h).
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "deterministic_math/ranges/interval.h"

namespace tally::math {

/// An accumulator, or one of the item's own result columns (after the accumulators).
using Symbol = std::size_t;

/// The join of `plain` and of s + offsets[s] over its symbols. All intervals are finite.
struct Join {
  std::optional<Range> plain;
  std::map<Symbol, Range> offsets;
};

/// `bound` always holds. `shape` is present only where it names a symbol: other values are their bound.
struct Value {
  Interval bound;
  std::optional<Join> shape;
  bool seed = false;  // half of the seed: only prf may take it
};

[[nodiscard]] inline Value plain_value(const Interval& bound) { return {.bound = bound, .shape = {}, .seed = false}; }
[[nodiscard]] Value symbol_value(Symbol symbol, const Interval& bound);

/// The value's shape, a finite bound counting as one.
[[nodiscard]] std::optional<Join> shape_of(const Value& value);

/// The shape of a value that is one of the two.
[[nodiscard]] std::optional<Join> either(const Value& a, const Value& b);

/// The shape of a + b and a - b, where one of them names no symbol (for a - b: b).
[[nodiscard]] std::optional<Join> sum(const Value& a, const Value& b);
[[nodiscard]] std::optional<Join> difference(const Value& a, const Value& b);

/// A symbol that starts at `init` and becomes `next` at most `times` times.
struct Growth {
  Symbol symbol = 0;
  i128 init = 0;
  i128 times = 0;
};

/// The values the symbol ever has, in terms of the symbols from `first_result` on; absent where `next` names another
/// accumulator or has no finite shape.
[[nodiscard]] Value grow(const Growth& growth, const Value& next, Symbol first_result);

}  // namespace tally::math
