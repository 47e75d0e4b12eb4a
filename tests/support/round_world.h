// A task with members and the store of its sequencer, without a chain: what builders and posters of rounds are tested
// with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_store.h"
#include "deterministic_math/executor/task_pool.h"
#include "sequencer/batch/batch_builder.h"
#include "sequencer/task/new_task.h"
#include "sequencer/task/open_task.h"
#include "sequencer/trainer/contribution.h"

namespace tally::test {

/// The development key of every world's poster.
inline constexpr std::uint64_t kPosterKey = 1'000'000;

struct RoundOptions {
  std::string program = "fedavg";
  std::map<std::string, math::i128> parameters{};
  std::vector<std::uint64_t> dims = {5};  // all but K
  std::uint64_t members = 3;
  proof::TaskSettings settings{.leaf_bytes = 64};
  chain::ChainIdentity chain{.chain_id = 7, .contract = {}};
  std::uint64_t first_key = 0;  // development key of member 0
};

/// What a round starts from.
struct RoundStart {
  proof::BatchId parent = proof::kGenesisParent;
  std::uint64_t number = proof::kFirstBatch;
  proof::StateRoot state;
};

class RoundWorld {
 public:
  /// Writes the task's folder to `data`.
  RoundWorld(const std::filesystem::path& data, RoundOptions options = {});

  [[nodiscard]] const chain::BatchStore& store() const { return x_store; }
  [[nodiscard]] const sequencer::PreparedTask& prepared() const { return *x_prepared; }
  [[nodiscard]] const sequencer::OpenTask& task() const { return *x_task; }
  [[nodiscard]] const proof::PrivateKey& key(std::size_t member) const { return x_keys.at(member); }
  [[nodiscard]] const proof::PrivateKey& poster() const { return x_poster; }

  [[nodiscard]] RoundStart genesis() const;
  [[nodiscard]] static RoundStart after(const sequencer::BuiltBatch& batch);

  /// One record of each member, with random rows and fields that depend on `seed`.
  [[nodiscard]] sequencer::BatchInputs inputs(const RoundStart& start, std::uint64_t seed = 1) const;
  [[nodiscard]] std::expected<sequencer::BuiltBatch, sequencer::BuildError> build(sequencer::BatchInputs inputs) const;

 private:
  RoundOptions x_options;
  chain::BatchStore x_store;
  math::CompiledProgram x_program;
  std::vector<proof::PrivateKey> x_keys;
  proof::PrivateKey x_poster;
  std::optional<sequencer::PreparedTask> x_prepared;
  std::optional<sequencer::OpenTask> x_task;
};

}  // namespace tally::test
