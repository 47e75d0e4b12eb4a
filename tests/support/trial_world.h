// Batches of one task on trial, on a chain in memory: a valid batch, and what a poster makes of it before it posts. The
// watchtower is the real one, a new one for each turn that knows only what its files hold; so is the defender, where
// the poster has one.
//
// With keepers, two of three sign a post: the real one, which stores in the watchtower's folder all that anybody but
// the poster has of the batch, and another that signs whatever it is shown.
//
// Everything is equal for equal options. Files are in memory where the system has such a folder.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "sequencer/defender/defender.h"
#include "tests/support/dispute_world.h"
#include "tests/support/memory_chain.h"
#include "tests/support/round_world.h"
#include "tests/support/temporary_folder.h"
#include "verifier/replay/posted_batch.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::test {

struct TrialOptions {
  std::string program = "fedavg";  // of the library, or its text
  std::map<std::string, math::i128> parameters{};
  std::vector<std::uint64_t> dims = {3, 5};  // K first: as many members
  std::uint32_t leaf_bytes = 64;
  std::uint16_t arity = 32;
  std::uint64_t number = proof::kFirstBatch;  // of the batch on trial; those before it are valid
  std::uint64_t random_seed = 1;
  /// A quorum of keepers; else leaves are requested.
  bool has_keepers = false;
};

using Certificate = std::vector<proof::KeeperSignature>;
/// In the task's list, ascending.
inline constexpr std::uint16_t kKeepers = 3;
inline constexpr std::array<std::uint16_t, 2> kSigningKeepers = {0, 2};

/// Who signs for a post where the task has keepers.
enum class Quorum : std::uint8_t {
  kHonest,  // the first of kSigningKeepers is
  kBribed,  // none is, and the poster serves its data
};

/// What a cheat does to a valid batch. Whatever is absent stays as it is.
struct Forgery {
  std::string name;
  /// Changes the data before they are committed to.
  Cheat data{};
  /// Changes the transaction, and with it what is committed to.
  std::function<void(proof::Post&)> post{};
  std::function<void(proof::Wei& value)> bond{};
  /// Changes what the keepers gave.
  std::function<void(Certificate&)> certificate{};
  /// Changes what is behind the commitments, in every copy.
  Cheat behind{};
  /// Computed tables that only the poster has.
  std::set<std::string> withheld{};
  /// The names by which the chain may refuse the post. Empty: it must not, but for a quorum that is not there.
  std::set<proof::Reason> refusals{};
  /// Whether the batch may be valid all the same: WrittenBatch says so.
  bool may_be_true = false;
};

/// A batch that was posted: the poster's directory, and the watchtower's copy.
using Trial = DisputedBatch;

class TrialWorld {
 public:
  explicit TrialWorld(TrialOptions options);

  [[nodiscard]] MemoryChain& chain() { return x_chain; }
  [[nodiscard]] const math::CompiledProgram& program() const { return x_world->task().program; }
  [[nodiscard]] const proof::TaskPreimage& task() const { return x_world->prepared().preimage; }
  [[nodiscard]] const proof::TaskId& task_id() const { return x_world->prepared().id; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return task().settings; }
  [[nodiscard]] const RoundWorld& rounds() const { return *x_world; }
  [[nodiscard]] const proof::PrivateKey& watcher() const { return x_watcher; }
  [[nodiscard]] const proof::PrivateKey& poster() const { return x_world->poster(); }
  /// Of the valid batch: its directory, and the transaction that posts it.
  [[nodiscard]] const std::filesystem::path& valid() const { return x_valid; }
  [[nodiscard]] const proof::Post& valid_post() const { return x_post; }
  [[nodiscard]] const math::BatchValues& values() const { return x_values; }
  [[nodiscard]] std::filesystem::path watchers_data() const { return x_folder.path() / "watcher"; }
  [[nodiscard]] const std::filesystem::path& posters_data() const { return x_world->store().folder(); }
  /// What a record of the batch on trial signs.
  [[nodiscard]] proof::RecordContext record_context() const;

