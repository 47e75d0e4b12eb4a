// A trainer's part in one batch: a record that it signs over its quantised rows and its fields, kept as a small file
// beside the update that the rows come from.
//
//   NAME.npy | NAME.safetensors      the update
//   NAME.record                      task id[32] ‖ batch u64be ‖ prev_state_root[32] ‖ u8 clip ‖ record
//
// What stands before the record is what it was signed for: whoever gets the file knows at once whether it belongs to
// the batch that is being made. `clip` is 1 where values outside the row's type were moved into it, 0 where there are
// none: quantising the update again then gives the rows that were signed.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/numbers/quantiser.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/secp256k1.h"
#include "sequencer/batch/element_source.h"

namespace tally::sequencer {

/// The batch that a record is signed for.
struct RoundPlace {
  proof::TaskId task;
  std::uint64_t batch = proof::kFirstBatch;
  proof::StateRoot state;
  bool operator==(const RoundPlace&) const = default;
};

struct Contribution {
  RoundPlace place;
  math::OutOfRangePolicy out_of_range = math::OutOfRangePolicy::kRefuse;
  proof::Record record;
  bool operator==(const Contribution&) const = default;
};

enum class ContributionReason : std::uint8_t {
  kFile,  // missing, or not a regular file
  kSize,  // not the size that the program says
  kClip,  // neither 0 nor 1
};

/// What the file beside an update is called.
[[nodiscard]] std::filesystem::path record_file_of(const std::filesystem::path& update);

[[nodiscard]] std::vector<std::uint8_t> encode(const Contribution& contribution);
[[nodiscard]] std::expected<Contribution, proof::Refusal<ContributionReason>> decode_contribution(
    math::Bytes bytes, const proof::RecordShape& shape);

void write_contribution(const std::filesystem::path& path, const Contribution& contribution);
[[nodiscard]] std::expected<Contribution, proof::Refusal<ContributionReason>> read_contribution(
    const std::filesystem::path& path, const proof::RecordShape& shape);

/// The commitments of a record's rows, in the program's order, of which there must be as many. The error is a sentence
/// that names what cannot be read, or has another length or value than the program says.
[[nodiscard]] std::expected<std::vector<math::Digest>, std::string> commit_rows(
    const math::Program& program, const proof::TaskPreimage& task,
    std::span<const std::unique_ptr<ElementSource>> rows);

/// What a trainer signs.
struct RecordSigning {
  const math::Program& program;
  const proof::TaskPreimage& task;
  RoundPlace place;
  const proof::PrivateKey& key;
  std::uint64_t member = 0;
  std::uint64_t nonce = 0;
  /// In the order of the program's rows and fields.
  std::span<const std::unique_ptr<ElementSource>> rows{};
  std::vector<std::int64_t> fields{};
};

/// Commits to the rows and signs. The error is a sentence that names what cannot be read, or has another length or
/// value than the program says.
[[nodiscard]] std::expected<proof::Record, std::string> make_record(const RecordSigning& signing);

}  // namespace tally::sequencer
