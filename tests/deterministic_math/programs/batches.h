// Batches of programs that keep books: carry the states of one to the next, and what their oracles share.
#pragma once

#include <map>
#include <random>
#include <string>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {

using Tables = std::map<std::string, Values>;

/// Runs a batch, and makes of each table next_x the state x, and of the batch's number the next.
Tables advance(const math::CompiledProgram& program, World& world);

/// A batch's records: their members, and each field's values.
void set_records(World& world, const Values& members, const std::map<std::string, Values>& fields);

[[nodiscard]] i128 total(const Values& values);

/// `pool` in exact proportion to `weights`, by largest remainder, the lowest index on ties; zeros where all weights
/// are.
[[nodiscard]] Values largest_remainders(i128 pool, const Values& weights);

/// Uniform in 0 .. bound - 1.
[[nodiscard]] i128 below(std::mt19937_64& random, std::uint64_t bound);

}  // namespace tally::test
