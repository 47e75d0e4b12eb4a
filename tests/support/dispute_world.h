// A task on a chain whose clock is driven; a poster who may cheat and a defender who stands by it; a watchtower with
// data of its own. Each party works on its own folder and its own client of the chain, as processes would.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chain_adapter/chain/batch_index.h"
#include "deterministic_math/executor/task_pool.h"
#include "sequencer/defender/defender.h"
#include "tests/support/round_world.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_chain.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::test {

struct DisputeOptions {
  std::string program = "fedavg";
  std::vector<std::uint64_t> dims = {5};  // all but K
  std::uint64_t members = 3;
  std::uint64_t unregistered = 0;  // of them, the last ones
  std::function<void(proof::TaskSettings&)> change{};
  std::shared_ptr<TestChain> chain{};  // of another world with as many members; else its own
};

/// A batch that was posted: the poster's directory, and the watchtower's copy.
struct DisputedBatch {
  proof::BatchId id{};
  std::filesystem::path poster;
  std::filesystem::path watcher;
};

/// What a cheat does to a batch directory before it commits to it.
using Cheat = std::function<void(const std::filesystem::path& directory)>;

class DisputeWorld {
 public:
  explicit DisputeWorld(DisputeOptions options = {});

  /// Who has money on the chain of a world with so many members.
  [[nodiscard]] static std::vector<proof::Address> rich(std::uint64_t members);

  [[nodiscard]] chain::ChainAdapter& chain() { return *x_client; }
  /// A client beside chain().
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() { return x_chain->open(); }
  [[nodiscard]] const std::shared_ptr<TestChain>& test_chain() const { return x_chain; }
  [[nodiscard]] const math::CompiledProgram& program() const { return x_world->task().program; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_world->prepared().preimage.settings; }
  [[nodiscard]] const proof::PrivateKey& watcher() const { return x_watcher; }
  [[nodiscard]] const RoundWorld& rounds() const { return *x_world; }
  [[nodiscard]] const std::filesystem::path& folder() const { return x_folder.path(); }

  /// Builds a first batch, lets `cheat` change it, commits to what is there by then, posts it, and gives the watchtower
  /// a copy.
  DisputedBatch post(const Cheat& cheat = {}, std::uint64_t seed = 1);

  /// One run of a watchtower that knows only what its files hold.
  verifier::WatchReport watch();
  [[nodiscard]] verifier::WatchSettings watch_settings();
  void defend();
  /// Watchtower and defender in turn, until neither does anything. Gives what the watchtower did.
  std::vector<verifier::WatchEvent> play();
  /// As play(), and lets time pass until the batch is lost or its period and clocks are over.
  std::vector<verifier::WatchEvent> play_to_the_end(const DisputedBatch& batch);
  /// Registers those that are not yet.
  void register_rest();
  void advance(std::uint64_t seconds);

  [[nodiscard]] proof::BatchStatus status(const DisputedBatch& batch);
  /// Of everything that the watchtower owns, credits included, and what it has paid for gas.
  [[nodiscard]] proof::Wei watcher_owns();
  [[nodiscard]] std::optional<proof::LossCause> cause_of_loss(const DisputedBatch& batch);

 private:
  /// Whether anything has happened since it was asked last.
  [[nodiscard]] bool has_gone_on();

  TemporaryFolder x_folder;
  proof::PrivateKey x_watcher;
  math::ThreadPool x_pool{1};
  std::shared_ptr<TestChain> x_chain;
  std::unique_ptr<chain::ChainAdapter> x_client;
  std::unique_ptr<RoundWorld> x_world;
  std::unique_ptr<sequencer::Defender> x_defender;
  chain::BatchIndex x_index;
  std::uint64_t x_members = 0;
  std::uint64_t x_registered = 0;
  std::uint64_t x_next_event = 0;
};

/// How many of the events are transactions that the chain took.
[[nodiscard]] std::size_t sent(const std::vector<verifier::WatchEvent>& events, std::string_view name = {});
/// A line each, to be shown where a test fails.
[[nodiscard]] std::string told(const std::vector<verifier::WatchEvent>& events);

}  // namespace tally::test
