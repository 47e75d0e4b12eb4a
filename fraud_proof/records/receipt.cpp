#include "fraud_proof/records/receipt.h"

#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::proof {

std::expected<Address, Refusal<ReceiptReason>> check_receipt(const Receipt& receipt) {
  const RecordShape shape{.rows = receipt.rows, .fields = receipt.fields};
  if (shape.rows > kMaxRecordRows || shape.fields > kMaxRecordFields) {
    return refuse(ReceiptReason::kRecordSize, "no record has that many rows or fields");
  }
  auto record = decode_record(receipt.record, shape);
  if (!record) return refuse(ReceiptReason::kRecordSize, std::move(record.error().message));
  const LeafPosition position{.index = receipt.index, .count = receipt.header.record_count};
  const Digest leaf = LeafHasher::best().hash_leaf(receipt.record);
  const auto included = check_inclusion(receipt.header.records_root, position, leaf, receipt.path);
  if (!included) {
    switch (included.error()) {
      case InclusionError::kIndexOutOfRange:
        return refuse(ReceiptReason::kIndex, "record " + std::to_string(receipt.index) + " of a batch with " +
                                                 std::to_string(receipt.header.record_count));
      case InclusionError::kWrongLength:
      case InclusionError::kWrongRoot:
        return refuse(ReceiptReason::kPath, "the path does not lead from the record to the header's records_root");
    }
  }
  const RecordContext context{
      .domain = domain_separator(tallystick_domain(receipt.chain_id, receipt.verifying_contract)),
      .task = receipt.header.task,
      .batch = receipt.header.number,
      .state = receipt.header.prev_state_root};
  if (auto checked = check_signature(*record, context); !checked) {
    return refuse(ReceiptReason::kSignature, std::move(checked.error().message));
  }
  return record->address;
}

}  // namespace tally::proof
