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

/// Of a record.
struct Signer {
  std::uint64_t member = 0;
  proof::Address address{};
  bool is_device = false;  // else the wallet, bound from the start
};

struct PooledBatch {
  std::string name;  // what is wrong with it
  Truth truth = Truth::kTrue;
  bool is_honest = false;  // its poster
  std::optional<std::size_t> parent{};
  proof::BatchId id{};
  proof::Posted posted{};
  /// Without keepers' signatures.
  proof::Post post{};
  std::vector<Signer> signers{};
};

/// What a watchtower finds in its data folder.
enum class Data : std::uint8_t { kComplete, kTablesWithheld, kRowWithheld };
inline constexpr std::size_t kDataKinds = 3;

/// How a task is run.
enum class TaskKind : std::uint8_t {
  kPlain,    // anyone posts, leaves are requested
  kSociety,  // two proposers take turns, keepers sign, members come, go, and are paid
  kSeeded,   // as kPlain, and the program reads the seed; so no batch is built on another one beforehand
};

/// One task and its batches: the first is the honest poster's, and so is the second, on it, but where there is a seed.
class TaskPool {
 public:
  struct Options {
    std::string program;
    std::vector<std::uint64_t> dims;  // all but K
    std::uint16_t arity = 32;
    TaskKind kind = TaskKind::kPlain;
  };

  TaskPool(const std::filesystem::path& folder, const Options& options, test::MemoryChain& chain);

  [[nodiscard]] const proof::TaskId& task() const { return x_world.prepared().id; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_world.prepared().preimage.settings; }
  [[nodiscard]] const math::Program& program() const { return x_world.task().program.program; }
  [[nodiscard]] const std::vector<PooledBatch>& batches() const { return x_batches; }
  [[nodiscard]] const PooledBatch* find(const proof::BatchId& id) const;

  [[nodiscard]] TaskKind kind() const { return x_kind; }
  [[nodiscard]] const sequencer::PreparedTask& prepared() const { return x_world.prepared(); }
  [[nodiscard]] const proof::PrivateKey& wallet(std::uint64_t member) const { return x_world.key(member); }

  /// What a keeper signs once it has stored and checked the batch (verifier::keep_batch, remembered); absent: it
  /// refuses.
  [[nodiscard]] const std::optional<proof::Signature>& keep(const PooledBatch& batch, std::size_t keeper);
  [[nodiscard]] std::filesystem::path kept(std::size_t keeper) const {
    return x_folder / "kept" / std::to_string(keeper);
  }
  /// A column of i64 as it is after the batch.
  [[nodiscard]] std::int64_t element(const PooledBatch& batch, const std::string& table, std::uint64_t index) const;

  /// The posters' folder.
  [[nodiscard]] std::filesystem::path store() const { return x_world.store().folder(); }
  [[nodiscard]] std::filesystem::path data(Data kind) const;
  /// For players that keep no rules.
  [[nodiscard]] sequencer::StoredBatch& stored(const PooledBatch& batch);

  /// Posts everything, so that what the posts need and tell is known.
  void prepare_posts(test::MemoryChain& chain);

 private:
  void add(std::string name, Truth truth, std::optional<std::size_t> parent, const sequencer::BuiltBatch& built);
  void add_second_batches();
  void add_false_records();
  void add_false(const std::string& name, std::optional<std::size_t> parent, std::uint64_t seed,
                 const std::function<void(const std::filesystem::path&)>& cheat);
  void add_forged_tables(std::optional<std::size_t> parent, std::uint64_t seed);
  [[nodiscard]] sequencer::BuiltBatch build(std::optional<std::size_t> parent, std::uint64_t seed, bool is_honest,
                                            bool with_device = false);
  void sign_with_device(sequencer::BatchInputs& inputs) const;
  void copy_for_watchtowers(const PooledBatch& batch) const;

  std::filesystem::path x_folder;
  TaskKind x_kind;
  test::RoundWorld x_world;
  math::Digest x_seed{};
  std::vector<PooledBatch> x_batches;
  std::map<proof::BatchId, std::unique_ptr<sequencer::StoredBatch>> x_stored;
  std::map<std::pair<proof::BatchId, std::size_t>, std::optional<proof::Signature>> x_kept;
};

class BatchPool {
 public:
  BatchPool();

  /// Most are plain.
  [[nodiscard]] TaskPool& draw_task(Random& random);
  [[nodiscard]] const Genesis& genesis() const { return x_genesis; }
  [[nodiscard]] proof::Settlement& settlement() { return x_settlement; }

  [[nodiscard]] const PooledBatch* find(const proof::BatchId& id) const;
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
// Of the posters; what a key computes each time that it is asked.
[[nodiscard]] const proof::Address& honest_address();
[[nodiscard]] const proof::Address& liar_address();

inline constexpr std::size_t kKeepers = 3;
/// In the order of the task's list.
[[nodiscard]] const proof::PrivateKey& keeper_key(std::size_t number);
/// That signs a record of member 1, where its wallet binds it.
[[nodiscard]] const proof::PrivateKey& device_key();
inline constexpr std::uint64_t kDeviceMember = 1;

}  // namespace tally::simulator
