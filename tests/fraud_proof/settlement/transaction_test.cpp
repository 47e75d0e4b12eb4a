#include "fraud_proof/settlement/transaction.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "fraud_proof/settlement/event.h"
#include "fraud_proof/signing/eip712.h"
#include "tests/support/refused.h"
#include "tests/support/settlement_samples.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::refused;
using test::sample_events;
using test::sample_transactions;

/// What holds of every canonical codec, for values that are written as `bytes`.
template <class Decode>
void expect_canonical(const std::vector<std::uint8_t>& bytes, const Decode& decode) {
  const auto whole = decode(bytes);
  ASSERT_TRUE(accepted(whole));
  EXPECT_EQ(encode(*whole), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(refused(decode(math::Bytes(bytes).first(size)), Reason::kMalformed)) << size;
  }
  std::vector<std::uint8_t> longer = bytes;
  longer.resize(bytes.size() + 1);
  EXPECT_TRUE(refused(decode(longer), Reason::kMalformed));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const std::uint8_t flip : std::to_array<std::uint8_t>({0x01, 0x80, 0xff})) {
      std::vector<std::uint8_t> changed = bytes;
      changed[at] ^= flip;
      const auto read = decode(changed);
      if (!read) {
        EXPECT_EQ(read.error().reason, Reason::kMalformed);
        continue;
      }
      EXPECT_EQ(encode(*read), changed) << "byte " << at;
    }
  }
}

TEST(Transaction, decodes_exactly_what_it_encodes) {
  for (const Transaction& transaction : sample_transactions()) {
    SCOPED_TRACE(name_of(transaction));
    expect_canonical(encode(transaction), decode_transaction);
  }
}

TEST(Transaction, the_samples_hold_every_kind_and_each_has_a_name_of_its_own) {
  std::set<std::size_t> kinds;
  std::set<std::string_view> names;
  for (const Transaction& transaction : sample_transactions()) {
    kinds.insert(transaction.index());
    names.insert(name_of(transaction));
    EXPECT_EQ(encode(transaction).front(), transaction.index() + 1);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Transaction>);
  EXPECT_EQ(names.size(), std::variant_size_v<Transaction>);
  EXPECT_EQ(name_of(CreateTask{}), "create_task");
  EXPECT_EQ(name_of(Post{}), "post");
  EXPECT_EQ(name_of(MakeMove{}), "make_move");
  EXPECT_EQ(name_of(Withdraw{}), "withdraw");
}

TEST(Transaction, is_laid_out_as_the_specification_says) {
  const TaskId task{math::sha256({})};
  math::ByteWriter fund;
  fund.u8(2);
  fund.raw(task.digest.bytes);
  EXPECT_EQ(encode(Fund{.task = task}), fund.take());

  Address key;
  key.bytes.fill(0xab);
  math::ByteWriter unbind;
  unbind.u8(5);
  unbind.raw(task.digest.bytes);
  unbind.u64be(258);
  unbind.raw(key.bytes);
  EXPECT_EQ(encode(UnbindKey{.task = task, .member = 258, .key = key}), unbind.take());
  EXPECT_EQ(encode(Withdraw{}), std::vector<std::uint8_t>{24});
}

TEST(Transaction, says_which_field_is_at_fault) {
  const auto message = [](std::vector<std::uint8_t> bytes) {
    const auto decoded = decode_transaction(bytes);
    return decoded ? "accepted" : decoded.error().message;
  };
  EXPECT_EQ(message({}), "kind: the bytes end within it");
  EXPECT_EQ(message({0}), "kind: an unknown kind 0");
  EXPECT_EQ(message({25}), "kind: an unknown kind 25");
  EXPECT_EQ(message({2, 1}), "fund: task: the bytes end within it");
  EXPECT_EQ(message({24, 9}), "withdraw: 1 bytes follow the last field");

  std::vector<std::uint8_t> post = encode(Post{});
  post[33] = 2;
  EXPECT_EQ(message(post), "post: parent: a presence of 2");
  post[33] = 0;
  post[34] = 1;  // 256 state commitments
  EXPECT_EQ(message(post), "post: state_commitments: 256 are more than 64");
}

