// Batches of several programs, true and false, made once and posted in every simulation: a batch's id depends on its
// task, and the tasks are the same in all of them.
//
// What the daemons compute from a batch alone is remembered here from one simulation to the next, since it comes out
// the same each time: judgments, and what moves are made from (verifier::BatchWork). Of the poster, the hashing of the
// directory before a post. Everything else is done anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/signing/secp256k1.h"
#include "sequencer/defender/stored_batch.h"
#include "tests/simulator/chain.h"
#include "tests/support/round_world.h"
#include "tests/support/temporary_folder.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::test {
class MemoryChain;
}  // namespace tally::test

namespace tally::simulator {

enum class Truth : std::uint8_t { kTrue, kFalse };

struct PooledBatch {
  std::string name;  // what is wrong with it
  Truth truth = Truth::kTrue;
  bool is_honest = false;  // its poster
  std::optional<std::size_t> parent{};
  proof::BatchId id{};
  proof::Posted posted{};
  proof::Post post{};
};

/// What a watchtower finds in its data folder.
enum class Data : std::uint8_t { kComplete, kTablesWithheld, kRowWithheld };
inline constexpr std::size_t kDataKinds = 3;

/// One task and its batches: the first two are the honest poster's, one on the other.
class TaskPool {
 public:
  struct Options {
    std::string program;
    std::vector<std::uint64_t> dims;  // all but K
    std::uint16_t arity = 32;
  };

  TaskPool(const std::filesystem::path& folder, const Options& options, test::MemoryChain& chain);

  [[nodiscard]] const proof::TaskId& task() const { return x_world.prepared().id; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_world.prepared().preimage.settings; }
  [[nodiscard]] const math::Program& program() const { return x_world.task().program.program; }
  [[nodiscard]] const std::vector<PooledBatch>& batches() const { return x_batches; }
  [[nodiscard]] const PooledBatch* find(const proof::BatchId& id) const;

  /// The posters' folder.
  [[nodiscard]] std::filesystem::path store() const { return x_world.store().folder(); }
  [[nodiscard]] std::filesystem::path data(Data kind) const;
  /// For players that keep no rules.
  [[nodiscard]] sequencer::StoredBatch& stored(const PooledBatch& batch);

  /// Posts everything, so that what the posts need and tell is known.
  void prepare_posts(test::MemoryChain& chain);

 private:
  void add(std::string name, Truth truth, std::optional<std::size_t> parent, const sequencer::BuiltBatch& built);
  void add_false(const std::string& name, std::optional<std::size_t> parent, std::uint64_t seed,
                 const std::function<void(const std::filesystem::path&)>& cheat);
  void add_forged_tables(std::optional<std::size_t> parent, std::uint64_t seed);
  [[nodiscard]] sequencer::BuiltBatch build(std::optional<std::size_t> parent, std::uint64_t seed, bool is_honest);
  void copy_for_watchtowers(const PooledBatch& batch) const;

  std::filesystem::path x_folder;
  test::RoundWorld x_world;
  std::vector<PooledBatch> x_batches;
  std::map<proof::BatchId, std::unique_ptr<sequencer::StoredBatch>> x_stored;
};

class BatchPool {
 public:
  BatchPool();

  [[nodiscard]] std::size_t size() const { return x_tasks.size(); }
  [[nodiscard]] TaskPool& task(std::size_t number) { return *x_tasks.at(number); }
  [[nodiscard]] const Genesis& genesis() const { return x_genesis; }
  [[nodiscard]] proof::Settlement& settlement() { return x_settlement; }

  /// The product's own, remembered.
  [[nodiscard]] verifier::Judgment judge(verifier::Judging judging);
  [[nodiscard]] std::shared_ptr<verifier::PlayedBatch> open(const verifier::PlayedFiles& files);

  [[nodiscard]] math::TaskPool& threads() { return x_threads; }

 private:
  test::TemporaryFolder x_folder{fast_folder()};
  math::ThreadPool x_threads{1};
  proof::Settlement x_settlement;
  std::vector<std::unique_ptr<TaskPool>> x_tasks;
  Genesis x_genesis;

  /// In memory where there is such a place.
  [[nodiscard]] static std::filesystem::path fast_folder();

  struct Remembered {
    verifier::Judgment judgment;
    std::filesystem::path tables;
    std::shared_ptr<verifier::PlayedBatch> played;
  };
  std::map<std::string, Remembered> x_judgments;
  /// By the batch, the data and the verdict.
  std::map<std::string, Remembered*> x_played;
};

// Who is who, the same in every simulation.
[[nodiscard]] const proof::PrivateKey& honest_poster();
[[nodiscard]] const proof::PrivateKey& honest_delegate();
[[nodiscard]] const proof::PrivateKey& liar();

}  // namespace tally::simulator
