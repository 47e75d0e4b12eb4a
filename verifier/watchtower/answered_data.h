// The data of a batch, put together from what directories have and from what was answered on chain.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "verifier/replay/missing_parts.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

struct DataSource {
  std::filesystem::path directory;
  /// Parts that are missing there or not the batch's, as far as that is known.
  std::vector<MissingPart> lacking{};
};

/// Makes `target` a directory with the data of the first source that has each part, and the leaves that requests were
/// answered with in their places. Files without such a leaf are links. Throws chain::Stopped.
void assemble_data(const PostedBatch& batch, std::span<const DataSource> sources,
                   std::span<const chain::LoggedEvent> history, const std::filesystem::path& target,
                   const std::stop_token& stop);

}  // namespace tally::verifier
