// Judges a posted batch: valid, locally wrong (and where), or not to be judged for want of data.
//
// What is held against what. The chain's Posted event gives the records' root, the commitments of the states before the
// batch, and the roots of the advice and computed tables. A file of the directory counts as the batch's data only if it
// hashes to that; anything else is as good as missing.
//
//   an input is missing (a record, a row, a state, advice)   nothing can be said about entries: kMissing, and all
//                                                            parts that are missing. Without the records no row can
//                                                            be told from another, and all are missing
//   a record or advice element fails its local check         kCheck
//   an entry differs from its fold, or its fold is FAIL      kEntry: the smallest in the order of DESIGN section 1
//   a computed table is missing                              it is computed here. Its root equals the posted one: it is
//                                                            as good as there. Else the batch is wrong, and only a
//                                                            descent can tell where: kDescent
//
// By induction over that order, everything before the first wrong entry is the same here as in the committed tables;
// so what is computed here may stand for what is withheld, up to that entry.
//
// Whatever the executor calls wrong is computed again by the scalar interpreter. Where the two disagree, that is an
// alarm, and the item is replayed as a whole by the interpreter, whose word counts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/checks/local_checks.h"
#include "fraud_proof/settlement/event.h"
#include "verifier/replay/check_entries.h"
#include "verifier/replay/missing_parts.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

struct EntryTarget {
  std::uint16_t item = 0;
  std::uint64_t entry = 0;  // flattened
  bool operator==(const EntryTarget&) const = default;
};

struct CheckTarget {
  proof::LossCause cause = proof::LossCause::kRecordOrder;
  math::ObjectId object = 0;  // kAdviceRange
  /// Of the record (kRecordOrder: the first of two), or of the element.
  std::uint64_t index = 0;
  bool operator==(const CheckTarget&) const = default;
};

enum class VerdictKind : std::uint8_t { kValid = 0, kEntry = 1, kDescent = 2, kCheck = 3, kMissing = 4 };

[[nodiscard]] std::string_view to_string(VerdictKind kind);

/// A table that was computed here, in the scratch folder.
struct ComputedTable {
  math::ObjectId table = 0;
  math::Digest commitment{};
  bool operator==(const ComputedTable&) const = default;
};

struct Verdict {
  VerdictKind kind = VerdictKind::kMissing;
  /// kEntry: the first wrong one. kDescent: the first that is wrong by what can be seen, if any is.
  std::optional<EntryTarget> entry{};
  /// kDescent: the item, and the tables whose computed roots are not the posted ones.
  std::uint16_t item = 0;
  std::vector<math::ObjectId> descend{};
  std::optional<CheckTarget> check{};  // kCheck
  /// kMissing: all that is, in ascending order.
  std::vector<MissingPart> missing{};
  std::vector<ComputedTable> computed{};
  std::vector<std::string> alarms{};
  std::string message{};  // one sentence
};

struct JudgeOptions {
  math::TaskPool* pool = nullptr;
  /// What a dispute needs later is left here: withheld tables as they were computed, and the roots of the rows' blocks.
  /// The folder is emptied before.
  std::filesystem::path scratch;
  /// Of the tables that are computed there.
  std::uint64_t scratch_limit_bytes = std::numeric_limits<std::uint64_t>::max();
  proof::SignerLookup signers;
  /// Computed tables that count as withheld, whatever the directory has: those that a game descends into.
  std::set<math::ObjectId> withheld;
  std::stop_token stop;
  chain::Progress progress;
  EntryEvaluator scalar = math::evaluate_entry;  // only tests of alarms lend another one
};

/// Tables that a directory lacks would be computed, but there is no room for them.
class NoScratchRoom : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The file of a computed table in a scratch folder.
[[nodiscard]] std::filesystem::path scratch_table(const std::filesystem::path& scratch, math::ObjectId table);

/// The roots of the rows' blocks there, 32 bytes each, by row, record and block.
[[nodiscard]] std::filesystem::path scratch_row_roots(const std::filesystem::path& scratch);

/// Throws chain::Stopped where the token asks for it, NoScratchRoom, and std::system_error where files cannot be read
/// or made.
[[nodiscard]] Verdict judge(const PostedBatch& batch, const Description& description, const chain::BatchPaths& paths,
                            const JudgeOptions& options);

/// Whether entry a comes before entry b in the order of a batch.
[[nodiscard]] bool comes_before(const Description& batch, const EntryTarget& a, const EntryTarget& b);

}  // namespace tally::verifier
