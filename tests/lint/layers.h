// The layout's rules: which folder may include which, which folders exist at the top, and no notes left for later.
//
//     deterministic_math <- fraud_proof <- chain_adapter <- {sequencer, verifier} <- cli
#pragma once

#include <filesystem>
#include <vector>

#include "tests/lint/source_tree.h"

namespace tally::lint {

/// Includes that point against the arrows, are not written from the root of the tree, or name no file of it.
[[nodiscard]] std::vector<Violation> check_layers(const std::filesystem::path& root);

/// Top-level folders other than those of the design. Dot folders and the build folder are left out.
[[nodiscard]] std::vector<Violation> check_top_level(const std::filesystem::path& root);

/// Words that mark unfinished work, in source, scripts, build files and documents.
[[nodiscard]] std::vector<Violation> check_unfinished(const std::filesystem::path& root);

}  // namespace tally::lint
