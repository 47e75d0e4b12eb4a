#include "sequencer/trainer/contribution.h"

#include <algorithm>
#include <utility>

#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::sequencer {

namespace {

using math::ObjectKind;

constexpr std::size_t kHeadBytes = 32 + 8 + 32 + 1;
/// A multiple of every leaf size in elements of any type.
constexpr std::uint64_t kPieceElements = std::uint64_t{1} << 16;

math::Digest read_digest(math::ByteReader& reader) {
  math::Digest digest;
  std::ranges::copy(reader.raw(digest.bytes.size()), digest.bytes.begin());
  return digest;
}

std::expected<math::Digest, std::string> commit_row(const ElementSource& source, const std::string& name,
                                                    const proof::TableShape& shape, std::uint32_t leaf_bytes) {
  if (source.size() != shape.dim0) {
    return std::unexpected(source.name() + ": " + std::to_string(source.size()) + " elements, but " + name + " has " +
                           std::to_string(shape.dim0));
  }
  if (source.element_bytes() != 0 && source.element_bytes() != shape.element_bytes) {
    return std::unexpected(source.name() + ": integers of " + std::to_string(source.element_bytes()) + " bytes, but " +
                           name + " has " + std::to_string(shape.element_bytes));
  }
  proof::LeafDigests leaves(shape.data_bytes(), leaf_bytes);
  std::vector<std::byte> piece(std::min(kPieceElements, shape.dim0) * shape.element_bytes);
  for (std::uint64_t first = 0; first < shape.dim0; first += kPieceElements) {
    const std::uint64_t count = std::min(kPieceElements, shape.dim0 - first);
    const std::span<std::byte> bytes = std::span(piece).first(count * shape.element_bytes);
    if (auto read = source.read(first, bytes); !read) return std::unexpected(std::move(read.error()));
    leaves.hash_block(first * shape.element_bytes, math::unsigned_bytes(bytes));
  }
  return proof::table_commitment(shape, leaf_bytes, leaves.root());
}

}  // namespace

std::filesystem::path record_file_of(const std::filesystem::path& update) {
  return std::filesystem::path(update).replace_extension(".record");
}

std::vector<std::uint8_t> encode(const Contribution& contribution) {
  math::ByteWriter writer;
  writer.raw(contribution.place.task.digest.bytes);
  writer.u64be(contribution.place.batch);
  writer.raw(contribution.place.state.digest.bytes);
  writer.u8(contribution.out_of_range == math::OutOfRangePolicy::kClip ? 1 : 0);
  writer.raw(proof::encode(contribution.record));
  return writer.take();
}

std::expected<Contribution, proof::Refusal<ContributionReason>> decode_contribution(math::Bytes bytes,
                                                                                    const proof::RecordShape& shape) {
  const std::size_t size = kHeadBytes + shape.record_bytes();
  if (bytes.size() != size) {
    return proof::refuse(
        ContributionReason::kSize,
        std::to_string(bytes.size()) + " bytes, but a record of this task has " + std::to_string(size));
  }
  Contribution contribution;
  math::ByteReader reader(bytes);
  contribution.place.task.digest = read_digest(reader);
  contribution.place.batch = reader.u64be();
  contribution.place.state.digest = read_digest(reader);
  const std::uint8_t clip = reader.u8();
  if (clip > 1) return proof::refuse(ContributionReason::kClip, "the byte that says clip is neither 0 nor 1");
  if (clip == 1) contribution.out_of_range = math::OutOfRangePolicy::kClip;
  contribution.record = proof::decode_record(bytes.subspan(kHeadBytes), shape).value();
  return contribution;
}

void write_contribution(const std::filesystem::path& path, const Contribution& contribution) {
  chain::write_file_atomically(path, encode(contribution));
}

std::expected<Contribution, proof::Refusal<ContributionReason>> read_contribution(const std::filesystem::path& path,
                                                                                  const proof::RecordShape& shape) {
  const auto bytes = chain::read_file(path, kHeadBytes + shape.record_bytes());
  if (!bytes) {
    const bool size = bytes.error().reason == chain::FileReason::kTooLarge;
    return proof::refuse(size ? ContributionReason::kSize : ContributionReason::kFile, bytes.error().message);
  }
  auto contribution = decode_contribution(*bytes, shape);
  if (!contribution) contribution.error().message = path.string() + ": " + contribution.error().message;
  return contribution;
}

std::expected<std::vector<math::Digest>, std::string> commit_rows(
    const math::Program& program, const proof::TaskPreimage& task,
    std::span<const std::unique_ptr<ElementSource>> rows) {
  const std::vector<math::ObjectId> ids = proof::objects_of(program, ObjectKind::kRow);
  TALLY_ASSERT(rows.size() == ids.size());
  // No row has K among its dims, so any K does.
  std::vector<std::uint64_t> dims = {program.dims.front().lo};
  dims.insert(dims.end(), task.dims.begin(), task.dims.end());
  const math::BatchValues values = proof::batch_values(std::move(dims), proof::kFirstBatch, {});
  std::vector<math::Digest> commitments;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto commitment = commit_row(*rows[i], "row " + std::to_string(i),
                                 proof::row_shape(program.objects[ids[i]], values), task.settings.leaf_bytes);
    if (!commitment) return std::unexpected(std::move(commitment.error()));
    commitments.push_back(*commitment);
  }
  return commitments;
}

std::expected<proof::Record, std::string> make_record(const RecordSigning& signing) {
  const math::Program& program = signing.program;
  const std::vector<math::ObjectId> rows = proof::objects_of(program, ObjectKind::kRow);
  const std::vector<math::ObjectId> fields = proof::objects_of(program, ObjectKind::kField);
  if (signing.rows.size() != rows.size() || signing.fields.size() != fields.size()) {
    return std::unexpected(std::to_string(signing.rows.size()) + " rows and " + std::to_string(signing.fields.size()) +
                           " fields, but the program has " + std::to_string(rows.size()) + " and " +
                           std::to_string(fields.size()));
  }
  proof::Record record{.address = {},
                       .member = signing.member,
                       .nonce = signing.nonce,
                       .rows = {},
                       .fields = signing.fields,
                       .signature = {}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const math::Range& range = program.objects[fields[i]].range;
    if (range.contains(signing.fields[i])) continue;
    return std::unexpected("field " + std::to_string(i) + " is " + std::to_string(signing.fields[i]) + ", outside " +
                           math::to_string(range.lo) + ".." + math::to_string(range.hi));
  }
  auto commitments = commit_rows(program, signing.task, signing.rows);
  if (!commitments) return std::unexpected(std::move(commitments.error()));
  record.rows = *std::move(commitments);
  const proof::RecordContext context{
      .domain = proof::domain_separator(proof::tallystick_domain(signing.task.chain_id, signing.task.contract)),
      .task = signing.place.task,
      .batch = signing.place.batch,
      .state = signing.place.state};
  proof::sign_record(record, context, signing.key);
  return record;
}

}  // namespace tally::sequencer
