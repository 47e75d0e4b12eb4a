// The range proof: for one item, the interval of every value that its body can ever compute.
//
// Nothing in a program is checked for overflow when it runs, so it is proved beforehand that nothing can overflow. The
// proof is interval arithmetic over exact integers, from bytecode alone, so that compiler and validator share it.
//
// A fold repeats its step, so an accumulator's interval must hold before and after every step. During the proof a value
// is both an interval (with unbounded ends where nothing is known yet) and, where it has this shape, a join
//
//   [l', h']  or  s1 + [l1, h1]  or  s2 + [l2, h2]  or ...
//
// over symbols: the accumulators, and those result columns of the item that its own body reads back and that have no
// declared range. If a step turns accumulator s into ([l', h'] or s + [l, h]), then after at most L steps
//
//   min(init, l') + L * min(l, 0)  <=  s  <=  max(init, h') + L * max(h, 0).
//
// A step that does not depend on s at all gives the join of init and its interval. Scans obey the same rule with L =
// the number of entries and init = 0. Passes over the body resolve one symbol after the other; a symbol that resolves
// in no pass is an error. A last pass over plain intervals checks every instruction. docs/spec.md lists the rules by
// opcode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

/// What the proof finds. `step` and `finish` hold one interval for each instruction; for those without a result, the
/// interval of register a.
struct ItemRanges {
  std::vector<Range> accumulators;
  std::vector<Range> results;  // in order of columns: inferred, intersected with the declared range where there is one
  std::vector<Range> step;
  std::vector<Range> finish;
};

enum class RangeReason : std::uint8_t {
  kOverflow,               // a value may leave i128
  kUnboundedAccumulator,   // an accumulator grows by no fixed amount a step
  kUnboundedResult,        // a table that reads itself grows by no fixed amount an entry
  kDivisorNotPositive,     // a divisor may be below 1
  kShiftCount,             // a shift count may lie outside 0..126
  kNegativeRoot,           // an isqrt argument may be negative
  kNotLogical,             // a condition of sel, skipz or req may lie outside 0..1
  kPrfCounter,             // a prf counter may lie outside 0..2^63-1
  kSeedUse,                // half of the seed is used other than as operand a or b of prf
  kResultExceedsType,      // a result without a declared range may leave its element type
  kResultOutsideDeclared,  // a result can never lie in its declared range
};
inline constexpr std::size_t kRangeReasonCount = 11;

[[nodiscard]] std::string_view to_string(RangeReason reason);

enum class RangeSection : std::uint8_t { kStep, kFinish };

/// `index` is an instruction of the section; for kUnboundedAccumulator the accumulator (section kStep) and for the
/// kResult and kUnboundedResult reasons the column (section kFinish). `found` is the offending interval; an end beyond
/// i128 is cut to it and marked.
struct RangeFault {
  RangeSection section = RangeSection::kFinish;
  std::size_t index = 0;
  RangeReason reason = RangeReason::kOverflow;
  Range found;
  bool below = false;  // the lower end lies beyond i128 or is not known
  bool above = false;
};

/// One sentence for people, with the interval.
[[nodiscard]] std::string describe(const RangeFault& fault);

/// Proves the body of item `item`, taking the ranges of all other objects from the program. Ranges of the item's own
/// kProved results and Body::accumulators are not read: they are what is proved. The item's instructions must be well
/// formed (registers, objects, variables and constants in range); an item without a body proves trivially.
[[nodiscard]] std::expected<ItemRanges, RangeFault> prove_item(const Program& program, std::size_t item);

}  // namespace tally::math
