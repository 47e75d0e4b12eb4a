// Recomputes a batch directory and names the first thing that is wrong.
//
// Nothing in the directory is believed: the manifest must be canonical, program.tally must compile to program.bin, the
// program must pass the validator, every file must have the size that the program and the dims say, every root in the
// header must be the root of the data, every record must be signed, and every entry must equal its fold over the
// committed values.
//
// What is wrong is listed in this order: files, manifest, program, header and task; then records, rows and state (the
// inputs); then advice out of range and entries in the order of DESIGN section 1 (item order; inside a loop by t, item,
// flattened index); then what follows from all of them: table roots, next state, the model file. So the first finding
// is the cause and not a consequence. A wrong entry is computed a second time by the scalar interpreter; if the two
// disagree, that is an alarm about this program, never silence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/data/manifest.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::verifier {

enum class FindingKind : std::uint8_t {
  kFile,             // missing, not a regular file, or of another size than the program says
  kManifest,         // not canonical, or not what the other files say
  kProgram,          // text, bytecode and parameters disagree, or the program is refused
  kHeader,           // not a header, or not the manifest's
  kTask,             // the task id is not that of its preimage
  kRecordOrder,      // not strictly ascending
  kRecordSigner,     // nonce or member is not what the identity says
  kRecordSignature,  // does not recover the record's address
  kRecordsRoot,
  kRow,          // a row's data is not what its record commits to
  kState,        // the state's data is not what the header commits to
  kAdviceRange,  // an advice element outside its declared range
  kEntry,        // a committed value differs from its fold, or its fold is FAIL
  kTablesRoot,
  kNextState,
  kModel,  // the model file is not table next_model
  kAlarm,  // executor and interpreter disagree: a bug in this program
};

/// "file", "manifest", …, "record_order", "record_signature", "advice_range", "entry", …
[[nodiscard]] std::string_view to_string(FindingKind kind);

struct Finding {
  FindingKind kind{};
  std::string name;                     // of the table, state, row, file or manifest key
  std::optional<std::uint64_t> record;  // position in records.bin
  std::vector<std::uint64_t> index;     // of the entry: one number for each of the table's dims
  std::uint64_t entry = 0;              // the same, flattened
  std::optional<math::i128> committed;
  std::optional<math::i128> right;  // absent, for an entry: FAIL
  std::string message;              // one sentence that says all of this
};

enum class Findings : std::uint8_t { kFirst, kAll };

struct VerifyTimes {
  double hash = 0;  // thread-seconds divided by threads, as BuildTimes
  double fold = 0;
  double wall = 0;
};

struct VerifyOptions {
  math::TaskPool* pool = nullptr;
  Findings findings = Findings::kFirst;
  std::size_t max_findings = 1000;  // for kAll
  std::stop_token stop;
  std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress;
  chain::ModelEncoder encode_model;  // without it, a model file is refused as unchecked
};

struct VerifyReport {
  std::vector<Finding> findings;  // empty: the batch is valid. kFirst: at most one
  bool truncated = false;         // kAll: there are more than max_findings
  bool stopped = false;           // the stop token ended it; findings are then incomplete
  std::optional<chain::Manifest> manifest;
  VerifyTimes times;
  std::uint64_t row_bytes = 0;
  std::uint64_t entries = 0;  // compared
};

/// Never crashes on any contents of `directory`. I/O failures other than a missing or odd file are std::system_error.
[[nodiscard]] VerifyReport verify_batch(const std::filesystem::path& directory, const VerifyOptions& options);

}  // namespace tally::verifier
