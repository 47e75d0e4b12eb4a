#include "chain_adapter/embedded/block.h"

#include <algorithm>
#include <stdexcept>

#include "chain_adapter/chain/wei_text.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"

namespace tally::chain {

namespace {

math::ByteWriter block_head(const proof::Digest& parent, std::uint64_t number, std::uint64_t time_s) {
  math::ByteWriter writer = proof::tagged(proof::HashTag::kBlock);
  for (const std::uint8_t byte : parent.bytes) writer.u8(byte);
  writer.u64be(number);
  writer.u64be(time_s);
  return writer;
}

void write_money(math::ByteWriter& writer, const proof::Wei& amount) {
  writer.i128be(0);
  writer.i128be(static_cast<math::i128>(amount.value));
}

}  // namespace

std::string_view to_string(Clock clock) {
  switch (clock) {
    case Clock::kWall:
      return "wall";
    case Clock::kDriven:
      return "driven";
  }
  TALLY_ASSERT(false);
}

void check_genesis(const Genesis& genesis) {
  if (genesis.chain_id == 0 || genesis.chain_id > kMaxChainNumber) {
    throw std::invalid_argument("the chain id is not in 1 to 2^62 - 1");
  }
  if (genesis.time_s > kMaxChainNumber) throw std::invalid_argument("the time is not below 2^62");
  proof::Wei supply;
  for (const GenesisAccount& account : genesis.accounts) {
    const auto sum = add(supply, account.balance);
    if (!sum) throw std::invalid_argument("the accounts hold 2^128 wei or more in all");
    supply = *sum;
  }
  const auto unordered =
      std::ranges::adjacent_find(genesis.accounts, std::ranges::greater_equal{}, &GenesisAccount::address);
  if (unordered != genesis.accounts.end()) {
    throw std::invalid_argument("accounts not in ascending order, or twice: " + proof::to_text(unordered->address));
  }
}

Block genesis_block(const Genesis& genesis) {
  math::ByteWriter writer = block_head({}, 0, genesis.time_s);
  writer.u64be(genesis.chain_id);
  writer.u8(static_cast<std::uint8_t>(genesis.clock));
  write_money(writer, genesis.base_fee);
  for (const GenesisAccount& account : genesis.accounts) {
    writer.raw(account.address.bytes);
    write_money(writer, account.balance);
  }
  return {.number = 0, .time_s = genesis.time_s, .parent = {}, .hash = math::sha256(writer.view())};
}

proof::Address contract_address(const Block& genesis) {
  proof::Address address;
  std::ranges::copy(std::span(genesis.hash.bytes).last(address.bytes.size()), address.bytes.begin());
  return address;
}

Block next_block(const Block& parent, std::uint64_t time_s, std::span<const TransactionId> transactions) {
  Block block{.number = parent.number + 1, .time_s = time_s, .parent = parent.hash, .hash = {}};
  math::ByteWriter writer = block_head(block.parent, block.number, block.time_s);
  for (const TransactionId& transaction : transactions) writer.raw(transaction.digest.bytes);
  block.hash = math::sha256(writer.view());
  return block;
}

}  // namespace tally::chain
