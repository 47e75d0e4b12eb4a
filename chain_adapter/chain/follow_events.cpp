#include "chain_adapter/chain/follow_events.h"

#include <vector>

namespace tally::chain {

void follow_events(ChainAdapter& chain, std::uint64_t from,
                   const std::function<void(std::span<const LoggedEvent>)>& visit) {
  for (;;) {
    const std::vector<LoggedEvent> page = chain.events(from, kEventsInPage);
    if (page.empty()) return;
    visit(page);
    from = page.back().position + 1;
  }
}

}  // namespace tally::chain
