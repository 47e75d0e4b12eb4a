// The core's rules: deterministic_math/ and fraud_proof/ compute the same on every machine, every time.
//
// So they have no floating point (but for the one quantiser file), no clock, no randomness, no files or streams, no
// threads of their own (but for the task pool, which is lent to them) and no containers whose order is not defined.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/lint/source_tree.h"

namespace tally::lint {

/// Floating types, literals and mathematics in the core, outside deterministic_math/numbers/quantiser.*.
[[nodiscard]] std::vector<Violation> check_floats(const std::filesystem::path& root);

/// Everything else that the core must not touch.
[[nodiscard]] std::vector<Violation> check_core_purity(const std::filesystem::path& root);

}  // namespace tally::lint
