// Batches for the aggregation rules, from ties to the ends of i32, and how programs are compared with their oracles.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>

#include "tests/support/memory_world.h"
#include "tests/support/rule_oracles.h"

namespace tally::test {

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

}  // namespace tally::test
