// The manifest of a batch directory, for commands that read it without verifying the batch.
#pragma once

#include <string>

#include "chain_adapter/data/manifest.h"

namespace tally::cli {

/// A Failure names the file.
[[nodiscard]] std::string read_manifest_text(const std::string& directory);
[[nodiscard]] chain::Manifest parse_manifest_of(const std::string& directory, const std::string& text);

}  // namespace tally::cli
