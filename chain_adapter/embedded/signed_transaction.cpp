#include "chain_adapter/embedded/signed_transaction.h"

#include <algorithm>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"

namespace tally::chain {

namespace {

void write_unsigned(const SignedTransaction& transaction, math::ByteWriter& writer) {
  TALLY_ASSERT(transaction.payload.size() <= proof::kMaxTransactionBytes);
  writer.u64be(transaction.chain.chain_id);
  writer.raw(transaction.chain.contract.bytes);
  writer.u64be(transaction.nonce);
  writer.i128be(0);
  writer.i128be(static_cast<math::i128>(transaction.value.value));
  writer.raw(transaction.payload);
}

}  // namespace

proof::Digest signing_hash(const SignedTransaction& transaction) {
  math::ByteWriter writer = proof::tagged(proof::HashTag::kTransaction);
  write_unsigned(transaction, writer);
  return math::sha256(writer.view());
}

void sign(SignedTransaction& transaction, const proof::PrivateKey& key) {
  transaction.signature = proof::sign(key, signing_hash(transaction).bytes);
}

proof::OrRefused<proof::Address> sender_of(const SignedTransaction& transaction) {
  const auto sender = proof::recover_signer(transaction.signature, signing_hash(transaction).bytes);
  if (!sender)
    return proof::refuse(proof::Reason::kBadSignature, "the transaction's signature: " + sender.error().message);
  return *sender;
}

std::vector<std::uint8_t> encode(const SignedTransaction& transaction) {
  math::ByteWriter writer;
  write_unsigned(transaction, writer);
  writer.raw(transaction.signature.bytes);
  return writer.take();
}

proof::OrRefused<SignedTransaction> decode_signed_transaction(math::Bytes bytes) {
  if (bytes.size() < kEnvelopeBytes || bytes.size() - kEnvelopeBytes > proof::kMaxTransactionBytes) {
    return proof::refuse(proof::Reason::kMalformed, "a signed transaction of " + std::to_string(bytes.size()) +
                                                        " bytes; it has " + std::to_string(kEnvelopeBytes) + " to " +
                                                        std::to_string(kEnvelopeBytes + proof::kMaxTransactionBytes));
  }
  math::ByteReader reader(bytes);
  SignedTransaction transaction;
  transaction.chain.chain_id = reader.u64be();
  std::ranges::copy(reader.raw(20), transaction.chain.contract.bytes.begin());
  transaction.nonce = reader.u64be();
  if (reader.i128be() != 0) return proof::refuse(proof::Reason::kMalformed, "a value of 2^128 wei or more");
  transaction.value.value = static_cast<math::u128>(reader.i128be());
  const math::Bytes payload = reader.raw(bytes.size() - kEnvelopeBytes);
  transaction.payload.assign(payload.begin(), payload.end());
  std::ranges::copy(reader.raw(65), transaction.signature.bytes.begin());
  TALLY_ASSERT(reader.finished());
  return transaction;
}

TransactionId transaction_id(math::Bytes signed_transaction) {
  math::ByteWriter writer = proof::tagged(proof::HashTag::kTransactionId);
  writer.raw(signed_transaction);
  return {math::sha256(writer.view())};
}

}  // namespace tally::chain
