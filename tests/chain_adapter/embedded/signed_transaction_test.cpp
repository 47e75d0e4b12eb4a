#include "chain_adapter/embedded/signed_transaction.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>

#include "chain_adapter/keys/development_keys.h"

namespace tally::chain {
namespace {

SignedTransaction sample() {
  SignedTransaction transaction{.chain = {.chain_id = 0x0102030405060708, .contract = {}},
                                .nonce = 0x1112131415161718,
                                .value = {(math::u128{0x2122232425262728} << 64) | 0x292a2b2c2d2e2f30},
                                .payload = {0xaa, 0xbb, 0xcc}};
  transaction.chain.contract.bytes.fill(0x99);
  sign(transaction, development_key(1));
  return transaction;
}

// The layout of docs/spec.md, written out by hand.
TEST(SignedTransaction, is_laid_out_as_the_specification_says) {
  const SignedTransaction transaction = sample();
  const std::string unsigned_part = "0102030405060708" + std::string(40, '9') + "1112131415161718" +
                                    std::string(32, '0') + "2122232425262728292a2b2c2d2e2f30" + "aabbcc";
  EXPECT_EQ(math::to_hex(encode(transaction)),
            "0x" + unsigned_part + math::to_hex(transaction.signature.bytes).substr(2));
  std::vector<std::uint8_t> preimage(1 + unsigned_part.size() / 2);
  ASSERT_TRUE(math::from_hex("0x0a" + unsigned_part, preimage));
  EXPECT_EQ(signing_hash(transaction), math::sha256(preimage));
  const std::vector<std::uint8_t> bytes = encode(transaction);
  EXPECT_EQ(bytes.size(), kEnvelopeBytes + 3);
  std::vector<std::uint8_t> named = {0x0c};
  std::ranges::copy(bytes, std::back_inserter(named));
  EXPECT_EQ(transaction_id(encode(transaction)).digest, math::sha256(named));
}

TEST(SignedTransaction, is_read_back_and_names_its_sender) {
  const auto decoded = decode_signed_transaction(encode(sample()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, sample());
  EXPECT_EQ(sender_of(*decoded), development_key(1).address());
}

TEST(SignedTransaction, refuses_other_sizes_and_wide_values) {
  const std::vector<std::uint8_t> good = encode(sample());
  std::vector<std::vector<std::uint8_t>> bad;
  for (std::size_t size = 0; size < kEnvelopeBytes; ++size) {
    bad.emplace_back(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
  }
  bad.emplace_back(kEnvelopeBytes + proof::kMaxTransactionBytes + 1);
  for (std::size_t at = 36; at < 52; ++at) {
    bad.push_back(good);
    bad.back()[at] = 1;
  }
  for (const auto& bytes : bad) {
    const auto decoded = decode_signed_transaction(bytes);
    ASSERT_FALSE(decoded) << bytes.size();
    EXPECT_EQ(decoded.error().reason, proof::Reason::kMalformed);
  }
  EXPECT_TRUE(decode_signed_transaction(std::vector<std::uint8_t>(kEnvelopeBytes)));
  EXPECT_TRUE(decode_signed_transaction(std::vector<std::uint8_t>(kEnvelopeBytes + proof::kMaxTransactionBytes)));
}

RC_GTEST_PROP(SignedTransaction, with_any_bit_flipped_is_not_the_senders, ()) {
  const std::vector<std::uint8_t> good = encode(sample());
  std::vector<std::uint8_t> bytes = good;
  bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^= static_cast<std::uint8_t>(1U << *rc::gen::inRange(0, 8));
  RC_ASSERT(transaction_id(bytes) != transaction_id(good));
  const auto decoded = decode_signed_transaction(bytes);
  if (!decoded) return;
  RC_ASSERT(encode(*decoded) == bytes);
  const auto sender = sender_of(*decoded);
  if (!sender) {
    RC_ASSERT(sender.error().reason == proof::Reason::kBadSignature);
  } else {
    RC_ASSERT(*sender != development_key(1).address());
  }
}

}  // namespace
}  // namespace tally::chain
