#include "chain_adapter/chain/batch_index.h"

#include <variant>

#include "chain_adapter/chain/follow_events.h"

namespace tally::chain {

void BatchIndex::follow(ChainAdapter& chain) {
  if (!x_cursor.holds(chain)) *this = {};
  x_unconfirmed = chain.unconfirmed();
  follow_events(chain, x_cursor.next(), [&](std::span<const LoggedEvent> page) {
    for (const LoggedEvent& logged : page) {
      if (const auto* created = std::get_if<proof::TaskCreated>(&logged.event)) x_tasks.push_back(created->task);
      if (const auto* posted = std::get_if<proof::Posted>(&logged.event)) {
        x_batches[posted->header.task].push_back(posted->batch);
        x_posts.emplace(posted->batch, IndexedBatch{*posted, logged.block, logged.time_s});
      }
      x_disputes.apply(logged);
    }
    x_cursor.pass(page.back());
  });
}

const IndexedBatch* BatchIndex::find(const proof::BatchId& batch) const {
  const auto found = x_posts.find(batch);
  return found == x_posts.end() ? nullptr : &found->second;
}

std::string BatchIndex::what_is_missing(const proof::BatchId& batch) const {
  const auto found = x_unconfirmed.find(batch);
  if (found == x_unconfirmed.end()) return {};
  return " yet: it was posted, and has " + std::to_string(found->second.has) + " of " +
         std::to_string(found->second.needs) + " confirmations (TALLY_CONFIRMATIONS); try again when it has them";
}

std::span<const proof::BatchId> BatchIndex::batches(const proof::TaskId& task) const {
  const auto found = x_batches.find(task);
  if (found == x_batches.end()) return {};
  return found->second;
}

}  // namespace tally::chain
