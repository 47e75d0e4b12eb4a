// The manifest of a batch directory, for commands that read it without verifying the batch.
#pragma once

#include <string>

#include "chain_adapter/data/manifest.h"

namespace tally::cli {

/// A directory without a manifest is no batch, and bad input. Whether the file that is there is good is not looked at.
void require_manifest(const std::string& directory);

/// A Failure names the file.
[[nodiscard]] std::string read_manifest_text(const std::string& directory);
[[nodiscard]] chain::Manifest parse_manifest_of(const std::string& directory, const std::string& text);

}  // namespace tally::cli
