// The model file of a batch, written anew from table next_model and its layout.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "chain_adapter/data/batch_directory.h"
#include "verifier/replay/description.h"

namespace tally::verifier {

/// Compares with the SHA-256 of the manifest and, where the file is there, with its bytes. `model` is the committed
/// table, or empty where the program has none.
[[nodiscard]] std::optional<Finding> check_model(const Description& batch, const chain::BatchPaths& paths,
                                                 std::optional<std::span<const std::byte>> model,
                                                 const chain::ModelEncoder& encode);

}  // namespace tally::verifier
