// Reading a chain's events to their end, a page at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "chain_adapter/chain/chain.h"

namespace tally::chain {

inline constexpr std::size_t kEventsInPage = 256;

/// Visits all events at positions from `from` on, in order, in pages that are not empty. A visitor that goes on later
/// keeps the position behind its last event itself.
void follow_events(ChainAdapter& chain, std::uint64_t from,
                   const std::function<void(std::span<const LoggedEvent> page)>& visit);

}  // namespace tally::chain
