// Data that was answered on chain, put together with what a directory has.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "chain_adapter/chain/chain.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

/// Makes `target` a directory with the data of `source` (absent: none at all) and the leaves that requests were
/// answered with in their places. Files without such a leaf are links to those of `source`.
void assemble_answers(const PostedBatch& batch, const std::optional<std::filesystem::path>& source,
                      std::span<const chain::LoggedEvent> history, const std::filesystem::path& target);

}  // namespace tally::verifier
