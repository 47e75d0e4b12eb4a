// One batch under watch: reads what is known of it, asks plan() what to do, and does it, until there is nothing to do
// or the batch must be judged first. Judging is left to the caller, who may do other things meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "verifier/challenger/played_batch.h"
#include "verifier/watchtower/demand_budget.h"
#include "verifier/watchtower/judging.h"
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
             DemandBudget& demands, WatchReport& report, const proof::BatchId& batch);

  enum class Turn : std::uint8_t {
    kRests,         // until something changes
    kWantsJudging,  // nothing can be done before
    kDone,          // nothing more can happen to the batch
  };
  /// Does what can be done without judging. Throws chain::Stopped.
  [[nodiscard]] Turn play();

  /// What judge_posted() needs; `signers` may be asked from another thread.
  [[nodiscard]] Judging judging(proof::SignerLookup signers, std::stop_token stop);
  void take(const Judgment& judgment);
  /// Judging took longer than this batch is worth. Nothing of it is kept.
  void pass_over_for_time();
  void pass_over_for_room(const NoScratchRoom& error);
  [[nodiscard]] proof::SignerLookup signers();
  [[nodiscard]] bool is_named() const { return x_settings.is_named(x_batch.posted.header.task); }
  /// Until when a judgment is of use: the end of the challenge period, or of the clock of a game that waits for it; or
  /// the last moment to demand leaves, while nobody knows whether they are there.
  [[nodiscard]] std::uint64_t deadline_s() const;

 private:
  void look();
  /// Whether to go on at once.
  [[nodiscard]] bool act(const Action& action);
  [[nodiscard]] bool demand(const proof::OpeningKey& leaf);
  [[nodiscard]] bool open_game();
  [[nodiscard]] bool move(const OwnGame& game);
  [[nodiscard]] bool commit();
  [[nodiscard]] bool send(const proof::Transaction& transaction, const proof::Wei& value);
  /// What the chain says against it. Nothing is sent that is overtaken.
  [[nodiscard]] std::optional<proof::ChainRefusal> deliver(const proof::Transaction& transaction,
                                                           const proof::Wei& value);
  [[nodiscard]] bool goes_on_after(const proof::ChainRefusal& refusal, const proof::Transaction& transaction);
  /// It is overtaken: nothing is done about the same until events tell how, or the next turn.
  void wait_for_events(const proof::Transaction& transaction);
  /// What was made is not sent. The batch is judged anew the first time; then the game, or the challenge, is given up
  /// for this run.
  [[nodiscard]] bool doubt(const std::string& why, const proof::GameId* game);
  void judge_anew();
  void pass_over(const std::string& why);
  void remove_scratch();
  void give_up(const std::string& what, const std::string& why);
  void tell(WatchEvent::Kind kind, const std::string& what, const std::string& message);
  [[nodiscard]] std::string took_too_long(const std::string& what) const;
  /// A move took longer than this batch is worth: its game, or the challenge, is left for this run.
  void pass_over(const Action& action);
  /// To make one move with.
  [[nodiscard]] std::shared_ptr<PlayedBatch> played();
  [[nodiscard]] std::uint64_t challenge_end_s() const;

  chain::ChainAdapter& x_chain;
  const proof::PrivateKey& x_key;
  const WatchSettings& x_settings;
  Memory& x_memory;
  DemandBudget& x_demands;
  WatchReport& x_report;
  proof::BatchId x_id;
  PostedBatch x_batch;
  BatchView x_view;
  // In this run:
  bool x_judged_anew = false;
  bool x_given_up = false;
  std::size_t x_refusals = 0;
};

}  // namespace tally::verifier
