// A lint for advice: on tiny batches, exactly one advice must pass.
//
// A program in which no advice passes for some input stops its task (a liveness bug); one in which two pass lets the
// poster choose (a uniqueness bug). Proofs of either are beyond a compiler, so the lint tries: it fixes tiny dims, goes
// through inputs near zero (all of them where they are few, else a sample that `seed` fixes), and for each input
// through every advice made of candidate values: a window around zero and, where the advice has a hint, its keys and
// their neighbours, or its indices. What lies between two keys passes or fails alike in programs that count.
//
// It also lists each `require` that held for no advice and input that reached it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deterministic_math/language/compile.h"

namespace tally::math {

enum class LintKind : std::uint8_t {
  kNoAdvicePasses,
  kTwoAdvicesPass,
  kRequireNeverHolds,
  kNotEnumerated,  // the limits ended the search before its end
};

struct LintFinding {
  LintKind kind = LintKind::kNoAdvicePasses;
  std::size_t item = 0;     // of kRequireNeverHolds
  std::string description;  // one sentence, with the input and the advices in question
};

struct LintOptions {
  std::vector<std::uint64_t> dims;  // in order of Program::dims; empty: tiny_dims()
  i128 input_window = 1;            // inputs in -window..window, moved into their ranges
  i128 advice_window = 2;
  std::size_t max_inputs = 200;
  std::size_t max_evaluations = 2'000'000;  // of entries, over all inputs
  std::uint64_t seed = 1;
};

/// Three records, and two of each other dim, as far as the bounds allow.
[[nodiscard]] std::vector<std::uint64_t> tiny_dims(const Program& program);

/// At most one finding of each kind, and one for each require. Empty for a program that passes.
[[nodiscard]] std::vector<LintFinding> lint_advice(const CompiledProgram& compiled, const LintOptions& options);

}  // namespace tally::math
