// From signed-for inputs to a batch directory, in one pass over the updates.
//
// The pipeline is pulled by the folds. When the executor first asks for a block of a row, the builder quantises that
// range of the update, hashes its leaves, writes it to the row's file and hands the block to the fold, all while it
// is in cache; later folds read the mapped file. Blocks that no fold asks for are done at the end. Tables live in the
// mapped files that they become. So memory does not grow with the number of records.
//
// Items are evaluated in program order (inside a loop: for each t, the loop's items in order). An entry that FAILs is
// an error here: a batch with a FAIL entry is invalid, whoever builds it.
//
// Without a place on a chain a batch has the offline identity: batch 1, parent 0, chain id and contract 0, creator =
// poster, salt 0, nonce 0, member = position by address; and the builder signs its records. With a place, task, number
// and parent are the chain's, and records come signed by the members whose contributions they are: the builder checks
// that each is signed for exactly this batch and commits to exactly the rows that came with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/data/manifest.h"
#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/quantiser.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/secp256k1.h"
#include "sequencer/batch/element_source.h"

namespace tally::sequencer {

/// One participant's contribution. `rows` and `fields` are in the order of the program's.
struct RecordInput {
  const proof::PrivateKey* key = nullptr;  // for the offline identity; outlives the build
  std::string source;                      // what messages call the record: its update file
  std::vector<std::unique_ptr<ElementSource>> rows;
  std::vector<std::int64_t> fields;
  /// For a place on a chain: what the member signed. Its fields count, and `fields` is empty.
  std::optional<proof::Record> signed_record;
};

/// What a batch extends on a chain.
struct BatchPlace {
  proof::TaskPreimage task;
  proof::BatchId parent = proof::kGenesisParent;
  std::uint64_t number = proof::kFirstBatch;
  /// The parent's next_state_root, or the task's genesis root: what the states given must commit to.
  proof::StateRoot state;
};

/// Values of an advice table whose hint is `input`.
struct SuppliedAdvice {
  std::string table;
  std::unique_ptr<ElementSource> values;
};

struct BatchInputs {
  const math::CompiledProgram* program = nullptr;  // outlives the build
  std::vector<std::uint64_t> dims;                 // as Program::dims; dims[0] = K = the number of records
  std::optional<BatchPlace> place;                 // absent: the offline identity
  int frac_bits = math::kDefaultFracBits;          // this and the settings as the task's, where there is a place
  proof::TaskSettings settings;                    // leaf_bytes among them
  math::Digest seed;                               // must be zero where the program reads none
  proof::Address poster;
  std::vector<RecordInput> records;                    // in any order
  std::vector<std::unique_ptr<ElementSource>> states;  // in the order of the program's
  std::vector<SuppliedAdvice> advice;
  /// How table next_model is written as a file; absent where there is no such table or no such file is wanted.
  std::optional<chain::ModelLayout> layout;
};

/// Seconds of work, summed over threads and divided by their number, so that the parts add up to about the whole.
struct BuildTimes {
  double read = 0;
  double quantise = 0;
  double hash = 0;
  double fold = 0;
  double write = 0;  // to the page cache, and to disk (fsync)
  double wall = 0;
};

enum class Replace : std::uint8_t { kRefuse, kReplace };
/// What the directory is called: `target`, or the batch's id in the folder `target` (as in a chain::BatchStore).
enum class Naming : std::uint8_t { kTarget, kBatchId };

/// Whether the signatures of contributions were checked before, when they came in.
enum class Signatures : std::uint8_t { kCheck, kChecked };

struct BuildOptions {
  std::filesystem::path target;
  Naming naming = Naming::kTarget;
  Signatures signatures = Signatures::kCheck;
  Replace replace = Replace::kRefuse;  // whether a batch that is there already gives way
  math::TaskPool* pool = nullptr;
  std::stop_token stop;
  chain::Progress progress;          // phases "state", "fold", "hash" and "write"; may be empty
  chain::ModelEncoder encode_model;  // needed where BatchInputs::layout is given
};

enum class BuildReason : std::uint8_t {
  kTargetExists,     // a batch that is not to be replaced, or something else
  kDims,             // number, bounds or product of the dims; K differs from the number of records
  kProgram,          // the validator refuses the program, or a name is too long for a file
  kTask,             // leaf_bytes, frac_bits, fewer records than the task asks for, or another task than the place's
  kSeed,             // given, but the program uses none
  kRowCount,         // a record has more or fewer rows or fields than the program
  kRowLength,        // an update, a state or supplied advice has another length than the program says
  kElementType,      // a source gives integers of another width than the program's
  kRowValue,         // an element cannot be read or quantised, or lies outside its type
  kFieldRange,       // a field lies outside its declared range
  kDuplicateSigner,  // two records with one address (of one member, or with one nonce, where the chain says who is who)
  kSignature,        // a record is not signed for this batch by the address that it names
  kRowCommitment,    // a row is not what its signed record commits to
  kState,            // the states are not those that the place asks for
  kAdviceMissing,    // an advice table without a usable hint was not supplied
  kNoPassingAdvice,  // an advice table's own check fails
  kEntryFails,       // an entry of a table or check is FAIL
  kModel,            // the model file cannot be made
  kStopped,
};

struct BuildError {
  BuildReason reason{};
  std::string message;
  std::string table;                   // kEntryFails, kNoPassingAdvice, kAdviceMissing
  std::optional<std::uint64_t> entry;  // flattened
};

struct BuiltBatch {
  std::filesystem::path directory;
  chain::Manifest manifest;
  BuildTimes times;
  std::uint64_t row_bytes = 0;
  std::uint64_t clipped = 0;  // elements of rows that were moved into the range of their type
};

/// Writes the batch directory, whole or not at all. I/O failures are std::system_error.
[[nodiscard]] std::expected<BuiltBatch, BuildError> build_batch(BatchInputs inputs, const BuildOptions& options);

}  // namespace tally::sequencer
