// Batches for the aggregation rules, from ties to the ends of i32, and exact arithmetic for their oracles: integers
// without bounds, sorting, summing and comparing in plain loops.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>

#include "tests/support/memory_world.h"
#include "tests/support/reference_arithmetic.h"

namespace tally::test {

inline constexpr i128 kI32Lo = -(i128{1} << 31);
inline constexpr i128 kI32Hi = (i128{1} << 31) - 1;

/// Nearest integer to a / b for b > 0, ties to even, by comparing the two neighbours.
[[nodiscard]] i128 nearest_even(i128 a, i128 b);
[[nodiscard]] i128 nearest_even(const BigInt& a, const BigInt& b);
[[nodiscard]] i128 as_i32(i128 x);

/// floor(sqrt(x)), by bisection.
[[nodiscard]] BigInt floor_root(const BigInt& x);
/// The smallest integer whose square is at least x.
[[nodiscard]] BigInt ceil_root(const BigInt& x);

struct Case {
  std::uint64_t records = 1;
  std::uint64_t length = 1;
  std::vector<Values> updates;
  Values model;
  Values examples;
  Values members;                        // 0, 1, … where empty
  std::map<std::string, Values> states;  // beside the model
  std::uint64_t slots = 0;               // of dim M, in programs that have it

  [[nodiscard]] World world() const;
};

enum class Spread { kTies, kSmall, kFull, kExtremes };

[[nodiscard]] Case random_case(std::mt19937_64& random, std::uint64_t records, std::uint64_t length, Spread spread);

/// Runs `check` over every number of records, lengths of 1, 3 and 300, and every spread, with the case named in
/// failures.
void for_each_case(std::initializer_list<std::uint64_t> record_counts, const std::function<void(const Case&)>& check);

/// The tables of a run that must not fail, and that several threads repeat.
[[nodiscard]] std::map<std::string, Values> run_tables(const math::CompiledProgram& program, const World& world);
[[nodiscard]] std::map<std::string, Values> run_case(const math::CompiledProgram& program, const Case& rule_case);

/// The rule `name` gives `expected` as its next model.
void expect_model(const math::CompiledProgram& program, const Case& rule_case, const Values& expected);

/// Case of one parameter for each value of `updates`, scaled by 2^16 and rounded to nearest, from a model of `start`.
[[nodiscard]] Case published(std::initializer_list<double> updates, double start = 0);

/// A number of the model as a real one, for a model scaled by 2^16.
[[nodiscard]] double real(i128 fixed);

/// |x - y|^2.
[[nodiscard]] BigInt squared_distance(const Values& x, const Values& y);

}  // namespace tally::test
