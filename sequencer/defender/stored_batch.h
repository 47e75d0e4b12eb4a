// A posted batch with its poster's data, opened for answering.
//
// What the batch is comes from the chain: the Posted event, the task's preimage, the bytecode. The directory adds data
// and the names of files; no root of it is believed (data/batch_leaves.h).
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "chain_adapter/data/batch_leaves.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/state.h"
#include "sequencer/defender/answer.h"

namespace tally::sequencer {

class StoredBatch {
 public:
  /// A fold that can reach more bytes of rows than these is run on rows that nobody hashed: hashing them would take
  /// longer than an answer may.
  static constexpr std::uint64_t kHashedRowBytes = std::uint64_t{256} << 20;

  /// `task` and `program` are those that the chain keeps for the batch. An error says in a sentence what is missing, or
  /// what does not belong to the batch.
  [[nodiscard]] static std::expected<std::unique_ptr<StoredBatch>, std::string> open(
      const proof::TaskPreimage& task, const proof::ProgramRecord& program, const proof::Posted& posted,
      const std::filesystem::path& directory);

  [[nodiscard]] const proof::CommittedBatch& batch() const { return x_batch; }
  /// Compares all that the item's body can load with what the batch commits to, each object once: the states inside a
  /// fold are claimed one by one, and a wrong one loses the batch even where the fold ends right. Rows are left out
  /// where they are more than `row_bytes` together. std::runtime_error where something differs.
  void check_inputs(std::uint16_t item, std::uint64_t row_bytes = kHashedRowBytes);
  /// The file that is gone, or of another size than it must have: an answer from it would be one from zeros
  /// (files/shortened_files.h).
  [[nodiscard]] std::optional<std::string> find_damage() const;
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_settings; }
  /// Lives as long as this.
  [[nodiscard]] PosterData data();

 private:
  StoredBatch(const proof::Posted& posted, const proof::TaskPreimage& task, math::CompiledProgram compiled,
              math::BatchValues values, chain::BatchPaths paths, chain::BatchFiles files);

  proof::BatchHeader x_header;
  proof::TaskSettings x_settings;
  math::CompiledProgram x_compiled;
  proof::CommittedBatch x_batch;
  chain::BatchPaths x_paths;
  chain::BatchFiles x_files;
  chain::RecordColumns x_columns;
  chain::PlainRows x_rows;
  math::Inputs x_inputs;
  chain::BatchLeaves x_leaves;
  std::set<math::ObjectId> x_checked;
};

}  // namespace tally::sequencer
