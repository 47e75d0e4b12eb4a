#include "chain_adapter/data/storing_sink.h"

#include <algorithm>

namespace tally::chain {

void StoringSink::accept(const math::EntryBlock& block) {
  for (std::size_t c = 0; c < x_columns.size(); ++c) {
    if (x_columns[c].empty()) continue;
    const std::size_t width = block.columns[c].size() / block.count;
    std::ranges::copy(block.columns[c], x_columns[c].subspan(block.first * width, block.count * width).begin());
  }
  const auto failed = std::ranges::find(block.failed, std::uint8_t{1});
  if (failed == block.failed.end()) return;
  const std::uint64_t entry = block.first + static_cast<std::uint64_t>(failed - block.failed.begin());
  const std::scoped_lock lock(x_mutex);
  x_first_failed = std::min(entry, x_first_failed.value_or(entry));
}

}  // namespace tally::chain
