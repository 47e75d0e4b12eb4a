// One batch under watch: reads what is known of it, asks plan() what to do, and does it, until there is nothing to do.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "verifier/watchtower/memory.h"
#include "verifier/watchtower/plan.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::verifier {

/// Reads the events that are new into the memory.
void follow(chain::ChainAdapter& chain, Memory& memory);

/// Sends and waits; refusals are reported, not thrown.
[[nodiscard]] chain::TransactionFate send_and_report(chain::ChainAdapter& chain, const chain::Submission& submission,
                                                     const proof::BatchId& batch, WatchReport& report);

class BatchWatch {
 public:
  BatchWatch(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings, Memory& memory,
             WatchReport& report, const proof::BatchId& batch);

  /// False where nothing more can happen to the batch.
  [[nodiscard]] bool run();

 private:
  [[nodiscard]] BatchView look();
  void read_history(BatchView& view);
  /// Whether to go on at once.
  [[nodiscard]] bool act(const BatchView& view, const Action& action);
  [[nodiscard]] bool judge_batch(const BatchView& view);
  [[nodiscard]] Verdict judge_data(const std::filesystem::path& directory, const BatchView& view);
  [[nodiscard]] bool open_game(const BatchView& view);
  [[nodiscard]] bool move(const BatchView& view, std::size_t game);
  [[nodiscard]] bool commit(const BatchView& view);
  [[nodiscard]] bool send(const proof::Transaction& transaction, const proof::Wei& value);
  /// Judges anew the first time, then is silent for this run.
  [[nodiscard]] bool fall_silent(const BatchView& view, const std::string& why, const proof::GameId* game);
  [[nodiscard]] PlayedBatch played(const Verdict& verdict);
  [[nodiscard]] proof::SignerLookup signers();
  void raise(const std::string& alarm);

  chain::ChainAdapter& x_chain;
  const proof::PrivateKey& x_key;
  const WatchSettings& x_settings;
  Memory& x_memory;
  WatchReport& x_report;
  proof::BatchId x_id;
  PostedBatch x_batch;
  std::vector<chain::LoggedEvent> x_history;
  bool x_judged = false;    // in this run
  bool x_rejudged = false;  // because of doubts
  std::size_t x_answers = 0;
  std::size_t x_answers_judged = 0;
  bool x_silenced = false;
  std::set<proof::GameId> x_silenced_games;
  std::size_t x_refusals = 0;
};

}  // namespace tally::verifier
