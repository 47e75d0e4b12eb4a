// The parts of the settlement's code, each for itself.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/contract_code.h"
#include "chain_adapter/evm/deployment.h"
#include "fraud_proof/encoding/words.h"
#include "fraud_proof/game/game.h"
#include "tests/support/anvil.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using Bytes = std::vector<std::uint8_t>;

/// A call's result, or what it reverted with.
std::string call(test::Anvil& node, json::object asked) {
  try {
    return std::string(node.rpc().call("eth_call", {std::move(asked), "latest"}).as_string());
  } catch (const RpcError& error) {
    return error.data().is_string() ? std::string(error.data().as_string()) : std::string(error.what());
  }
}

TEST(Parts, a_settlement_is_not_made_of_addresses_without_code) {
  test::Anvil node;
  const proof::Address part = node.deploy(creation_code("TaskPart"));
  const std::vector<proof::Address> all(settlement_parts().size(), part);
  constexpr std::size_t kErrorText = 2 + 2 * 4;
  EXPECT_GT(call(node, {{"data", math::to_hex(settlement_creation(all))}}).size(), kErrorText);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<proof::Address> parts = all;
    parts[i] = proof::Address{.bytes = {0x55}};
    EXPECT_EQ(call(node, {{"data", math::to_hex(settlement_creation(parts))}}),
              math::to_hex(selector_of("PartWithoutCode()")))
        << i;
  }
}

TEST(Parts, that_are_called_themselves_take_no_money) {
  test::Anvil node;
  const json::value rich = node.rpc().call("eth_accounts", {}).at(0);
  const auto refuses = [&](const char* name, const std::vector<std::string>& functions) {
    const std::string place = math::to_hex(node.deploy(creation_code(name)).bytes);
    for (const std::string& function : functions) {
      AbiWriter arguments;
      arguments.bytes(Bytes{});
      arguments.bytes(Bytes{});
      const Bytes data = arguments.call(selector_of(function + "(bytes,bytes)"));
      for (const char* const value : {"0x0", "0x1"}) {
        EXPECT_EQ(call(node, {{"from", rich}, {"to", place}, {"value", value}, {"data", math::to_hex(data)}}),
                  math::to_hex(selector_of("NotTheSettlement()")))
            << function;
      }
    }
  };
  refuses("TaskPart", {"createTask", "fund"});
  refuses("MemberPart", {"register", "bindKey", "unbindKey", "requestExit", "withdrawStake"});
  refuses("TreePart", {"sealSeed", "skipInvalid", "releaseBond"});
  refuses("GamePart", {"openDescent", "claimTimeout", "refundGame"});
  refuses("CheckPart", {"commit", "showProof"});
  refuses("RequestPart", {"requestLeaf", "answerRequest", "claimWithheld"});
  refuses("PayoutPart", {"claimPayout"});
  refuses("MovePart", {"makeMove", "makeMoveWithoutHeader"});
}

/// A hash of much data takes so much gas that what is kept back of it lets the caller go on without the hash.
TEST(Parts, that_have_too_little_gas_for_a_hash_say_so_and_use_none) {
  test::Anvil node;
  const std::string place = math::to_hex(node.deploy(test::test_contract("HashHarness")).bytes);
  AbiWriter arguments;
  arguments.number(65'536);  // bytes
  arguments.number(60'000);  // the most gas
  arguments.number(50);      // and its steps
  const Bytes data = arguments.call(selector_of("sweep(uint256,uint256,uint256)"));
  const std::string found = call(node, {{"to", place}, {"data", math::to_hex(data)}});
  Bytes words((found.size() - 2) / 2);
  ASSERT_TRUE(math::from_hex(found, words)) << found;
  proof::WordReader counts(words);
  const auto number = [&] { return counts.u64().value(); };
  EXPECT_GT(number(), 0U) << "right";
  EXPECT_EQ(number(), 0U) << "wrong";
  EXPECT_GT(number(), 0U) << "HashFailed";
}

proof::Game game_with(std::size_t descents) {
  proof::Game game{.phase = proof::Phase::kDescend, .item = 3, .low = 5, .high = 9};
  game.at_low[0] = -7;
  for (std::size_t i = 0; i < descents; ++i) {
    proof::Descent descent{.object = static_cast<math::ObjectId>(i), .first_leaf = 16 * i, .leaves = 1000 + i};
    descent.node.bytes.fill(static_cast<std::uint8_t>(i));
    descent.children.resize(proof::kMaxChildren);
    for (proof::Digest& child : descent.children) child.bytes.fill(static_cast<std::uint8_t>(i + 1));
    game.descents.push_back(std::move(descent));
  }
  return game;
}

class GameStates {
 public:
  GameStates() : x_harness(math::to_hex(x_node.deploy(test::test_contract("GameHarness")).bytes)) {}

  /// The gas of writing it; the bytes must be those that C++ writes.
  std::uint64_t gas_of(const proof::Game& game) {
    const Bytes expected = encode(game);
    AbiWriter arguments;
    arguments.bytes(expected);
    const Bytes data = arguments.call(selector_of("rewrite(bytes)"));
    const Bytes result = test::bytes_of(
        x_node.rpc().call("eth_call", {json::object{{"to", x_harness}, {"data", math::to_hex(data)}}, "latest"}));
    const auto answer = AbiReader(result).bytes();
    EXPECT_TRUE(answer.has_value());
    if (!answer) return 0;
    math::ByteReader reader(*answer);
    const std::uint64_t gas = reader.u64be();
    EXPECT_EQ(math::to_hex(reader.raw(reader.remaining())), math::to_hex(expected));
    return gas;
  }

 private:
  test::Anvil x_node;
  std::string x_harness;
};

TEST(Parts, write_the_state_of_a_game_at_a_cost_that_grows_with_its_size) {
  GameStates states;
  static_cast<void>(states.gas_of(game_with(0)));
  static_cast<void>(states.gas_of(game_with(1)));
  const std::uint64_t half = states.gas_of(game_with(proof::kMaxDescents / 2));
  const std::uint64_t whole = states.gas_of(game_with(proof::kMaxDescents));
  EXPECT_LT(whole, 3 * half);
  EXPECT_LT(whole, 1'500'000U);
  std::cout << proof::kMaxDescents << " descents are written for " << whole << " gas\n";
}

}  // namespace
}  // namespace tally::chain