  /// The directory's data as it is, committed to.
  [[nodiscard]] proof::Post post_of(const std::filesystem::path& directory) const;

  /// Posts the valid batch, changed by `forgery`, as `poster` (null: the world's).
  [[nodiscard]] proof::OrRefused<Trial> post(const Forgery& forgery = {}, const proof::PrivateKey* poster = nullptr,
                                             Quorum quorum = Quorum::kHonest);
  /// Posts a batch on that one, as the world's poster: valid but for what `forgery` changes, if its parent is.
  [[nodiscard]] proof::OrRefused<Trial> post_on(const Trial& parent, const Forgery& forgery = {});
  /// What those of kSigningKeepers give who look at nothing.
  [[nodiscard]] Certificate signed_blindly(const proof::BatchId& batch) const;
  [[nodiscard]] const proof::PrivateKey& keeper(std::uint16_t position) const { return x_keepers.at(position); }
  [[nodiscard]] bool has_keepers() const { return x_options.has_keepers; }
  /// Whether the records and advice that were committed to are what the poster has.
  [[nodiscard]] bool has_inputs(const Trial& trial);
  /// Whether every entry is its fold, as the plain interpreter says; the records are not looked at.
  [[nodiscard]] bool is_true(const Trial& trial) const;

  verifier::WatchReport watch() { return watch_as(x_watcher, watchers_data()); }
  /// Another watchtower, with a memory of its own.
  verifier::WatchReport watch_as(const proof::PrivateKey& key, const std::filesystem::path& data);
  /// The world's poster answers whatever waits for it.
  sequencer::DefenseReport defend();
  /// Called in each turn: what the poster does.
  using Poster = std::function<void()>;
  /// Watchtower and poster in turn, until neither does anything.
  std::vector<verifier::WatchEvent> play(const Poster& poster);
  /// As play(), and lets time pass until the batch is lost or its period and clocks are over.
  std::vector<verifier::WatchEvent> play_to_the_end(const Trial& trial, const Poster& poster);

  [[nodiscard]] proof::BatchStatus status(const Trial& trial);
  /// All that somebody has, what the settlement keeps for it included.
  [[nodiscard]] proof::Wei owns(const proof::PrivateKey& key);
  [[nodiscard]] std::optional<proof::LossCause> cause_of_loss(const Trial& trial);
  /// The Posted event with what a role needs beside it.
  [[nodiscard]] verifier::PostedBatch posted(const Trial& trial);

  /// Somebody with money, another one for each number.
  [[nodiscard]] proof::PrivateKey person(std::uint64_t number);
  /// Sends, and expects it to be applied.
  void must(const proof::PrivateKey& key, const proof::Wei& value, const proof::Transaction& transaction);

 private:
  void build_valid(std::uint64_t number);
  [[nodiscard]] proof::OrRefused<Trial> post_made(const std::filesystem::path& made, proof::Post post,
                                                  const Forgery& forgery, const proof::PrivateKey& poster,
                                                  Quorum quorum);
  /// Of those that would sign.
  [[nodiscard]] Certificate certificate(const std::filesystem::path& made, const proof::BatchHeader& header,
                                        Quorum quorum);
  [[nodiscard]] sequencer::BuiltBatch build_on(const RoundStart& start);

  TrialOptions x_options;
  TemporaryFolder x_folder;
  MemoryChain x_chain{default_chain()()};
  proof::PrivateKey x_watcher;
  std::vector<proof::PrivateKey> x_keepers;  // as in the task's list
  math::ThreadPool x_pool{1};
  std::unique_ptr<RoundWorld> x_world;
  std::unique_ptr<sequencer::Defender> x_defender;
  std::filesystem::path x_valid;
  proof::Post x_post;
  math::BatchValues x_values;
  std::uint64_t x_trials = 0;
};

}  // namespace tally::test
