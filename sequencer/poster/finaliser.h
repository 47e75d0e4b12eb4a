// What is due at the end of batches: finalising those whose period is over, passing invalid siblings, and getting bonds
// back. Anyone may finalise and pass; bonds go to their posters whoever asks.
//
// A game or a request keeps its batch open until somebody claims that a clock or the window has run out. Two parties
// that are one would never do so, and all behind their batch would wait for ever. So that is claimed here, for whoever
// wins by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/chain/chain.h"

namespace tally::sequencer {

struct DueAction {
  enum class Kind : std::uint8_t { kSkipInvalid, kFinalize, kReleaseBond, kClaimTimeout, kClaimWithheld };
  Kind kind = Kind::kFinalize;
  proof::TaskId task;
  proof::BatchId batch;  // of kSkipInvalid: the parent whose children are passed
  proof::Transaction transaction;
};

/// Why a batch that may still become final is not finalised now.
struct Waiting {
  proof::BatchId batch;
  std::string reason;
};

struct DuePlan {
  /// The first thing that the chain would accept now; absent: nothing is due.
  std::optional<DueAction> action;
  std::vector<Waiting> waiting;
};

/// A pure view of the chain. Once the action is done there may be a next one.
[[nodiscard]] DuePlan plan_due(const proof::StateReader& chain, std::uint64_t now_s, const chain::BatchIndex& index,
                               const proof::TaskId& task);

struct FinaliserReport {
  std::vector<proof::BatchId> finalised;
  std::vector<proof::BatchId> released;
  /// Of games and requests that stood in the way.
  std::uint64_t claims = 0;
  std::vector<Waiting> waiting;
  std::uint64_t transactions = 0;
};

/// Does everything that is due for a task. An action that somebody else was faster with counts as done.
[[nodiscard]] FinaliserReport do_due(chain::ChainAdapter& chain, const proof::PrivateKey& key, chain::BatchIndex& index,
                                     const proof::TaskId& task);

}  // namespace tally::sequencer
