#include "chain_adapter/evm/fee_transaction.h"

#include <algorithm>
#include <span>

#include "chain_adapter/evm/rlp.h"

namespace tally::chain {

namespace {

constexpr std::uint8_t kType = 0x02;

RlpWriter unsigned_items(const FeeTransaction& transaction) {
  RlpWriter items;
  items.number(transaction.chain_id);
  items.number(transaction.nonce);
  items.number(transaction.priority_fee.value);
  items.number(transaction.fee.value);
  items.number(transaction.gas);
  items.bytes(transaction.to ? math::Bytes(transaction.to->bytes) : math::Bytes{});
  items.number(transaction.value.value);
  items.bytes(transaction.data);
  items.list(RlpWriter());  // no access list
  return items;
}

std::vector<std::uint8_t> typed(const RlpWriter& items) {
  std::vector<std::uint8_t> bytes = items.take();
  bytes.insert(bytes.begin(), kType);
  return bytes;
}

}  // namespace

proof::KeccakDigest signing_hash(const FeeTransaction& transaction) {
  return proof::keccak256(typed(unsigned_items(transaction)));
}

std::vector<std::uint8_t> signed_bytes(const FeeTransaction& transaction, const proof::PrivateKey& key) {
  const proof::Signature signature = proof::sign(key, signing_hash(transaction).bytes);
  const std::span<const std::uint8_t, 65> bytes(signature.bytes);
  RlpWriter items = unsigned_items(transaction);
  items.number(static_cast<math::u128>(bytes[64] - 27));
  items.number(bytes.subspan<0, 32>());
  items.number(bytes.subspan<32, 32>());
  return typed(items);
}

proof::Address created_address(const proof::Address& sender, std::uint64_t nonce) {
  RlpWriter items;
  items.bytes(sender.bytes);
  items.number(nonce);
  const proof::KeccakDigest digest = proof::keccak256(items.take());
  proof::Address address;
  std::copy_n(digest.bytes.begin() + 12, address.bytes.size(), address.bytes.begin());
  return address;
}

}  // namespace tally::chain
