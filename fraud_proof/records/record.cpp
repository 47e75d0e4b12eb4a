#include "fraud_proof/records/record.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/encoding/words.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::proof {

std::size_t RecordShape::record_bytes() const {
  TALLY_ASSERT(rows <= kMaxRecordRows);
  TALLY_ASSERT(fields <= kMaxRecordFields);
  return 20 + 8 + 8 + 32 * rows + 8 * fields + 65;
}

std::vector<std::uint8_t> encode(const Record& record) {
  math::ByteWriter writer;
  writer.raw(record.address.bytes);
  writer.u64be(record.member);
  writer.u64be(record.nonce);
  for (const Digest& row : record.rows) writer.raw(row.bytes);
  for (const std::int64_t field : record.fields) writer.i64be(field);
  writer.raw(record.signature.bytes);
  TALLY_ASSERT(writer.view().size() == record.shape().record_bytes());
  return writer.take();
}

std::expected<Record, Refusal<RecordReason>> decode_record(math::Bytes bytes, const RecordShape& shape) {
  if (bytes.size() != shape.record_bytes()) {
    return refuse(RecordReason::kSize, "a record of " + std::to_string(bytes.size()) + " bytes, not " +
                                           std::to_string(shape.record_bytes()));
  }
  math::ByteReader reader(bytes);
  Record record;
  std::ranges::copy(reader.raw(record.address.bytes.size()), record.address.bytes.begin());
  record.member = reader.u64be();
  record.nonce = reader.u64be();
  record.rows.resize(shape.rows);
  for (Digest& row : record.rows) std::ranges::copy(reader.raw(row.bytes.size()), row.bytes.begin());
  record.fields.resize(shape.fields);
  for (std::int64_t& field : record.fields) field = reader.i64be();
  std::ranges::copy(reader.raw(record.signature.bytes.size()), record.signature.bytes.begin());
  TALLY_ASSERT(reader.finished());
  return record;
}

KeccakDigest signing_hash(const Record& record, const RecordContext& context) {
  static const KeccakDigest kTypeHash =
      keccak256_of_text("Record(bytes32 task,uint64 batch,bytes32 state,uint64 nonce,bytes32[] rows,int64[] fields)");
  WordWriter rows;
  for (const Digest& row : record.rows) rows.bytes32(row.bytes);
  WordWriter fields;
  for (const std::int64_t field : record.fields) fields.i64(field);

  WordWriter words;
  words.bytes32(kTypeHash.bytes);
  words.bytes32(context.task.digest.bytes);
  words.u64(context.batch);
  words.bytes32(context.state.digest.bytes);
  words.u64(record.nonce);
  words.bytes32(keccak256(rows.view()).bytes);
  words.bytes32(keccak256(fields.view()).bytes);
  return typed_data_hash(context.domain, keccak256(words.view()));
}

void sign_record(Record& record, const RecordContext& context, const PrivateKey& key) {
  record.address = key.address();
  record.signature = sign(key, signing_hash(record, context).bytes);
}

std::expected<void, Refusal<RecordReason>> check_signature(const Record& record, const RecordContext& context) {
  auto signer = recover_signer(record.signature, signing_hash(record, context).bytes);
  if (!signer) return refuse(RecordReason::kSignature, std::move(signer.error().message));
  if (*signer != record.address) {
    return refuse(RecordReason::kSigner, "signed by " + to_text(*signer) + " for this task, batch and state, not by " +
                                             to_text(record.address));
  }
  return {};
}

bool comes_before(const Record& before, const Record& after, RecordOrder order) {
  switch (order) {
    case RecordOrder::kByAddressAndNonce:
      return std::tie(before.address, before.nonce) < std::tie(after.address, after.nonce);
    case RecordOrder::kByMember:
      return before.member < after.member;
  }
  TALLY_ASSERT(false);
}

std::expected<void, Refusal<RecordReason>> check_order(const Record& before, const Record& after, RecordOrder order) {
  if (comes_before(before, after, order)) return {};
  if (order == RecordOrder::kByMember) {
    return refuse(RecordReason::kMemberOrder, "member " + std::to_string(after.member) +
                                                  " does not come after member " + std::to_string(before.member));
  }
  return refuse(RecordReason::kOrder, to_text(after.address) + " with nonce " + std::to_string(after.nonce) +
                                          " does not come after " + to_text(before.address) + " with nonce " +
                                          std::to_string(before.nonce));
}

}  // namespace tally::proof
