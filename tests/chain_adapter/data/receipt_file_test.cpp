#include "chain_adapter/data/receipt_file.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "chain_adapter/data/batch_directory.h"
#include "tests/support/test_batch.h"

namespace tally::chain {
namespace {

using proof::ReceiptReason;
using test::TemporaryFolder;
using test::TestBatch;

class ReceiptFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(test::build(x_batch.inputs(), x_path).has_value()); }

  [[nodiscard]] proof::Receipt receipt_of(std::size_t key) const {
    return make_receipt(x_path, x_batch.keys()[key].address()).value();
  }

  TemporaryFolder x_folder;
  TestBatch x_batch{"fedavg", {.dims = {5, 4}}};
  std::filesystem::path x_path = x_folder.path() / "batch";
};

TEST_F(ReceiptFile, every_participant_gets_one_that_holds) {
  std::set<std::uint64_t> places;
  for (std::size_t k = 0; k < 5; ++k) {
    const proof::Receipt receipt = receipt_of(k);
    places.insert(receipt.index);
    const auto parsed = parse_receipt(write_receipt(receipt));
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(*parsed, receipt);
    const auto checked = proof::check_receipt(*parsed);
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_EQ(*checked, x_batch.keys()[k].address());
  }
  EXPECT_EQ(places.size(), 5U);
}

TEST_F(ReceiptFile, nobody_else_gets_one) {
  const auto refused = make_receipt(x_path, proof::Address{});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, ReceiptFileReason::kNoRecord);
  EXPECT_EQ(make_receipt(x_folder.path(), proof::Address{}).error().reason, ReceiptFileReason::kBatch);
  // A batch whose records were changed gives no receipts at all.
  test::write_byte(x_path / kRecordsFile, 60, 0);
  test::write_byte(x_path / kRecordsFile, 61, 0);
  for (const proof::PrivateKey& key : x_batch.keys()) {
    EXPECT_EQ(make_receipt(x_path, key.address()).error().reason, ReceiptFileReason::kBatch);
  }
}

TEST_F(ReceiptFile, each_changed_byte_makes_it_void) {
  const std::string good = write_receipt(receipt_of(2));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string text = good;
    text[i] = static_cast<char>(text[i] ^ 1);
    const auto parsed = parse_receipt(text);
    if (!parsed) continue;
    const auto checked = proof::check_receipt(*parsed);
    EXPECT_FALSE(checked.has_value()) << i << ": " << text.substr(i > 20 ? i - 20 : 0, 40);
  }
}

TEST_F(ReceiptFile, refuses_each_wrong_part_by_its_reason) {
  const proof::Receipt good = receipt_of(1);
  std::set<ReceiptReason> seen;
  const auto refused = [&](ReceiptReason reason, const std::function<void(proof::Receipt&)>& change) {
    proof::Receipt receipt = good;
    change(receipt);
    const auto checked = proof::check_receipt(receipt);
    ASSERT_FALSE(checked.has_value()) << int(reason);
    EXPECT_EQ(checked.error().reason, reason) << checked.error().message;
    seen.insert(reason);
  };
  refused(ReceiptReason::kRecordSize, [](proof::Receipt& r) { r.record.pop_back(); });
  refused(ReceiptReason::kRecordSize, [](proof::Receipt& r) { r.rows = 17; });
  refused(ReceiptReason::kRecordSize, [](proof::Receipt& r) { r.fields = 0; });
  refused(ReceiptReason::kIndex, [](proof::Receipt& r) { r.index = 5; });
  refused(ReceiptReason::kPath, [](proof::Receipt& r) { r.index = (r.index + 1) % 5; });
  refused(ReceiptReason::kPath, [](proof::Receipt& r) { r.path.pop_back(); });
  refused(ReceiptReason::kPath, [](proof::Receipt& r) { r.path.push_back({}); });
  refused(ReceiptReason::kPath, [](proof::Receipt& r) { r.record[0] ^= 1; });
  refused(ReceiptReason::kSignature, [](proof::Receipt& r) { r.chain_id = 1; });
  refused(ReceiptReason::kSignature, [](proof::Receipt& r) { r.verifying_contract.bytes[0] = 1; });
  refused(ReceiptReason::kSignature, [](proof::Receipt& r) { r.header.number = 2; });
  EXPECT_EQ(seen.size(), 4U);
}

TEST_F(ReceiptFile, refuses_text_that_is_not_a_receipt) {
  const std::string good = write_receipt(receipt_of(0));
  EXPECT_EQ(parse_receipt(std::string(kMaxReceiptBytes + 1, ' ')).error().reason, ReceiptFileReason::kTooLarge);
  EXPECT_EQ(parse_receipt("{").error().reason, ReceiptFileReason::kNotJson);
  EXPECT_EQ(parse_receipt("{}").error().reason, ReceiptFileReason::kMissingKey);
  EXPECT_EQ(parse_receipt(good + " ").error().reason, ReceiptFileReason::kNotCanonical);
  std::string more = good;
  more.insert(2, "  \"more\": 1,\n");
  EXPECT_EQ(parse_receipt(more).error().reason, ReceiptFileReason::kUnknownKey);
  std::string wrong = good;
  wrong.replace(wrong.find("\"index\": "), 9, "\"index\": -1");
  EXPECT_EQ(parse_receipt(wrong).error().reason, ReceiptFileReason::kValue);
}

}  // namespace
}  // namespace tally::chain
