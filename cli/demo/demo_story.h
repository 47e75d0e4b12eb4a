// What the chain's events say about the demonstration: what a round cost, and how a dispute went, in sentences.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/demo/demo_world.h"

namespace tally::cli {

struct ChainCost {
  std::uint64_t transactions = 0;
  std::uint64_t bytes = 0;
};

/// Transactions that left events at positions from `from` on, each once.
[[nodiscard]] ChainCost cost_since(chain::ChainAdapter& chain, std::uint64_t from);

/// The position behind the last event.
[[nodiscard]] std::uint64_t end_of_events(chain::ChainAdapter& chain);

struct TranscriptLine {
  std::string who;
  std::string what;
  std::uint64_t more = 0;   // times that the same was done again
  std::uint64_t bytes = 0;  // of the transactions
};

/// Everything from position `from` on that brought this batch down, or tried to.
[[nodiscard]] std::vector<TranscriptLine> transcript(DemoWorld& world, const proof::BatchId& batch, std::uint64_t from);

[[nodiscard]] std::string to_text(const std::vector<TranscriptLine>& lines);
[[nodiscard]] boost::json::array to_json(const std::vector<TranscriptLine>& lines);

}  // namespace tally::cli
