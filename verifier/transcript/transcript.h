// A game told from the chain's events: who claimed what, which step decided, and what it cost in bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"

namespace tally::verifier {

/// Texts are for people; ids, addresses and amounts (wei, decimal) for scripts too.
struct TranscriptStep {
  std::uint64_t block = 0;
  std::uint64_t time_s = 0;
  std::string transaction;
  std::string who;     // "challenger", "poster", "anyone"
  std::string action;  // "open", "respond", …, "end"
  std::string text;
  std::uint64_t bytes = 0;  // of the transaction
};

struct Transcript {
  std::string game;
  std::string task;
  std::string batch;
  std::string poster;
  std::string challenger;
  std::string bond;
  std::string entry;  // "next_model[3]"; of a descent, once it is chosen
  std::string state;  // "poster to respond", "the poster was disproved", …
  /// The transition that the chain ran, where one decided.
  std::string decided;
  std::vector<TranscriptStep> steps;
  std::uint64_t transactions = 0;
  std::uint64_t poster_bytes = 0;
  std::uint64_t challenger_bytes = 0;
  std::string reward;
  std::string burned;
};

/// In the order of their openings. `batch`: only those over it.
[[nodiscard]] std::vector<Transcript> tell_games(chain::ChainAdapter& chain, std::optional<proof::BatchId> batch,
                                                 const std::vector<std::filesystem::path>& data);

/// Absent: no such game. `data`: folders that may hold the batch, for the names of tables and accumulators.
[[nodiscard]] std::optional<Transcript> tell_game(chain::ChainAdapter& chain, const proof::GameId& game,
                                                  const std::vector<std::filesystem::path>& data);

/// As cereal writes it.
void export_json(const Transcript& transcript, std::ostream& out);

}  // namespace tally::verifier
