#include "chain_adapter/data/receipt_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/json_reader.h"
#include "chain_adapter/data/json_writer.h"
#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/atomic_file.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/records/record.h"

namespace tally::chain {

namespace {

constexpr std::array<std::string_view, 10> kKeys = {
    "batch_id", "header", "chain_id", "verifying_contract", "index", "count", "rows", "fields", "record", "path"};
constexpr std::size_t kMaxRecordBytes = 1024;
// A path in a tree of 2^64 leaves.
constexpr std::size_t kMaxPath = 64;

using Refused = proof::Refusal<ReceiptFileReason>;

ReceiptFileReason reason_of(JsonReason reason) {
  switch (reason) {
    case JsonReason::kNotJson:
      return ReceiptFileReason::kNotJson;
    case JsonReason::kMissingKey:
      return ReceiptFileReason::kMissingKey;
    case JsonReason::kUnknownKey:
      return ReceiptFileReason::kUnknownKey;
    case JsonReason::kValue:
      return ReceiptFileReason::kValue;
  }
  TALLY_ASSERT(false);
}

proof::Receipt read_receipt(const JsonValue& json) {
  json.expect_keys(kKeys);
  proof::Receipt receipt;
  const auto header = proof::decode_header(json["header"].hex_bytes(proof::kHeaderBytes));
  if (header) {
    receipt.header = *header;
  } else {
    json["header"].refuse("a batch header: " + header.error().message);
  }
  receipt.chain_id = json["chain_id"].natural();
  json["verifying_contract"].hex(receipt.verifying_contract.bytes);
  receipt.index = json["index"].natural();
  receipt.rows = static_cast<std::uint16_t>(json["rows"].natural(proof::kMaxRecordRows));
  receipt.fields = static_cast<std::uint16_t>(json["fields"].natural(proof::kMaxRecordFields));
  receipt.record = json["record"].hex_bytes(kMaxRecordBytes);
  const std::vector<JsonValue> path = json["path"].elements();
  if (path.size() > kMaxPath) json["path"].refuse("a list of at most 64 digests");
  for (const JsonValue& node : path) {
    math::Digest digest;
    node.hex(digest.bytes);
    receipt.path.push_back(digest);
  }
  return receipt;
}

std::expected<proof::Receipt, Refused> find_record(const Manifest& manifest, math::Bytes records,
                                                   const proof::Address& signer) {
  const proof::RecordShape shape{.rows = manifest.shape.rows.size(), .fields = manifest.shape.fields.size()};
  const std::size_t width = shape.record_bytes();
  for (std::size_t at = 0; at * width < records.size(); ++at) {
    const math::Bytes record = records.subspan(at * width, width);
    if (!std::ranges::equal(record.first(signer.bytes.size()), signer.bytes)) continue;
    std::vector<math::Digest> leaves(records.size() / width);
    proof::LeafHasher::best().hash_leaves(records, width, leaves);
    return proof::Receipt{.chain_id = manifest.task.chain_id,
                          .verifying_contract = manifest.task.contract,
                          .header = manifest.header,
                          .index = at,
                          .rows = static_cast<std::uint16_t>(shape.rows),
                          .fields = static_cast<std::uint16_t>(shape.fields),
                          .record = {record.begin(), record.end()},
                          .path = proof::MerkleTree(leaves).inclusion_path(at)};
  }
  return proof::refuse(ReceiptFileReason::kNoRecord, "no record of this batch is from " + proof::to_text(signer));
}

}  // namespace

std::string write_receipt(const proof::Receipt& receipt) {
  JsonWriter json;
  const auto hex = [&](std::string_view key, math::Bytes bytes) {
    json.key(key);
    json.string(math::to_hex(bytes));
  };
  json.begin_object();
  hex("batch_id", proof::batch_id(receipt.header).digest.bytes);
  hex("header", proof::encode(receipt.header));
  json.key("chain_id");
  json.integer(receipt.chain_id);
  hex("verifying_contract", receipt.verifying_contract.bytes);
  json.key("index");
  json.integer(receipt.index);
  json.key("count");
  json.integer(receipt.header.record_count);
  json.key("rows");
  json.integer(receipt.rows);
  json.key("fields");
  json.integer(receipt.fields);
  hex("record", receipt.record);
  json.key("path");
  json.begin_array();
  for (const math::Digest& node : receipt.path) json.string(math::to_hex(node));
  json.end_array();
  json.end_object();
  return json.take();
}

std::expected<proof::Receipt, Refused> parse_receipt(std::string_view text) {
  if (text.size() > kMaxReceiptBytes) {
    return proof::refuse(ReceiptFileReason::kTooLarge, "longer than " + std::to_string(kMaxReceiptBytes) + " bytes");
  }
  std::optional<JsonFailure> failure;
  const auto document = parse_json(text, failure);
  proof::Receipt receipt;
  if (document) receipt = read_receipt(JsonValue(&*document, "", failure));
  if (failure) return proof::refuse(reason_of(failure->reason), failure->message);
  if (write_receipt(receipt) != text) {
    return proof::refuse(ReceiptFileReason::kNotCanonical, "not in the one form that a receipt with its contents has");
  }
  return receipt;
}

std::expected<proof::Receipt, Refused> make_receipt(const std::filesystem::path& batch, const proof::Address& signer) {
  const BatchPaths paths(batch);
  const auto text = read_file(paths.file(kManifestFile), kMaxManifestBytes);
  if (!text) return proof::refuse(ReceiptFileReason::kBatch, text.error().message);
  const auto manifest = parse_manifest({reinterpret_cast<const char*>(text->data()), text->size()});
  if (!manifest) return proof::refuse(ReceiptFileReason::kBatch, "manifest.json: " + manifest.error().message);
  const proof::RecordShape shape{.rows = manifest->shape.rows.size(), .fields = manifest->shape.fields.size()};
  const std::uint64_t count = manifest->header.record_count;
  if (shape.rows > proof::kMaxRecordRows || shape.fields > proof::kMaxRecordFields || count > math::kMaxDim) {
    return proof::refuse(ReceiptFileReason::kBatch, "manifest.json: too many rows, fields or records");
  }
  const auto records = MappedFile::open(paths.file(kRecordsFile), count * shape.record_bytes());
  if (!records) return proof::refuse(ReceiptFileReason::kBatch, records.error().message);
  auto receipt = find_record(*manifest, math::unsigned_bytes(records->bytes()), signer);
  if (!receipt) return receipt;
  // What is handed out is good, whatever state the directory is in.
  if (const auto checked = proof::check_receipt(*receipt); !checked) {
    return proof::refuse(ReceiptFileReason::kBatch, "the batch's record is not good: " + checked.error().message);
  }
  return receipt;
}

}  // namespace tally::chain
