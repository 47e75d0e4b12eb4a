#include "fraud_proof/settlement/transaction.h"

#include <string>

#include "fraud_proof/commitments/tags.h"
#include "fraud_proof/encoding/words.h"
#include "fraud_proof/settlement/transaction_fields.h"

namespace tally::proof {

namespace {

constexpr std::array<std::string_view, std::variant_size_v<Transaction>> kNames = {
    "create_task",    "fund",         "register",       "bind_key",       "unbind_key",   "request_exit",
    "withdraw_stake", "seal_seed",    "post",           "skip_invalid",   "finalize",     "release_bond",
    "open_game",      "open_descent", "make_move",      "claim_timeout",  "refund_game",  "commit",
    "show_proof",     "request_leaf", "answer_request", "claim_withheld", "claim_payout", "withdraw"};

}  // namespace

std::string_view name_of(const Transaction& transaction) { return kNames[transaction.index()]; }

std::vector<std::uint8_t> encode(const Transaction& transaction) {
  FieldWriter writer;
  writer("kind", transaction);
  return writer.take();
}

OrRefused<Transaction> decode_transaction(math::Bytes bytes) {
  if (bytes.size() > kMaxTransactionBytes) {
    return refuse(Reason::kMalformed, "a transaction of " + std::to_string(bytes.size()) + " bytes, more than " +
                                          std::to_string(kMaxTransactionBytes));
  }
  FieldReader reader(bytes);
  Transaction transaction;
  reader("kind", transaction);
  if (const auto fault = reader.fault()) {
    const bool known = !bytes.empty() && bytes.front() == transaction.index() + 1;
    return refuse(Reason::kMalformed, known ? std::string(name_of(transaction)) + ": " + *fault : *fault);
  }
  return transaction;
}

KeccakDigest key_binding_hash(const KeccakDigest& domain, const TaskId& task, std::uint64_t member,
                              const Address& wallet) {
  WordWriter words;
  words.bytes32(keccak256_of_text("BindKey(bytes32 task,uint64 member,address wallet)").bytes);
  words.bytes32(task.digest.bytes);
  words.u64(member);
  words.address(wallet);
  return typed_data_hash(domain, keccak256(words.view()));
}

Digest proof_commitment(const Address& sender, const BatchId& batch, const LocalProof& proof, const Salt& salt) {
  FieldWriter encoded;
  encoded("proof", proof);
  math::ByteWriter bytes = tagged(HashTag::kCommitment);
  bytes.raw(sender.bytes);
  bytes.raw(batch.digest.bytes);
  bytes.raw(encoded.take());
  bytes.raw(salt);
  return math::sha256(bytes.view());
}

}  // namespace tally::proof
