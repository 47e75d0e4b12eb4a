#include "fraud_proof/checks/local_checks.h"

#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::proof {

namespace {

OpeningKey record_key(std::uint64_t index) {
  return {.object = math::kMemberObject, .record = static_cast<std::uint32_t>(index), .leaf = 0};
}

// `count` records from `first` on, which the bytes open one after the other, and nothing else.
OrRefused<std::vector<Record>> open_records(const CommittedBatch& batch, std::uint64_t first, std::uint64_t count,
                                            math::Bytes openings) {
  const std::uint64_t all = batch.header.record_count;
  if (first >= all || count > all - first) {
    return refuse(Reason::kNoSuchEntry, "record " + std::to_string(first) + (count > 1 ? " and the next" : "") +
                                            " of a batch of " + std::to_string(all));
  }
  OpeningReader reader(batch, openings);
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bytes = reader.open(record_key(first + i));
    if (!bytes) return std::unexpected(bytes.error());
    auto record = decode_record(*bytes, record_shape(batch.program));
    TALLY_ASSERT(record.has_value());
    records.push_back(std::move(*record));
  }
  if (auto finished = reader.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return records;
}

std::unexpected<ChainRefusal> right(Reason reason, std::uint64_t index, const char* what) {
  return refuse(reason, "record " + std::to_string(index) + " " + what);
}

}  // namespace

OrRefused<void> check_record_order(const CommittedBatch& batch, std::uint64_t index, math::Bytes openings) {
  const auto records = open_records(batch, index, 2, openings);
  if (!records) return std::unexpected(records.error());
  if (check_order((*records)[0], (*records)[1], record_order(batch.program)))
    return right(Reason::kRecordsInOrder, index, "and the next are in order");
  return {};
}

RecordContext record_context(const KeccakDigest& domain, const BatchHeader& header) {
  return {.domain = domain, .task = header.task, .batch = header.number, .state = header.prev_state_root};
}

OrRefused<void> check_record_signature(const CommittedBatch& batch, const KeccakDigest& domain, std::uint64_t index,
                                       math::Bytes openings) {
  const auto records = open_records(batch, index, 1, openings);
  if (!records) return std::unexpected(records.error());
  if (check_signature(records->front(), record_context(domain, batch.header)))
    return right(Reason::kSignatureIsGood, index, "is signed by its address");
  return {};
}

bool signer_is_member(const Record& record, const std::optional<SignerTerm>& term, std::uint64_t posted_s) {
  return term && term->member == record.member && term->from_s <= posted_s && posted_s < term->until_s;
}

OrRefused<void> check_record_signer(const CommittedBatch& batch, std::uint64_t index, math::Bytes openings,
                                    const SignerLookup& lookup, std::uint64_t posted_s) {
  const auto records = open_records(batch, index, 1, openings);
  if (!records) return std::unexpected(records.error());
  const Record& record = records->front();
  if (signer_is_member(record, lookup(record.address), posted_s))
    return right(Reason::kSignerIsMember, index, "is of the member that it names");
  return {};
}

OrRefused<void> check_advice_range(const CommittedBatch& batch, math::ObjectId object, std::uint64_t element,
                                   math::Bytes openings) {
  const math::Program& program = batch.program;
  if (object >= program.objects.size() || program.objects[object].kind != math::ObjectKind::kAdvice)
    return refuse(Reason::kNoSuchEntry, "object " + std::to_string(object) + " is no advice");
  const math::Object& advice = program.objects[object];
  if (element >= math::element_count(advice.extents, batch.values))
    return refuse(Reason::kNoSuchEntry, "the advice has no element " + std::to_string(element));
  OpeningReader reader(batch, openings);
  const auto value = reader.element(object, element);
  if (!value) return std::unexpected(value.error());
  if (auto finished = reader.finish(); !finished) return finished;
  if (advice.range.contains(*value)) {
    return refuse(Reason::kAdviceInRange,
                  "element " + std::to_string(element) + " is " + math::to_string(*value) + ", within its range");
  }
  return {};
}

std::vector<std::uint8_t> make_record_openings(const CommittedBatch& batch, std::uint64_t first, std::uint64_t count,
                                               LeafSource& source) {
  TALLY_ASSERT(first < batch.header.record_count);
  TALLY_ASSERT(count <= batch.header.record_count - first);
  OpeningWriter writer(batch, source);
  for (std::uint64_t i = 0; i < count; ++i) writer.open(record_key(first + i));
  return writer.take();
}

std::vector<std::uint8_t> make_element_opening(const CommittedBatch& batch, math::ObjectId object,
                                               std::uint64_t element, LeafSource& source) {
  OpeningWriter writer(batch, source);
  static_cast<void>(writer.element(object, element));
  return writer.take();
}

}  // namespace tally::proof
