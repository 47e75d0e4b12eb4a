#include "sequencer/admission/admission.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/signing/eip712.h"
#include "sequencer/admission/program_refusals.h"

namespace tally::sequencer {

namespace {

using math::ObjectId;
using math::ObjectKind;

constexpr std::string_view kTimestampField = "timestamp";

class Examiner {
 public:
  explicit Examiner(const Admission& admission)
      : x_admission(admission),
        x_compiled(admission.task.program),
        x_fields(proof::objects_of(x_compiled.program, ObjectKind::kField)),
        x_order(proof::record_order(x_compiled.program)),
        x_context{.domain = proof::domain_separator(
                      proof::tallystick_domain(admission.place.task.chain_id, admission.place.task.contract)),
                  .task = admission.task.id,
                  .batch = admission.place.number,
                  .state = admission.place.state} {}

  /// Asks the chain, which one thread may do at a time.
  [[nodiscard]] std::optional<RefusedRecord> examine_signer(const proof::Record& record) const {
    for (std::size_t i = 0; i < x_fields.size(); ++i) {
      const math::Range& range = x_compiled.program.objects[x_fields[i]].range;
      if (range.contains(record.fields.at(i))) continue;
      const std::string& name = x_compiled.names.objects[x_fields[i]];
      return refusal(AdmissionReason::kFieldRange, name,
                     name + " is " + std::to_string(record.fields[i]) + ", outside " + math::to_string(range.lo) +
                         ".." + math::to_string(range.hi));
    }
    const std::string address = to_text(record.address);
    const auto term = proof::signer_term(x_admission.chain, x_admission.task.id, record.address);
    if (!term) {
      return refusal(AdmissionReason::kNoSuchMember, "address", address + " belongs to no member of the task");
    }
    if (term->member != record.member) {
      return refusal(AdmissionReason::kOtherMember, "member",
                     "member is " + std::to_string(record.member) + ", but " + address + " belongs to member " +
                         std::to_string(term->member));
    }
    if (term->until_s != proof::kNever) {
      return refusal(AdmissionReason::kLeaving, "address",
                     address + " signs for member " + std::to_string(record.member) + " only until " +
                         std::to_string(term->until_s) + ", and no longer for new batches");
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<RefusedRecord> examine_signature(const proof::Record& record) const {
    const auto good = proof::check_signature(record, x_context);
    if (good) return std::nullopt;
    return refusal(AdmissionReason::kSignature, "signature", good.error().message);
  }

  /// Whether the batch would have them in that order.
  [[nodiscard]] bool comes_before(const proof::Record& a, const proof::Record& b) const {
    return proof::comes_before(a, b, x_order);
  }
  [[nodiscard]] RefusedRecord duplicate(const proof::Record& record) const {
    const bool by_member = x_order == proof::RecordOrder::kByMember;
    const std::string what = by_member
                                 ? "member " + std::to_string(record.member) + " has one"
                                 : to_text(record.address) + " has one with nonce " + std::to_string(record.nonce);
    return refusal(AdmissionReason::kDuplicate, by_member ? "member" : "nonce", what + " in the batch already");
  }

 private:
  static RefusedRecord refusal(AdmissionReason reason, std::string field, std::string message) {
    return {.record = 0,
            .reason = reason,
            .name = std::string(name_of(reason)),
            .field = std::move(field),
            .message = std::move(message)};
  }

  const Admission& x_admission;
  const math::CompiledProgram& x_compiled;
  std::vector<ObjectId> x_fields;
  proof::RecordOrder x_order;
  proof::RecordContext x_context;
};

/// Takes out of `positions`, which are in the order of a batch, the records that their signer dates before one with a
/// smaller nonce. Programs without a field `timestamp` know no time.
std::vector<RefusedRecord> take_early(const math::CompiledProgram& compiled, std::span<const proof::Record> records,
                                      std::vector<std::size_t>& positions) {
  const std::vector<ObjectId> fields = proof::objects_of(compiled.program, ObjectKind::kField);
  const auto found =
      std::ranges::find_if(fields, [&](ObjectId id) { return compiled.names.objects[id] == kTimestampField; });
  if (found == fields.end()) return {};
  const auto time = [&, field = static_cast<std::size_t>(found - fields.begin())](std::size_t position) {
    return records[position].fields[field];
  };
  std::vector<RefusedRecord> refused;
  std::vector<std::size_t> kept;
  for (const std::size_t position : positions) {
    const bool goes_on = !kept.empty() && records[kept.back()].address == records[position].address;
    if (!goes_on || time(kept.back()) <= time(position)) {
      kept.push_back(position);
      continue;
    }
    refused.push_back({.record = position,
                       .reason = AdmissionReason::kTimestampOrder,
                       .name = std::string(name_of(AdmissionReason::kTimestampOrder)),
                       .field = std::string(kTimestampField),
                       .message = "timestamp " + std::to_string(time(position)) + " is before the signer's " +
                                  std::to_string(time(kept.back()))});
  }
  positions = std::move(kept);
  return refused;
}

/// The states, as the program reads them.
std::expected<std::vector<std::vector<std::byte>>, std::string> read_states(const Admission& admission) {
  const math::Program& program = admission.task.program.program;
  const std::vector<ObjectId> ids = proof::objects_of(program, ObjectKind::kState);
  std::vector<std::vector<std::byte>> states;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const ElementSource& source = *admission.states[i];
    std::vector<std::byte>& bytes =
        states.emplace_back(source.size() * math::element_bytes(program.objects[ids[i]].type));
    if (auto read = source.read(0, bytes); !read) return std::unexpected(std::move(read.error()));
  }
  return states;
}

/// What the program says about the records at `positions`, which are in the order of a batch.
std::expected<std::vector<RefusedRecord>, std::string> examine_by_program(const Admission& admission,
                                                                          std::span<const proof::Record> records,
                                                                          const std::vector<std::size_t>& positions) {
  const math::CompiledProgram& compiled = admission.task.program;
  const math::Program& program = compiled.program;
  const auto states = read_states(admission);
  if (!states) return std::unexpected(states.error());
  std::vector<std::uint64_t> members;
  std::vector<std::uint64_t> nonces;
  const std::vector<ObjectId> field_ids = proof::objects_of(program, ObjectKind::kField);
  std::vector<std::vector<std::int64_t>> fields(field_ids.size());
  for (const std::size_t position : positions) {
    members.push_back(records[position].member);
    nonces.push_back(records[position].nonce);
    for (std::size_t i = 0; i < fields.size(); ++i) fields[i].push_back(records[position].fields[i]);
  }
  math::Inputs inputs;
  inputs.members = members;
  inputs.nonces = nonces;
  inputs.fields.resize(program.objects.size());
  inputs.tables.resize(program.objects.size());
  for (std::size_t i = 0; i < fields.size(); ++i) inputs.fields[field_ids[i]] = fields[i];
  const std::vector<ObjectId> state_ids = proof::objects_of(program, ObjectKind::kState);
  for (std::size_t i = 0; i < state_ids.size(); ++i) inputs.tables[state_ids[i]] = (*states)[i];

  const math::BatchValues values =
      proof::batch_values(admission.task.dims(positions.size()), admission.place.number, admission.seed);
  std::vector<RefusedRecord> refused;
  for (ProgramRefusal& refusal : program_refusals(compiled, values, std::move(inputs), admission.pool)) {
    const proof::Record& record = records[positions[refusal.record]];
    const std::string field = refused_field(compiled, refusal.table);
    const auto id = std::ranges::find_if(field_ids, [&](ObjectId f) { return compiled.names.objects[f] == field; });
    const std::int64_t value = id == field_ids.end() ? static_cast<std::int64_t>(record.member)
                                                     : record.fields[static_cast<std::size_t>(id - field_ids.begin())];
    refused.push_back({.record = positions[refusal.record],
                       .reason = AdmissionReason::kProgram,
                       .name = refusal.table,
                       .field = field,
                       .message = field.empty() ? "the program counts it for nothing"
                                                : field + " " + std::to_string(value) + " counts for nothing"});
  }
  return refused;
}

}  // namespace

std::string_view name_of(AdmissionReason reason) {
  switch (reason) {
    case AdmissionReason::kMalformed:
      return "Malformed";
    case AdmissionReason::kOtherRound:
      return "OtherRound";
    case AdmissionReason::kRows:
      return "Rows";
    case AdmissionReason::kFieldRange:
      return "FieldRange";
    case AdmissionReason::kNoSuchMember:
      return "NoSuchMember";
    case AdmissionReason::kOtherMember:
      return "OtherMember";
    case AdmissionReason::kLeaving:
      return "Leaving";
    case AdmissionReason::kSignature:
      return "Signature";
    case AdmissionReason::kDuplicate:
      return "Duplicate";
    case AdmissionReason::kTimestampOrder:
      return "TimestampOrder";
    case AdmissionReason::kProgram:
      return "Program";
  }
  TALLY_ASSERT(false);
}

std::expected<std::vector<RefusedRecord>, std::string> refused_records(const Admission& admission,
                                                                       std::span<const proof::Record> records,
                                                                       Signatures signatures) {
  const Examiner examiner(admission);
  std::vector<std::optional<RefusedRecord>> found(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) found[i] = examiner.examine_signer(records[i]);
  if (signatures == Signatures::kCheck) {
    admission.pool.run(records.size(), [&](std::size_t i) {
      if (!found[i]) found[i] = examiner.examine_signature(records[i]);
    });
  }
  std::vector<std::size_t> sound;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!found[i]) sound.push_back(i);
  }
  std::ranges::stable_sort(sound,
                           [&](std::size_t a, std::size_t b) { return examiner.comes_before(records[a], records[b]); });
  std::vector<std::size_t> good;
  for (const std::size_t i : sound) {
    if (good.empty() || examiner.comes_before(records[good.back()], records[i])) {
      good.push_back(i);
    } else {
      found[i] = examiner.duplicate(records[i]);
    }
  }
  std::vector<RefusedRecord> refused;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!found[i]) continue;
    found[i]->record = i;
    refused.push_back(*std::move(found[i]));
  }
  std::ranges::move(take_early(admission.task.program, records, good), std::back_inserter(refused));
  const math::Dim& dim = admission.task.program.program.dims.front();
  if (has_refusals(admission.task.program) && good.size() >= dim.lo && good.size() <= dim.hi) {
    auto by_program = examine_by_program(admission, records, good);
    if (!by_program) return by_program;
    std::ranges::move(*by_program, std::back_inserter(refused));
  }
  std::ranges::stable_sort(refused, {}, &RefusedRecord::record);
  return refused;
}

}  // namespace tally::sequencer
