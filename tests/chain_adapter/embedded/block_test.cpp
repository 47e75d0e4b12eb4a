#include "chain_adapter/embedded/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "chain_adapter/keys/development_keys.h"

namespace tally::chain {
namespace {

proof::Address address_with(std::uint8_t byte) {
  proof::Address address;
  address.bytes.fill(byte);
  return address;
}

Genesis sample() {
  return {.chain_id = 0x11,
          .time_s = 0x22,
          .clock = Clock::kDriven,
          .base_fee = {0x33},
          .accounts = {{address_with(1), {0x44}}, {address_with(2), {0x55}}}};
}

std::string word(std::string_view digits, std::size_t bytes) {
  return std::string(2 * bytes - digits.size(), '0') + std::string(digits);
}

// The layouts of docs/spec.md, written out by hand.
TEST(Block, is_hashed_as_the_specification_says) {
  const std::string genesis_text = "0x0b" + word("", 32) + word("", 8) + word("22", 8) + word("11", 8) + "02" +
                                   word("33", 32) + "0101010101010101010101010101010101010101" + word("44", 32) +
                                   "0202020202020202020202020202020202020202" + word("55", 32);
  std::vector<std::uint8_t> preimage(genesis_text.size() / 2 - 1);
  ASSERT_TRUE(math::from_hex(genesis_text, preimage));
  const Block genesis = genesis_block(sample());
  EXPECT_EQ(genesis.hash, math::sha256(preimage));
  EXPECT_EQ(genesis.number, 0U);
  EXPECT_EQ(genesis.time_s, 0x22U);
  EXPECT_TRUE(std::ranges::equal(contract_address(genesis).bytes, std::span(genesis.hash.bytes).subspan(12)));

  const TransactionId first{math::sha256({})};
  const TransactionId second{genesis.hash};
  const std::vector<TransactionId> ids = {first, second};
  const std::string block_text = "0x0b" + math::to_hex(genesis.hash).substr(2) + word("1", 8) + word("77", 8) +
                                 math::to_hex(first.digest).substr(2) + math::to_hex(second.digest).substr(2);
  std::vector<std::uint8_t> block_preimage(block_text.size() / 2 - 1);
  ASSERT_TRUE(math::from_hex(block_text, block_preimage));
  const Block block = next_block(genesis, 0x77, ids);
  EXPECT_EQ(block.hash, math::sha256(block_preimage));
  EXPECT_EQ(block.number, 1U);
  EXPECT_EQ(block.time_s, 0x77U);
  EXPECT_EQ(block.parent, genesis.hash);
}

TEST(Block, hash_of_genesis_changes_with_everything_that_fixes_it) {
  const std::vector<std::function<void(Genesis&)>> changes = {
      [](Genesis& genesis) { ++genesis.chain_id; },
      [](Genesis& genesis) { ++genesis.time_s; },
      [](Genesis& genesis) { genesis.clock = Clock::kWall; },
      [](Genesis& genesis) { ++genesis.base_fee.value; },
      [](Genesis& genesis) { ++genesis.accounts[1].balance.value; },
      [](Genesis& genesis) { ++genesis.accounts[1].address.bytes[19]; },
      [](Genesis& genesis) { genesis.accounts.pop_back(); }};
  for (const auto& change : changes) {
    Genesis genesis = sample();
    change(genesis);
    EXPECT_NE(genesis_block(genesis).hash, genesis_block(sample()).hash);
  }
}

TEST(Block, refuses_a_genesis_that_cannot_be) {
  const math::u128 most = ~math::u128{0};
  const std::vector<std::pair<std::function<void(Genesis&)>, std::string_view>> rows = {
      {[](Genesis& genesis) { genesis.chain_id = 0; }, "chain id"},
      {[](Genesis& genesis) { genesis.chain_id = kMaxChainNumber + 1; }, "chain id"},
      {[](Genesis& genesis) { genesis.time_s = kMaxChainNumber + 1; }, "time"},
      {[&](Genesis& genesis) { genesis.accounts[0].balance.value = most; }, "2^128"},
      {[](Genesis& genesis) { std::swap(genesis.accounts[0], genesis.accounts[1]); }, "order"},
      {[](Genesis& genesis) { genesis.accounts[1].address = genesis.accounts[0].address; }, "order"}};
  check_genesis(sample());
  for (const auto& [change, mentions] : rows) {
    Genesis genesis = sample();
    change(genesis);
    try {
      check_genesis(genesis);
      ADD_FAILURE() << mentions;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string_view(error.what()).find(mentions), std::string_view::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace tally::chain
