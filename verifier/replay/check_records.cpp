#include "verifier/replay/check_records.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>

#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::verifier {

namespace {

constexpr std::size_t kRecordsPerTask = 64;

/// A record at its place. The width of the bytes was checked.
class RecordsView {
 public:
  RecordsView(math::Bytes bytes, const proof::RecordShape& shape)
      : x_bytes(bytes), x_shape(shape), x_width(shape.record_bytes()) {}
  [[nodiscard]] proof::Record at(std::size_t place) const {
    return proof::decode_record(x_bytes.subspan(place * x_width, x_width), x_shape).value();
  }
  [[nodiscard]] std::size_t count() const { return x_bytes.size() / x_width; }

 private:
  math::Bytes x_bytes;
  proof::RecordShape x_shape;
  std::size_t x_width;
};

FindingKind kind_of(proof::RecordReason reason) {
  switch (reason) {
    case proof::RecordReason::kSize:
      return FindingKind::kFile;
    case proof::RecordReason::kOrder:
    case proof::RecordReason::kMemberOrder:
      return FindingKind::kRecordOrder;
    case proof::RecordReason::kSignature:
    case proof::RecordReason::kSigner:
      return FindingKind::kRecordSignature;
  }
  TALLY_ASSERT(false);
}

Finding record_finding(FindingKind kind, std::size_t place, const proof::Record& record, const std::string& what) {
  Finding finding;
  finding.kind = kind;
  finding.name = proof::to_text(record.address);
  finding.record = place;
  finding.message = "record " + std::to_string(place) + " (" + finding.name + "): " + what;
  return finding;
}

class RecordChecker {
 public:
  RecordChecker(const Description& batch, math::Bytes bytes)
      : x_records(bytes, proof::record_shape(batch.program())),
        x_order(proof::record_order(batch.program())),
        x_offline(batch.manifest.task.chain_id == 0 && batch.manifest.task.contract == proof::Address{}),
        x_context{.domain = proof::domain_separator(
                      proof::tallystick_domain(batch.manifest.task.chain_id, batch.manifest.task.contract)),
                  .task = batch.header().task,
                  .batch = batch.header().number,
                  .state = batch.header().prev_state_root} {}

  [[nodiscard]] std::size_t count() const { return x_records.count(); }

  /// The first thing that is wrong with a record: its order, then who it is from, then its signature.
  [[nodiscard]] std::optional<Finding> check(std::size_t place) const {
    const proof::Record record = x_records.at(place);
    if (place > 0) {
      const auto ordered = proof::check_order(x_records.at(place - 1), record, x_order);
      if (!ordered) return record_finding(kind_of(ordered.error().reason), place, record, ordered.error().message);
    }
    if (x_offline && place > 0 && x_records.at(place - 1).address >= record.address) {
      return record_finding(FindingKind::kRecordSigner, place, record,
                            "its address does not come after that of the record before it, but without a chain members "
                            "are positions by address");
    }
    if (x_offline && (record.nonce != 0 || record.member != place)) {
      return record_finding(FindingKind::kRecordSigner, place, record,
                            "nonce " + std::to_string(record.nonce) + " and member " + std::to_string(record.member) +
                                ", but without a chain they are 0 and the record's position");
    }
    const auto signed_by = proof::check_signature(record, x_context);
    if (!signed_by) return record_finding(kind_of(signed_by.error().reason), place, record, signed_by.error().message);
    return std::nullopt;
  }

 private:
  RecordsView x_records;
  proof::RecordOrder x_order;
  bool x_offline;
  proof::RecordContext x_context;
};

}  // namespace

void check_records(const Description& batch, math::Bytes bytes, math::TaskPool& pool, FindingList& findings) {
  const RecordChecker checker(batch, bytes);
  const std::size_t tasks = (checker.count() + kRecordsPerTask - 1) / kRecordsPerTask;
  // A list for each task: put together in order, they do not depend on the threads.
  std::vector<std::vector<Finding>> found(tasks);
  pool.run(tasks, [&](std::size_t task) {
    const std::size_t end = std::min(checker.count(), (task + 1) * kRecordsPerTask);
    for (std::size_t place = task * kRecordsPerTask; place < end && found[task].size() < findings.room(); ++place) {
      if (auto finding = checker.check(place)) found[task].push_back(std::move(*finding));
    }
  });
  for (std::vector<Finding>& list : found) {
    for (Finding& finding : list) findings.add(std::move(finding));
  }
}

}  // namespace tally::verifier
