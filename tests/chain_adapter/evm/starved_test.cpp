// Calls with too little gas end by a name or by running out, never by half: with any amount up to what is enough.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>
#include <set>

#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/call_data.h"
#include "tests/support/evm_mirror.h"
#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using test::EvmMirror;
using test::SettlementWorld;

const std::string kTaken = "taken";
constexpr std::uint64_t kMostGas = 2'000'000;
constexpr std::uint64_t kStep = 211;

class StarvedTest : public ::testing::Test {
 protected:
  /// What the contract says with ever more gas, until it takes the call; without those that just ran out.
  std::set<std::string> says(const proof::Address& sender, const proof::Wei& value,
                             const proof::Transaction& transaction) {
    const json::object asked{{"from", math::to_hex(sender.bytes)},
                             {"to", math::to_hex(test::MemoryChainOptions{}.contract.bytes)},
                             {"value", quantity(value.value)},
                             {"data", math::to_hex(call_data(encode(transaction)))}};
    std::set<std::string> found;
    for (std::uint64_t gas = 0; gas < kMostGas && !found.contains(kTaken); gas += kStep) {
      if (const auto said = says_with(gas, asked)) found.insert(*said);
    }
    return found;
  }

  /// Nothing where it just runs out.
  std::optional<std::string> says_with(std::uint64_t gas, json::object asked) {
    asked["gas"] = quantity(gas);
    try {
      static_cast<void>(mirror->node().rpc().call("eth_call", {asked, "latest", rich(asked)}));
      return kTaken;
    } catch (const RpcError& failure) {
      if (!failure.data().is_string() || failure.data().as_string() == "0x") return std::nullopt;
      return std::string(failure.data().as_string());
    }
  }
  static json::object rich(const json::object& asked) {
    return {{asked.at("from").as_string(), json::object{{"balance", quantity(~math::u128{0})}}}};
  }
  static std::string error(const std::string& name) { return math::to_hex(selector_of(name + "()")); }

  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  SettlementWorld world{{.chain = mirrored(mirror)}};
};

TEST_F(StarvedTest, tasks_are_not_kept_without_their_code) {
  proof::CreateTask creation = world.creation();
  creation.salt.fill(9);
  EXPECT_EQ(says(world.creator().address(), {}, creation), (std::set{error("CodeNotKept"), kTaken}));
}

}  // namespace
}  // namespace tally::chain
