#include "sequencer/batch/update_source.h"

#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {

std::expected<void, std::string> UpdateSource::read(std::uint64_t first, std::span<std::byte> out) const {
  TALLY_ASSERT(reinterpret_cast<std::uintptr_t>(out.data()) % alignof(std::int32_t) == 0);
  const std::span<std::int32_t> fixed{reinterpret_cast<std::int32_t*>(out.data()), out.size() / sizeof(std::int32_t)};
  const auto stats = x_file.read(first, fixed, x_options);
  if (!stats) return std::unexpected(stats.error().message);
  if (stats->clipped > 0) x_clipped.fetch_add(stats->clipped, std::memory_order_relaxed);
  return {};
}

}  // namespace tally::sequencer
