#include "fraud_proof/records/record.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "fraud_proof/signing/eip712.h"
#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

RecordContext example_context() {
  Address contract;
  contract.bytes.fill(0x41);
  return {.domain = domain_separator(tallystick_domain(31'337, contract)),
          .task = {digest_of(0x51)},
          .batch = 9,
          .state = {digest_of(0x52)}};
}

Record example() {
  return {.address = {},
          .member = 3,
          .nonce = 77,
          .rows = {digest_of(0x61), digest_of(0x62)},
          .fields = {5, -1, std::numeric_limits<std::int64_t>::min()},
          .signature = {}};
}

PrivateKey example_key() { return PrivateKey::from_bytes(digest_of(0x71).bytes).value(); }

Record signed_example() {
  Record record = example();
  sign_record(record, example_context(), example_key());
  return record;
}

// Known answers come from a second implementation of EIP-712 in Python.
TEST(Record, is_signed_as_the_typed_data_of_the_specification) {
  EXPECT_EQ(example_context().domain.bytes,
            hex<32>("84b93cc2bd021716aa7fb635748974413f6e9aaaf272f87d3304ad85434f78f7"));
  EXPECT_EQ(signing_hash(example(), example_context()).bytes,
            hex<32>("c1c77093a7c90e55de5172254437e398ae0859496e48e036b86a98f9014efa24"));
  Record empty = example();
  empty.rows.clear();
  empty.fields.clear();
  EXPECT_EQ(signing_hash(empty, example_context()).bytes,
            hex<32>("af70267cb5cc74b63ab45d01fbe58692f0a1029956d4a4a3202808c12ff05432"));
}

TEST(Record, has_the_width_and_layout_of_the_specification) {
  const Record record = signed_example();
  const std::vector<std::uint8_t> bytes = encode(record);
  ASSERT_EQ(bytes.size(), 20U + 8 + 8 + 2 * 32 + 3 * 8 + 65);
  EXPECT_EQ(bytes.size(), record.shape().record_bytes());
  EXPECT_TRUE(std::equal(record.address.bytes.begin(), record.address.bytes.end(), bytes.begin()));
  EXPECT_EQ(bytes[27], 3);
  EXPECT_EQ(bytes[35], 77);
  EXPECT_EQ(bytes[36], 0x61);
  EXPECT_EQ(bytes[68], 0x62);
  EXPECT_EQ(bytes[107], 5);
  EXPECT_EQ(bytes[108], 0xff);
  EXPECT_EQ(bytes[116], 0x80);
  EXPECT_EQ(bytes.back(), record.signature.bytes[64]);
}

TEST(Record, any_bytes_of_the_width_round_trip_and_no_others_decode) {
  EXPECT_TRUE(rc::check([] {
    const RecordShape shape{.rows = *rc::gen::inRange<std::size_t>(0, kMaxRecordRows + 1),
                            .fields = *rc::gen::inRange<std::size_t>(0, kMaxRecordFields + 1)};
    const auto bytes =
        *rc::gen::container<std::vector<std::uint8_t>>(shape.record_bytes() + 1, rc::gen::arbitrary<std::uint8_t>());
    const math::Bytes exact = math::Bytes(bytes).first(shape.record_bytes());
    const auto record = decode_record(exact, shape);
    RC_ASSERT(record.has_value());
    RC_ASSERT(record->shape() == shape);
    RC_ASSERT(std::ranges::equal(encode(*record), exact));
    RC_ASSERT(decode_record(bytes, shape).error().reason == RecordReason::kSize);
    RC_ASSERT(decode_record(exact.first(exact.size() - 1), shape).error().reason == RecordReason::kSize);
  }));
}

TEST(Record, a_signature_holds_for_its_record_and_context) {
  EXPECT_EQ(signed_example().address, example_key().address());
  EXPECT_TRUE(check_signature(signed_example(), example_context()).has_value());
}

TEST(Record, every_changed_byte_breaks_the_signature_but_those_of_the_member) {
  const std::vector<std::uint8_t> good = encode(signed_example());
  const RecordShape shape = example().shape();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::uint8_t> bytes = good;
    bytes[i] ^= 0x01;
    const auto checked = check_signature(decode_record(bytes, shape).value(), example_context());
    const bool is_member = i >= 20 && i < 28;
    EXPECT_EQ(checked.has_value(), is_member) << i;
    if (!checked && i < good.size() - 65) {
      EXPECT_EQ(checked.error().reason, RecordReason::kSigner) << i;
    }
  }
}

TEST(Record, a_signature_is_no_good_for_another_round_model_task_or_chain) {
  const Record record = signed_example();
  std::vector<RecordContext> others(5, example_context());
  others[0].task.digest.bytes[31] ^= 1;
  others[1].batch += 1;
  others[2].state.digest.bytes[0] ^= 1;
  others[3].domain = domain_separator(tallystick_domain(1, Address{}));
  others[4].domain = domain_separator({.name = "Tallystick", .version = "2", .chain_id = 31'337});
  for (const RecordContext& context : others) {
    const auto checked = check_signature(record, context);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().reason, RecordReason::kSigner);
  }
}

// Rows and fields are hashed apart, so that moving a value between them is another message.
TEST(Record, the_split_into_rows_and_fields_is_signed) {
  Record rows_only = example();
  rows_only.fields.clear();
  rows_only.rows = {digest_of(0)};
  Record fields_only = example();
  fields_only.fields = {0};
  fields_only.rows.clear();
  EXPECT_NE(signing_hash(rows_only, example_context()), signing_hash(fields_only, example_context()));
}

TEST(Record, a_non_canonical_signature_is_refused_by_name) {
  Record record = signed_example();
  record.signature.bytes[64] = 0;
  EXPECT_EQ(check_signature(record, example_context()).error().reason, RecordReason::kSignature);
}

TEST(RecordOrder, is_strict_by_address_then_nonce) {
  const auto record_of = [](std::uint8_t first_byte, std::uint64_t nonce, std::uint64_t member) {
    Record record;
    record.address.bytes[0] = first_byte;
    record.nonce = nonce;
    record.member = member;
    return record;
  };
  constexpr auto kMax = ~std::uint64_t{0};
  struct Case {
    Record before;
    Record after;
    bool by_address;
    bool by_member;
  };
  const Case cases[] = {
      {record_of(1, 0, 0), record_of(2, 0, 0), true, false},
      {record_of(0x7f, 5, 1), record_of(0x80, 0, 0), true, false},
      {record_of(1, 0, 0), record_of(1, 0, 1), false, true},
      {record_of(1, 1, 0), record_of(1, 0, 1), false, true},
      {record_of(1, 0, 0), record_of(1, 1, 1), true, true},
      {record_of(2, 0, 0), record_of(1, kMax, kMax), false, true},
      {record_of(1, kMax >> 1, kMax >> 1), record_of(1, (kMax >> 1) + 1, (kMax >> 1) + 1), true, true}};
  for (const Case& c : cases) {
    const auto by_address = check_order(c.before, c.after, RecordOrder::kByAddressAndNonce);
    EXPECT_EQ(by_address.has_value(), c.by_address);
    if (!by_address) {
      EXPECT_EQ(by_address.error().reason, RecordReason::kOrder);
    }
    const auto by_member = check_order(c.before, c.after, RecordOrder::kByMember);
    EXPECT_EQ(by_member.has_value(), c.by_member);
    if (!by_member) {
      EXPECT_EQ(by_member.error().reason, RecordReason::kMemberOrder);
    }
  }
}

}  // namespace
}  // namespace tally::proof
