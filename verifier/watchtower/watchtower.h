// The watchtower: follows a chain, judges every batch, and disputes what is wrong, to the end.
//
// One call of watch_once() does all that can be done now: read what is new, judge what was posted, answer every game
// that waits, demand and claim what is withheld, and take out what was won. Called again (by the same process or
// another one, after a crash or a week) it goes on where things stand, from its memory file and the chain. What fails
// for one batch or one game is reported, and the others go on.
//
// Judging takes long, and clocks run. So batches are judged one at a time, that with the nearest deadline first, and
// while one is judged the chain is looked at again and again, and every game that waits is answered. Batches of tasks
// that the operator named come before all others, whose number and work are up to strangers: in judging, in the order
// in which games are answered, and again between two answers to strangers that took long.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/signing/secp256k1.h"
#include "verifier/challenger/played_batch.h"
#include "verifier/replay/judge.h"
#include "verifier/watchtower/judging.h"
#include "verifier/watchtower/memory.h"

namespace tally::verifier {

/// One leaf that is not given loses the batch, so ten of a task with the default bond go far.
inline constexpr proof::Wei kDemandLimit{100'000'000'000'000'000};
inline constexpr std::chrono::seconds kJudgingLimit{600};
inline constexpr std::uint64_t kScratchLimitBytes = std::uint64_t{8} << 30;

/// What a move is made from.
struct PlayedFiles {
  const PostedBatch& batch;
  std::filesystem::path data;
  std::filesystem::path tables;  // what the judgment left
  const Verdict& verdict;
  std::function<void()> between_steps;
};

/// Throws DataMissing.
[[nodiscard]] std::shared_ptr<PlayedBatch> open_played(const PlayedFiles& files);

/// The long work on a batch. Only tests lend another one, which remembers what it did before.
struct BatchWork {
  /// Judging has a thread of its own, or (std::launch::deferred) nothing else goes on meanwhile.
  std::launch launch = std::launch::async;
  std::function<Judgment(Judging)> judge = judge_posted;
  std::function<std::shared_ptr<PlayedBatch>(const PlayedFiles&)> open = open_played;
};

struct WatchSettings {
  /// Folders that may hold batches: stores (DATA/<batch id>), batch directories, or folders of those.
  std::vector<std::filesystem::path> data;
  std::filesystem::path memory;
  /// Tasks that the operator named: they are judged first, and the limits below are not for them. Others are followed
  /// too where none is named, or all are asked for.
  std::vector<proof::TaskId> tasks;
  bool all_tasks = false;
  /// Of the bonds of leaf demands in all other tasks together, for good: anyone may make a task, and be paid its bonds.
  proof::Wei demand_limit{kDemandLimit};
  /// Of the judging of one batch of another task in one run, and of each move in one.
  std::chrono::milliseconds judging_limit{kJudgingLimit};
  /// Of the tables computed for one batch of another task; nor more than half of what is free on the disk.
  std::uint64_t scratch_limit_bytes = kScratchLimitBytes;
  math::TaskPool* pool = nullptr;
  std::stop_token stop;
  chain::Progress progress;
  /// Between looks at the chain while a batch is judged, and at named tasks while strangers' games are answered.
  std::chrono::milliseconds pause{1000};
  EntryEvaluator scalar = math::evaluate_entry;  // only tests lend another one
  BatchWork work{};

  [[nodiscard]] bool is_named(const proof::TaskId& task) const { return std::ranges::find(tasks, task) != tasks.end(); }
  [[nodiscard]] bool follows(const proof::TaskId& task) const { return tasks.empty() || all_tasks || is_named(task); }
};

/// Something that was done, or could not be.
struct WatchEvent {
  /// kPassedOver: data that could not be read, where the batch was judged by what else there is; or what is not done
  /// for a task that was not named.
  enum class Kind : std::uint8_t { kJudged, kSent, kRefused, kSilent, kPassedOver, kFailed };
  Kind kind = Kind::kJudged;
  proof::BatchId batch{};
  /// The verdict, or the transaction's name.
  std::string what{};
  std::string message{};
  std::uint64_t bytes = 0;
  std::uint64_t microseconds = 0;  // kJudged
};

[[nodiscard]] std::string_view to_string(WatchEvent::Kind kind);

struct WatchReport {
  std::vector<WatchEvent> events;
  std::vector<std::string> alarms;  // of this run
  std::uint64_t open_batches = 0;   // that may still need something
  proof::Wei withdrawn{};
  bool stopped = false;
};

/// Throws std::runtime_error where the memory is in use by another watchtower, and std::invalid_argument where it is
/// not of this chain and key.
[[nodiscard]] WatchReport watch_once(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                     const WatchSettings& settings);
/// With a memory that is open, and nobody else's. `settings.memory` is not looked at.
[[nodiscard]] WatchReport watch_once(chain::ChainAdapter& chain, const proof::PrivateKey& key,
                                     const WatchSettings& settings, Memory& memory);

}  // namespace tally::verifier
