// A batch in memory for tests: records, rows and states as vectors of integers, and a program run over them the way a
// builder runs it (items in order, advice by hint or as the test claims).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/language/compile.h"

namespace tally::test {

using math::i128;
using Values = std::vector<i128>;

struct World {
  std::map<std::string, std::uint64_t> dims;        // K and every dim that is not fixed
  std::map<std::string, Values> fields;             // by name, K each
  std::map<std::string, std::vector<Values>> rows;  // by name, K vectors
  std::map<std::string, Values> states;             // by name; zeros where absent
  std::map<std::string, Values> advice;             // claims that replace the hints' advice
  Values members;                                   // 0, 1, … where empty
  Values nonces{};                                  // 0 each where empty
  std::uint64_t batch = 1;
  i128 seed_high = 0;
  i128 seed_low = 0;
};

/// The first FAIL of a run, in canonical order.
struct FailedEntry {
  std::size_t item = 0;
  std::uint64_t entry = 0;
  bool operator==(const FailedEntry&) const = default;
};

struct Outcome {
  std::map<std::string, Values> tables;  // advice and computed, by name
  std::optional<FailedEntry> failed;
};

/// Runs every item in order with `threads` threads. Entries that FAIL hold 0.
[[nodiscard]] Outcome run_world(const math::CompiledProgram& compiled, const World& world, unsigned threads = 1);

/// Compiles a program of the library; ends the test program with the compiler's listing where that fails.
[[nodiscard]] math::CompiledProgram compile_library_program(const std::string& name,
                                                            const std::map<std::string, i128>& parameters = {});
[[nodiscard]] math::CompiledProgram compile_text(const std::string& source,
                                                 const std::map<std::string, i128>& parameters = {});

}  // namespace tally::test
