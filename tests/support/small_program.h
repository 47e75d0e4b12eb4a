// A small valid program, written by hand: fedavg over K records with a guard, and pieces to build others from.
#pragma once

#include "deterministic_math/bytecode/program.h"

namespace tally::test {

/// dims K in 1..8, M in 2..2, D in 1..4; field `examples` in 1..100; row `updates: i32[D]`; states `model: i32[D]` and
/// `credit: i64[M]`, payable; then
///   table total = sum of examples
///   advice middle[d in D]: i32, its check requires that middle[d] <= model[d] + 2^40
///   table next_model[d in D] = clamp(model[d] + div_round(sum of updates * examples, max(total, 1)), i32)
///   loop of 2 rounds: table walk[t]: i64 = walk[t-1] + total
/// and next model = next_model.
[[nodiscard]] math::Program small_program();

inline constexpr math::ObjectId kExamples = 2;
inline constexpr math::ObjectId kUpdates = 3;
inline constexpr math::ObjectId kModel = 4;
inline constexpr math::ObjectId kCredit = 5;
inline constexpr math::ObjectId kTotal = 6;
inline constexpr math::ObjectId kMiddle = 7;
inline constexpr math::ObjectId kNextModel = 8;
inline constexpr math::ObjectId kWalk = 9;

}  // namespace tally::test
