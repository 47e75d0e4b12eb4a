// The batches that a chain's events tell of, with their headers: the chain itself keeps only a batch's id and its place
// in the tree, and every transaction about a batch has to show its header. With them, what is open about them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/chain/open_disputes.h"

namespace tally::chain {

struct IndexedBatch {
  proof::Posted posted;
  std::uint64_t block = 0;
  std::uint64_t time_s = 0;
};

class BatchIndex {
 public:
  /// Reads the events that are new since the last call; all of them where those it has read no longer hold.
  void follow(ChainAdapter& chain);

  /// Null: not posted, as far as the events were read.
  [[nodiscard]] const IndexedBatch* find(const proof::BatchId& batch) const;
  /// What to add to an error where find() gives nothing: nothing, or that it will, and when.
  [[nodiscard]] std::string what_is_missing(const proof::BatchId& batch) const;
  /// In the order of their posts.
  [[nodiscard]] std::span<const proof::BatchId> batches(const proof::TaskId& task) const;
  [[nodiscard]] std::span<const proof::TaskId> tasks() const { return x_tasks; }
  /// About the batches of all tasks.
  [[nodiscard]] const OpenDisputes& disputes() const { return x_disputes; }

 private:
  EventCursor x_cursor;
  std::vector<proof::TaskId> x_tasks;
  std::map<proof::TaskId, std::vector<proof::BatchId>> x_batches;
  std::map<proof::BatchId, IndexedBatch> x_posts;
  std::map<proof::BatchId, Confirmations> x_unconfirmed;
  OpenDisputes x_disputes;
};

}  // namespace tally::chain
