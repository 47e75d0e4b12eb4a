#include "fraud_proof/records/receipt.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::proof {
namespace {

PrivateKey key_of(std::uint8_t number) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.back() = number;
  return PrivateKey::from_bytes(bytes).value();
}

/// Of the second of three records.
Receipt receipt() {
  Receipt receipt;
  receipt.chain_id = 31'337;
  receipt.index = 1;
  receipt.rows = 1;
  receipt.fields = 2;
  receipt.header.number = 4;
  receipt.header.record_count = 3;
  const RecordContext context{
      .domain = domain_separator(tallystick_domain(receipt.chain_id, receipt.verifying_contract)),
      .task = receipt.header.task,
      .batch = receipt.header.number,
      .state = receipt.header.prev_state_root};
  std::vector<Digest> leaves;
  for (std::uint8_t number = 1; number <= 3; ++number) {
    Record record{.rows = {Digest{}}, .fields = {number, -1}};
    sign_record(record, context, key_of(number));
    const std::vector<std::uint8_t> bytes = encode(record);
    if (number == 2) receipt.record = bytes;
    leaves.push_back(LeafHasher::best().hash_leaf(bytes));
  }
  const MerkleTree tree(leaves);
  receipt.header.records_root = tree.root();
  receipt.path = tree.inclusion_path(1);
  return receipt;
}

TEST(Receipt, names_the_address_whose_record_is_in_the_batch) {
  const auto checked = check_receipt(receipt());
  ASSERT_TRUE(checked.has_value()) << checked.error().message;
  EXPECT_EQ(*checked, key_of(2).address());
}

TEST(Receipt, is_refused_by_what_is_wrong_with_it) {
  const auto refused = [](ReceiptReason reason, const std::function<void(Receipt&)>& change) {
    Receipt changed = receipt();
    change(changed);
    const auto checked = check_receipt(changed);
    ASSERT_FALSE(checked.has_value()) << static_cast<int>(reason);
    EXPECT_EQ(checked.error().reason, reason) << checked.error().message;
  };
  refused(ReceiptReason::kRecordSize, [](Receipt& r) { r.rows = kMaxRecordRows + 1; });
  refused(ReceiptReason::kRecordSize, [](Receipt& r) { r.fields = kMaxRecordFields + 1; });
  refused(ReceiptReason::kRecordSize, [](Receipt& r) { r.record.push_back(0); });
  refused(ReceiptReason::kIndex, [](Receipt& r) { r.index = 3; });
  refused(ReceiptReason::kPath, [](Receipt& r) { r.index = 0; });
  refused(ReceiptReason::kPath, [](Receipt& r) { r.path.pop_back(); });
  refused(ReceiptReason::kPath, [](Receipt& r) { r.path.front().bytes[0] ^= 1; });
  refused(ReceiptReason::kPath, [](Receipt& r) { r.record[40] ^= 1; });
  refused(ReceiptReason::kSignature, [](Receipt& r) { r.chain_id = 1; });
  refused(ReceiptReason::kSignature, [](Receipt& r) { r.header.number = 5; });
  refused(ReceiptReason::kSignature, [](Receipt& r) { r.header.prev_state_root.digest.bytes[0] ^= 1; });
}

}  // namespace
}  // namespace tally::proof