TEST(Transaction, bounds_every_list) {
  const auto with_count = [](const Transaction& transaction, std::size_t at, std::uint16_t count) {
    std::vector<std::uint8_t> bytes = encode(transaction);
    bytes.at(at) = static_cast<std::uint8_t>(count >> 8);
    bytes.at(at + 1) = static_cast<std::uint8_t>(count & 0xff);
    bytes.resize(bytes.size() + std::size_t{count} * 67);
    const auto decoded = decode_transaction(bytes);
    return decoded ? "accepted" : decoded.error().message;
  };
  constexpr std::size_t kHead = 1 + 32 + 4;  // kind, salt, no bytecode
  EXPECT_EQ(with_count(CreateTask{}, kHead, 65), "create_task: dims: 65 are more than 64");
  EXPECT_EQ(with_count(CreateTask{}, kHead + 2, 65), "create_task: params: 65 are more than 64");
  const std::size_t genesis = encode(CreateTask{}).size() - 2;
  EXPECT_EQ(with_count(CreateTask{}, genesis, 65), "create_task: genesis_roots: 65 are more than 64");
  EXPECT_EQ(with_count(Post{}, 1 + 32 + 1, 65), "post: state_commitments: 65 are more than 64");
  constexpr std::size_t kTables = 1 + 32 + 1 + 2 + 8 + 32;
  EXPECT_EQ(with_count(Post{}, kTables, 1'025), "post: table_roots: 1025 are more than 1024");
  EXPECT_EQ(with_count(Post{}, kTables + 2 + 20, 33), "post: keepers: 33 are more than 32");
  EXPECT_EQ(with_count(OpenDescent{}, 1 + 320 + 2, 1'025), "open_descent: tables: 1025 are more than 1024");
  EXPECT_EQ(with_count(ClaimPayout{}, 1 + 320, 65), "claim_payout: state_commitments: 65 are more than 64");
}

TEST(Transaction, refuses_more_bytes_than_any_transaction_has) {
  std::vector<std::uint8_t> bytes = encode(OpenGame{});
  const std::size_t head = bytes.size();
  const auto with_openings = [&](std::size_t size) {
    std::vector<std::uint8_t> changed = bytes;
    for (std::size_t i = 0; i < 4; ++i) changed[head - 1 - i] = static_cast<std::uint8_t>(size >> (8 * i));
    changed.resize(head + size);
    return decode_transaction(changed);
  };
  EXPECT_TRUE(accepted(with_openings(kMaxTransactionBytes - head)));
  EXPECT_TRUE(refused(with_openings(kMaxTransactionBytes - head + 1), Reason::kMalformed));
}

TEST(Transaction, a_proof_is_committed_to_with_its_sender_batch_and_salt) {
  const LocalProof proof = RecordOrderProof{.index = 3, .openings = {1, 2}};
  const Salt salt = math::sha256({}).bytes;
  const Address sender{{1}};
  const BatchId batch{math::sha256({})};
  const Digest commitment = proof_commitment(sender, batch, proof, salt);

  math::ByteWriter expected;
  expected.u8(0x09);
  expected.raw(sender.bytes);
  expected.raw(batch.digest.bytes);
  expected.u8(1);
  expected.u64be(3);
  expected.u32be(2);
  expected.u8(1);
  expected.u8(2);
  expected.raw(salt);
  EXPECT_EQ(commitment, math::sha256(expected.view()));

  EXPECT_NE(proof_commitment(Address{{2}}, batch, proof, salt), commitment);
  EXPECT_NE(proof_commitment(sender, {}, proof, salt), commitment);
  EXPECT_NE(proof_commitment(sender, batch, proof, {}), commitment);
  const LocalProof others[] = {
      RecordOrderProof{.index = 4, .openings = {1, 2}}, RecordOrderProof{.index = 3, .openings = {1, 3}},
      RecordSignerProof{.index = 3, .openings = {1, 2}}, RecordSignatureProof{.index = 3, .openings = {1, 2}}};
  for (const LocalProof& other : others) EXPECT_NE(proof_commitment(sender, batch, other, salt), commitment);
}

TEST(Transaction, a_key_signs_the_typed_data_that_binds_it) {
  const KeccakDigest domain = domain_separator(tallystick_domain(31'337, Address{{9}}));
  const TaskId task{math::sha256({})};
  Address wallet;
  wallet.bytes.fill(0xcd);
  math::ByteWriter words;
  words.raw(keccak256_of_text("BindKey(bytes32 task,uint64 member,address wallet)").bytes);
  words.raw(task.digest.bytes);
  words.i128be(0);
  words.i128be(258);
  words.raw(std::vector<std::uint8_t>(12));
  words.raw(wallet.bytes);
  ASSERT_EQ(words.view().size(), 4 * 32U);
  EXPECT_EQ(key_binding_hash(domain, task, 258, wallet), typed_data_hash(domain, keccak256(words.view())));
}

TEST(Event, decodes_exactly_what_it_encodes) {
  for (const Event& event : sample_events()) {
    SCOPED_TRACE(name_of(event));
    expect_canonical(encode(event), decode_event);
  }
}

TEST(Event, the_samples_hold_every_kind_and_each_has_a_name_of_its_own) {
  std::set<std::size_t> kinds;
  std::set<std::string_view> names;
  for (const Event& event : sample_events()) {
    kinds.insert(event.index());
    names.insert(name_of(event));
    EXPECT_EQ(encode(event).front(), event.index() + 1);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Event>);
  EXPECT_EQ(names.size(), std::variant_size_v<Event>);
  EXPECT_EQ(name_of(TaskCreated{}), "TaskCreated");
  EXPECT_EQ(name_of(GameEnded{}), "GameEnded");
  EXPECT_EQ(name_of(Withdrawn{}), "Withdrawn");
}

TEST(Event, causes_and_outcomes_have_names_and_no_other_values) {
  std::set<std::string_view> names;
  for (std::uint8_t cause = 1; cause <= 7; ++cause) names.insert(to_string(static_cast<LossCause>(cause)));
  for (std::uint8_t outcome = 1; outcome <= 4; ++outcome) names.insert(to_string(static_cast<GameOutcome>(outcome)));
  EXPECT_EQ(names.size(), 11U);

  std::vector<std::uint8_t> bytes = encode(Event{GameEnded{}});
  for (const std::uint8_t bad : std::to_array<std::uint8_t>({0, 5})) {
    bytes[1 + 64] = bad;
    EXPECT_EQ(decode_event(bytes).error().message, "GameEnded: outcome: an unknown value");
  }
}

}  // namespace
}  // namespace tally::proof
