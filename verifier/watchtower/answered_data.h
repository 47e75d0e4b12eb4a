// The data of a batch, put together from what directories have and from what was answered on chain.
#pragma once

#include <filesystem>
#include <set>
#include <span>
#include <utility>

#include "chain_adapter/chain/chain.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

/// A table and 0, the rows of a record, or math::kMemberObject and 0 for the records.
using DataPart = std::pair<math::ObjectId, std::uint32_t>;

struct DataSource {
  std::filesystem::path directory;
  /// Parts that are missing there or not the batch's, as far as that is known.
  std::set<DataPart> lacking{};
};

/// Makes `target` a directory with the data of the first source that has each part, and the leaves that requests were
/// answered with in their places. Files without such a leaf are links.
void assemble_data(const PostedBatch& batch, std::span<const DataSource> sources,
                   std::span<const chain::LoggedEvent> history, const std::filesystem::path& target);

}  // namespace tally::verifier
