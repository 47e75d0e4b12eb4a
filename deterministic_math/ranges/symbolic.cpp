#include "deterministic_math/ranges/symbolic.h"

#include <algorithm>

namespace tally::math {
namespace {

Interval sum_of(const Range& a, const Range& b) { return apply(Op::kAdd, to_interval(a), to_interval(b)); }

Range join_ranges(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

/// Every part moved by `delta`; absent where a part leaves i128.
std::optional<Join> shift(const Join& join, const Range& delta) {
  Join moved;
  if (join.plain) {
    const Interval plain = sum_of(*join.plain, delta);
    if (!plain.finite()) return std::nullopt;
    moved.plain = plain.cut();
  }
  for (const auto& [symbol, offset] : join.offsets) {
    const Interval sum = sum_of(offset, delta);
    if (!sum.finite()) return std::nullopt;
    moved.offsets.emplace(symbol, sum.cut());
  }
  return moved;
}

/// [times * min(lo, 0), times * max(hi, 0)].
Interval repeated(const Range& offset, i128 times) {
  const End count{0, times};
  return make_interval(multiply(count, {0, std::min<i128>(offset.lo, 0)}),
                       multiply(count, {0, std::max<i128>(offset.hi, 0)}));
}

}  // namespace

Value symbol_value(Symbol symbol, const Interval& bound) {
  return {.bound = bound, .shape = Join{.plain = {}, .offsets = {{symbol, Range{0, 0}}}}, .seed = false};
}

std::optional<Join> shape_of(const Value& value) {
  if (value.shape) return value.shape;
  if (!value.bound.finite()) return std::nullopt;
  return Join{.plain = value.bound.cut(), .offsets = {}};
}

std::optional<Join> either(const Value& a, const Value& b) {
  if (!a.shape && !b.shape) return std::nullopt;
  std::optional<Join> joined = shape_of(a);
  const std::optional<Join> other = shape_of(b);
  if (!joined || !other) return std::nullopt;
  if (other->plain) joined->plain = joined->plain ? join_ranges(*joined->plain, *other->plain) : *other->plain;
  for (const auto& [symbol, offset] : other->offsets) {
    const auto [at, inserted] = joined->offsets.emplace(symbol, offset);
    if (!inserted) at->second = join_ranges(at->second, offset);
  }
  return joined;
}

std::optional<Join> sum(const Value& a, const Value& b) {
  if (a.shape && !b.shape && b.bound.finite()) return shift(*a.shape, b.bound.cut());
  if (b.shape && !a.shape && a.bound.finite()) return shift(*b.shape, a.bound.cut());
  return std::nullopt;
}

std::optional<Join> difference(const Value& a, const Value& b) {
  const Interval negated = make_interval(negate(b.bound.hi), negate(b.bound.lo));
  if (!a.shape || b.shape || !negated.finite()) return std::nullopt;
  return shift(*a.shape, negated.cut());
}

Value grow(const Growth& growth, const Value& next, Symbol first_result) {
  const Interval start = to_interval({growth.init, growth.init});
  Value grown = plain_value(join(start, next.bound));
  const std::optional<Join> shape = shape_of(next);
  if (!shape) return grown;
  Interval spread = to_interval({0, 0});
  Join rest;
  for (const auto& [symbol, offset] : shape->offsets) {
    if (symbol == growth.symbol) {
      spread = repeated(offset, growth.times);
    } else if (symbol < first_result) {
      return grown;
    }
  }
  if (!spread.finite()) return grown;
  for (const auto& [symbol, offset] : shape->offsets) {
    if (symbol == growth.symbol) continue;
    const Interval moved = sum_of(offset, spread.cut());
    if (!moved.finite()) return grown;
    rest.offsets.emplace(symbol, moved.cut());
  }
  const Interval plain = shape->plain ? join(start, to_interval(*shape->plain)) : start;
  const Interval moved = apply(Op::kAdd, plain, spread);
  if (!moved.finite()) return grown;
  if (rest.offsets.empty()) {
    grown.bound = intersect(moved, grown.bound);
  } else {
    rest.plain = moved.cut();
    grown.shape = rest;
  }
  return grown;
}

}  // namespace tally::math
