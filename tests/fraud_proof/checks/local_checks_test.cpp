#include "fraud_proof/checks/local_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "deterministic_math/bytecode/cost.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/signing/eip712.h"
#include "fraud_proof/signing/secp256k1.h"
#include "tests/support/game_players.h"
#include "tests/support/memory_world.h"

namespace tally::proof {
namespace {

using test::CommittedMemory;
using test::GameWorld;

const KeccakDigest kDomain = domain_separator(tallystick_domain(31337, Address{{9}}));

std::string source_of(const char* rule = "") {
  return "program checks\ndim K in 0..8\nrecord x: i64 in 0..100\nrecord y: i64\n" + std::string(rule) +
         "\nadvice a: i64 in 0..5\ntable t: i64 { fold k in K { n = n + x[k] } from n = 0  return n + a }\n";
}

PrivateKey key_of(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = seed;
  return PrivateKey::from_bytes(bytes).value();
}

/// Records alone, committed: two fields, signed in turn by keys 1, 2, … and put in order.
class RecordBatch final : public LeafSource {
 public:
  explicit RecordBatch(std::size_t count, const char* rule = "")
      : x_program(test::compile_text(source_of(rule)).program),
        x_batch{x_program, x_header, 64, {.dims = {count}, .batch = 5}} {
    x_header.task.digest.bytes[0] = 3;
    x_header.number = 5;
    x_header.prev_state_root.digest.bytes[0] = 4;
    for (std::size_t i = 0; i < count; ++i) {
      Record record;
      record.nonce = 7;
      record.fields = {static_cast<std::int64_t>(i), -1};
      sign_record(record, record_context(kDomain, x_header), key_of(static_cast<std::uint8_t>(i + 1)));
      records.push_back(record);
    }
    std::ranges::sort(records, {}, &Record::address);
    for (std::size_t i = 0; i < count; ++i) records[i].member = 10 + i;
    commit();
  }

  void commit() {
    std::vector<std::uint8_t> bytes;
    for (const Record& record : records) std::ranges::copy(encode(record), std::back_inserter(bytes));
    LeafDigests digests(bytes.size(), record_bytes());
    digests.hash_block(0, bytes);
    x_tree = MerkleTree(digests.digests());
    x_header.records_root = x_tree.root();
    x_header.record_count = records.size();
    x_batch.values.dims = {records.size()};
  }

  [[nodiscard]] static std::size_t record_bytes() { return RecordShape{.rows = 0, .fields = 2}.record_bytes(); }
  [[nodiscard]] const CommittedBatch& batch() const { return x_batch; }
  [[nodiscard]] std::vector<std::uint8_t> open(std::uint64_t first, std::uint64_t count) {
    return make_record_openings(x_batch, first, count, *this);
  }

  [[nodiscard]] OpenedLeaf leaf(const OpeningKey& key) override {
    return {encode(records[key.record]), x_tree.inclusion_path(key.record)};
  }
  [[nodiscard]] std::span<const Digest> state_commitments() override { return {}; }
  [[nodiscard]] std::span<const Digest> table_commitments() override { return {}; }

  std::vector<Record> records;

