#include "fraud_proof/records/check_records.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "fraud_proof/signing/eip712.h"

namespace tally::proof {
namespace {

constexpr std::size_t kCount = 200;
constexpr RecordShape kShape{.rows = 1, .fields = 2};
constexpr RecordsRule kRule{.shape = kShape, .count = kCount, .order = RecordOrder::kByAddressAndNonce};

const RecordContext& context() {
  static const RecordContext kContext{.domain = domain_separator(tallystick_domain(1, Address{}))};
  return kContext;
}

/// Good records of kCount keys, ascending by address and, as it happens, by member.
const std::vector<Record>& good_records() {
  static const std::vector<Record> kRecords = [] {
    std::vector<Record> records;
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto byte = static_cast<std::uint8_t>(i);
      const PrivateKey key = PrivateKey::from_bytes(math::sha256(std::array{byte}).bytes).value();
      Record record{.nonce = i, .rows = {math::sha256({})}, .fields = {1, -static_cast<std::int64_t>(i)}};
      sign_record(record, context(), key);
      records.push_back(record);
    }
    std::ranges::sort(records, {}, &Record::address);
    for (std::size_t i = 0; i < kCount; ++i) records[i].member = i;
    return records;
  }();
  return kRecords;
}

std::vector<std::uint8_t> file_of(const std::vector<Record>& records) {
  std::vector<std::uint8_t> bytes;
  for (const Record& record : records) {
    const std::vector<std::uint8_t> encoded = encode(record);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  }
  return bytes;
}

TEST(CheckRecords, accepts_good_records_in_both_orders) {
  math::ThreadPool pool(2);
  const std::vector<std::uint8_t> bytes = file_of(good_records());
  EXPECT_TRUE(check_records(bytes, kRule, context(), pool).has_value());
  RecordsRule by_member = kRule;
  by_member.order = RecordOrder::kByMember;
  EXPECT_TRUE(check_records(bytes, by_member, context(), pool).has_value());
  RecordsRule none = kRule;
  none.count = 0;
  EXPECT_TRUE(check_records({}, none, context(), pool).has_value());
}

TEST(CheckRecords, names_the_first_bad_record_whatever_the_number_of_threads) {
  std::vector<Record> records = good_records();
  records[150].fields[0] = 2;
  records[70].signature.bytes[64] = 0;
  std::swap(records[130], records[131]);
  for (const unsigned threads : {1U, 2U, 5U}) {
    math::ThreadPool pool(threads);
    std::vector<Record> bad = records;
    auto checked = check_records(file_of(bad), kRule, context(), pool);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().record, 70U);
    EXPECT_EQ(checked.error().reason, RecordReason::kSignature);
    EXPECT_TRUE(checked.error().message.starts_with("record 70: "));

    bad[70] = good_records()[70];
    checked = check_records(file_of(bad), kRule, context(), pool);
    EXPECT_EQ(checked.error().record, 131U);
    EXPECT_EQ(checked.error().reason, RecordReason::kOrder);

    std::swap(bad[130], bad[131]);
    checked = check_records(file_of(bad), kRule, context(), pool);
    EXPECT_EQ(checked.error().record, 150U);
    EXPECT_EQ(checked.error().reason, RecordReason::kSigner);
  }
}

// Pitfall 6: a record that is there twice is refused, also where tasks of the pool meet.
TEST(CheckRecords, refuses_a_record_that_is_there_twice) {
  math::ThreadPool pool(2);
  for (const std::size_t place : {1U, 63U, 64U, 65U, 128U, 199U}) {
    std::vector<Record> records = good_records();
    records[place] = records[place - 1];
    const auto checked = check_records(file_of(records), kRule, context(), pool);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().record, place);
    EXPECT_EQ(checked.error().reason, RecordReason::kOrder);
  }
}

TEST(CheckRecords, refuses_two_records_of_one_member_where_it_has_one) {
  math::ThreadPool pool(1);
  std::vector<Record> records = good_records();
  records[10].member = records[9].member;
  EXPECT_TRUE(check_records(file_of(records), kRule, context(), pool).has_value());
  RecordsRule by_member = kRule;
  by_member.order = RecordOrder::kByMember;
  const auto checked = check_records(file_of(records), by_member, context(), pool);
  EXPECT_EQ(checked.error().record, 10U);
  EXPECT_EQ(checked.error().reason, RecordReason::kMemberOrder);
}

TEST(CheckRecords, refuses_any_other_number_of_bytes) {
  math::ThreadPool pool(1);
  std::vector<std::uint8_t> bytes = file_of(good_records());
  RecordsRule wrong = kRule;
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{kCount - 1}, std::uint64_t{kCount + 1},
                                    ~std::uint64_t{0}, (std::uint64_t{1} << 62) + kCount}) {
    wrong.count = count;
    EXPECT_EQ(check_records(bytes, wrong, context(), pool).error().reason, RecordReason::kSize);
  }
  bytes.push_back(0);
  EXPECT_EQ(check_records(bytes, kRule, context(), pool).error().reason, RecordReason::kSize);
  const math::Bytes shorter = math::Bytes(bytes).first(bytes.size() - 2);
  EXPECT_EQ(check_records(shorter, kRule, context(), pool).error().reason, RecordReason::kSize);
}

}  // namespace
}  // namespace tally::proof
