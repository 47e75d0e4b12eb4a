// What a sequencer admits to a batch: every record that nobody can hold against the batch, and that the program gives
// something for.
//
// The first is the settlement's to say: a record whose signer or signature is wrong loses the batch its bond, so the
// functions that the chain checks with are asked here too. The second is the program's (program_refusals.h): such a
// record harms nobody, but takes room and is worth nothing. Between the two stands the order of a signer's records in
// time, which a program cannot see: it knows members, not their keys. All reasons have names.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/settlement/state.h"
#include "sequencer/batch/batch_builder.h"
#include "sequencer/task/open_task.h"

namespace tally::sequencer {

enum class AdmissionReason : std::uint8_t {
  kMalformed,       // the file of the record or of its update cannot be read, or is none of the task's
  kOtherRound,      // it was signed for another task, batch or state
  kRows,            // the update is not the row that was signed
  kFieldRange,      // a field lies outside its declared range
  kNoSuchMember,    // the address belongs to no member of the task
  kOtherMember,     // the address is not the wallet, nor a bound key, of the member that the record names
  kLeaving,         // the member exits, or the key is unbound, at a time that is set: the batch may come too late
  kSignature,       // the signature is not the address's for this batch
  kDuplicate,       // one that was given before has its address and nonce, or its member where that is the order
  kTimestampOrder,  // its `timestamp` is earlier than that of its signer's record before
  kProgram,         // a table of refusals has 1
};

/// "FieldRange", "NoSuchMember", …
[[nodiscard]] std::string_view name_of(AdmissionReason reason);

struct RefusedRecord {
  std::size_t record = 0;  // which of those given
  AdmissionReason reason{};
  std::string name;     // name_of(reason), or the table's
  std::string field;    // what is at fault: a field, `member`, `address`, `signature`; empty where the name tells none
  std::string message;  // a sentence with its value
};

/// The batch that the records are for.
struct Admission {
  const OpenTask& task;
  const BatchPlace& place;
  math::Digest seed;                // zero where the program reads none
  const proof::StateReader& chain;  // who the members are
  /// In the order of the program's; may be empty where the program has no tables of refusals.
  std::span<const std::unique_ptr<ElementSource>> states;
  math::TaskPool& pool;
};

/// By record; each has one reason that is not the program's, or all of the program's. The records may be in any order;
/// those that are refused for a reason that is not the program's do not count for the others. The first three reasons
/// are about files, and for whoever reads them. Signatures that were checked are not checked again. Records of another
/// shape than the program's are a bug. The error is a sentence: a state cannot be read.
[[nodiscard]] std::expected<std::vector<RefusedRecord>, std::string> refused_records(
    const Admission& admission, std::span<const proof::Record> records, Signatures signatures = Signatures::kCheck);

}  // namespace tally::sequencer