 private:
  math::Program x_program;
  BatchHeader x_header;
  CommittedBatch x_batch;
  MerkleTree x_tree{{}};
};

/// The reason, or nothing where the batch is shown invalid.
std::optional<Reason> reason(const OrRefused<void>& checked) {
  return checked ? std::nullopt : std::optional(checked.error().reason);
}

constexpr std::optional<Reason> kShown{};

std::optional<Reason> order(RecordBatch& batch, std::uint64_t index) {
  return reason(check_record_order(batch.batch(), index, batch.open(index, 2)));
}

std::optional<Reason> signature(RecordBatch& batch, std::uint64_t index) {
  return reason(check_record_signature(batch.batch(), kDomain, index, batch.open(index, 1)));
}

TEST(LocalChecks, records_in_order_and_out_of_it) {
  RecordBatch batch(5);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(order(batch, i), Reason::kRecordsInOrder);

  std::swap(batch.records[3], batch.records[4]);
  batch.commit();
  EXPECT_EQ(order(batch, 3), kShown);
  EXPECT_EQ(order(batch, 0), Reason::kRecordsInOrder);

  // A duplicate, and a second record of the same address.
  batch.records[4] = batch.records[3];
  batch.commit();
  EXPECT_EQ(order(batch, 3), kShown);
  batch.records[4].nonce += 1;
  batch.commit();
  EXPECT_EQ(order(batch, 3), Reason::kRecordsInOrder);
}

TEST(LocalChecks, order_is_by_member_where_the_program_says_one_record_per_member) {
  RecordBatch batch(3, "one record per member");
  EXPECT_EQ(order(batch, 0), Reason::kRecordsInOrder);
  batch.records[1].member = batch.records[0].member;
  batch.commit();
  EXPECT_EQ(order(batch, 0), kShown);
  EXPECT_EQ(order(batch, 1), Reason::kRecordsInOrder);
  std::swap(batch.records[1].address, batch.records[2].address);
  batch.commit();
  EXPECT_EQ(order(batch, 1), Reason::kRecordsInOrder);
}

TEST(LocalChecks, a_record_alone_has_no_order) {
  RecordBatch batch(1);
  const auto opening = batch.open(0, 1);
  EXPECT_EQ(reason(check_record_order(batch.batch(), 0, opening)), Reason::kNoSuchEntry);
  EXPECT_EQ(reason(check_record_order(batch.batch(), ~std::uint64_t{0}, opening)), Reason::kNoSuchEntry);
  EXPECT_EQ(signature(batch, 0), Reason::kSignatureIsGood);

  RecordBatch empty(0);
  EXPECT_EQ(reason(check_record_signature(empty.batch(), kDomain, 0, {})), Reason::kNoSuchEntry);
}

TEST(LocalChecks, the_last_record_has_none_behind_it) {
  RecordBatch batch(4);
  EXPECT_EQ(order(batch, 2), Reason::kRecordsInOrder);
  EXPECT_EQ(reason(check_record_order(batch.batch(), 3, batch.open(3, 1))), Reason::kNoSuchEntry);
  EXPECT_EQ(reason(check_record_order(batch.batch(), 4, {})), Reason::kNoSuchEntry);
  // An index that wraps to a record where it is cut to 32 bits is none.
  EXPECT_EQ(reason(check_record_signature(batch.batch(), kDomain, std::uint64_t{1} << 32, batch.open(0, 1))),
            Reason::kNoSuchEntry);
  EXPECT_EQ(signature(batch, 3), Reason::kSignatureIsGood);
}

TEST(LocalChecks, signatures_are_bad_for_another_task_batch_state_chain_or_content) {
  RecordBatch batch(3);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(signature(batch, i), Reason::kSignatureIsGood);

  const KeccakDigest other_chain = domain_separator(tallystick_domain(1, Address{{9}}));
  EXPECT_EQ(reason(check_record_signature(batch.batch(), other_chain, 1, batch.open(1, 1))), kShown);

  const auto forged = [&](auto&& change) {
    RecordBatch other(3);
    change(other.records[1]);
    other.commit();
    EXPECT_EQ(signature(other, 0), Reason::kSignatureIsGood);
    return signature(other, 1);
  };
  EXPECT_EQ(forged([](Record& record) { record.fields[0] += 1; }), kShown);
  EXPECT_EQ(forged([](Record& record) { record.nonce += 1; }), kShown);
  EXPECT_EQ(forged([](Record& record) { record.address.bytes[0] ^= 1; }), kShown);
  EXPECT_EQ(forged([](Record& record) { record.signature.bytes[64] ^= 1; }), kShown);
  EXPECT_EQ(forged([](Record& record) { record.signature = {}; }), kShown);
  // The member is not signed: the chain knows it.
  EXPECT_EQ(forged([](Record& record) { record.member += 1; }), Reason::kSignatureIsGood);

  const auto signed_as = [&](auto&& change) {
    RecordBatch other(3);
    RecordContext context = record_context(kDomain, other.batch().header);
    change(context);
    sign_record(other.records[1], context, key_of(77));
    other.commit();
    return signature(other, 1);
  };
  EXPECT_EQ(signed_as([](RecordContext&) {}), Reason::kSignatureIsGood);
  EXPECT_EQ(signed_as([](RecordContext& context) { context.task.digest.bytes[0] ^= 1; }), kShown);
  EXPECT_EQ(signed_as([](RecordContext& context) { context.batch += 1; }), kShown);
  EXPECT_EQ(signed_as([](RecordContext& context) { context.state.digest.bytes[0] ^= 1; }), kShown);
}

// Pitfall 6: n - s signs the same message with the other v: a second form of a good signature, and so a bad one.
TEST(LocalChecks, a_signature_that_is_not_canonical_is_a_bad_one) {
  constexpr std::array<std::uint8_t, 32> kOrder = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                   0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                                   0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
  RecordBatch batch(2);
  auto& bytes = batch.records[0].signature.bytes;
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = kOrder[i] - bytes[32 + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    bytes[32 + i] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
  bytes[64] = static_cast<std::uint8_t>(27 + 28 - bytes[64]);
  batch.commit();
  EXPECT_EQ(signature(batch, 0), kShown);
}

TEST(LocalChecks, a_signer_is_a_member_from_its_binding_until_just_before_it_ends) {
  RecordBatch batch(3);
  SignerTerm term{.member = 11, .from_s = 100, .until_s = 200};
  const auto signer = [&](std::uint64_t posted_s) {
    const SignerLookup lookup = [&](const Address& address) {
      return address == batch.records[1].address ? std::optional(term) : std::nullopt;
    };
    return reason(check_record_signer(batch.batch(), 1, batch.open(1, 1), lookup, posted_s));
  };
  EXPECT_EQ(signer(99), kShown);
  EXPECT_EQ(signer(100), Reason::kSignerIsMember);
  EXPECT_EQ(signer(199), Reason::kSignerIsMember);
  EXPECT_EQ(signer(200), kShown);
  term.until_s = ~std::uint64_t{0};
  EXPECT_EQ(signer(~std::uint64_t{0} - 1), Reason::kSignerIsMember);
  term.member = 12;
  EXPECT_EQ(signer(150), kShown);
  const SignerLookup nobody = [](const Address&) -> std::optional<SignerTerm> { return std::nullopt; };
  EXPECT_EQ(reason(check_record_signer(batch.batch(), 0, batch.open(0, 1), nobody, 150)), kShown);
  EXPECT_EQ(reason(check_record_signer(batch.batch(), 3, batch.open(0, 1), nobody, 150)), Reason::kNoSuchEntry);
}

TEST(LocalChecks, advice_within_its_range_and_outside_it) {
  GameWorld world(source_of());
  const math::ObjectId advice = 4;
  ASSERT_EQ(world.program().objects[advice].kind, math::ObjectKind::kAdvice);
  const auto range = [&](math::i128 value) {
    world.set(advice, 0, value);
    CommittedMemory& committed = world.commit();
    return reason(check_advice_range(committed.batch(), advice, 0,
                                     make_element_opening(committed.batch(), advice, 0, committed)));
  };
  EXPECT_EQ(range(-1), kShown);
  EXPECT_EQ(range(0), Reason::kAdviceInRange);
  EXPECT_EQ(range(5), Reason::kAdviceInRange);
  EXPECT_EQ(range(6), kShown);
  EXPECT_EQ(range(std::numeric_limits<std::int64_t>::min()), kShown);

  CommittedMemory& committed = world.commit();
  const auto opening = make_element_opening(committed.batch(), advice, 0, committed);
  const auto at = [&](math::ObjectId object, std::uint64_t element) {
    return reason(check_advice_range(committed.batch(), object, element, opening));
  };
  EXPECT_EQ(at(advice, 1), Reason::kNoSuchEntry);
  EXPECT_EQ(at(advice, ~std::uint64_t{0}), Reason::kNoSuchEntry);
  EXPECT_EQ(at(advice + 1, 0), Reason::kNoSuchEntry);  // a computed table: its range is the game's
  EXPECT_EQ(at(0, 0), Reason::kNoSuchEntry);
  EXPECT_EQ(at(999, 0), Reason::kNoSuchEntry);

  for (std::size_t place = 0; place < opening.size(); ++place) {
    auto bad = opening;
    bad[place] ^= 0x40;
    EXPECT_NE(reason(check_advice_range(committed.batch(), advice, 0, bad)), kShown) << place;
    const math::Bytes cut = math::Bytes(opening).first(place);
    EXPECT_EQ(reason(check_advice_range(committed.batch(), advice, 0, cut)), Reason::kOpeningMissing) << place;
  }
  auto longer = opening;
  longer.push_back(0);
  EXPECT_EQ(reason(check_advice_range(committed.batch(), advice, 0, longer)), Reason::kOpeningTrailing);
}

// Each byte of a proof matters: none can be changed, left out or added.
TEST(LocalChecks, corrupted_openings_are_refused) {
  RecordBatch batch(5);
  std::swap(batch.records[3], batch.records[4]);
  batch.commit();
  const auto good = batch.open(3, 2);
  ASSERT_EQ(reason(check_record_order(batch.batch(), 3, good)), kShown);
  // Head: object, record, leaf, size; then the record, then the path.
  const auto expected = [&](std::size_t place) {
    const std::size_t path = 32 * inclusion_path_length({.index = 3, .count = 5});
    const std::size_t first = math::kOpeningHeadBytes + RecordBatch::record_bytes() + path;
    const std::size_t at = place < first ? place : place - first;
    if (at < math::kOpeningHeadBytes - 2) return Reason::kOpeningUnexpected;
    return at < math::kOpeningHeadBytes ? Reason::kOpeningSize : Reason::kOpeningRecord;
  };
  for (std::size_t place = 0; place < good.size(); ++place) {
    auto bad = good;
    bad[place] ^= 0x40;
    EXPECT_EQ(reason(check_record_order(batch.batch(), 3, bad)), expected(place)) << place;
    const math::Bytes cut = math::Bytes(good).first(place);
    EXPECT_EQ(reason(check_record_order(batch.batch(), 3, cut)), Reason::kOpeningMissing) << place;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_EQ(reason(check_record_order(batch.batch(), 3, longer)), Reason::kOpeningTrailing);
  // Another record's opening, though of the same batch.
  EXPECT_EQ(reason(check_record_order(batch.batch(), 2, good)), Reason::kOpeningUnexpected);
  EXPECT_EQ(reason(check_record_signature(batch.batch(), kDomain, 3, good)), Reason::kOpeningTrailing);
}

}  // namespace
}  // namespace tally::proof
