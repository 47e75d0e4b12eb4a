// Whoever is paid may refuse, or call back: nobody else is harmed, and nothing is paid twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "chain_adapter/evm/abi.h"
#include "fraud_proof/signing/eip712.h"
#include "tests/support/evm_mirror.h"
#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using proof::Address;
using proof::Reason;
using test::EvmMirror;
using test::SettlementWorld;
using Bytes = std::vector<std::uint8_t>;

const std::string kZero = "0x0";
const std::string kTaken = "taken";

enum class Conduct : std::uint8_t { kTakes = 0, kRefuses = 1, kCallsBack = 2 };

/// A member that left with its stake to its credit, and whose wallet turns out to be a contract.
class PayeeTest : public ::testing::Test {
 protected:
  PayeeTest() {
    const auto wallet = [this](const proof::Transaction& sent) {
      return world.send(world.wallet(0), sent).has_value();
    };
    if (!wallet(proof::RequestExit{.task = world.task()})) throw std::runtime_error("no exit");
    world.chain().advance(world.settings().exit_delay_s);
    if (!wallet(proof::WithdrawStake{.task = world.task()})) throw std::runtime_error("no stake");
    const Address made = mirror->node().deploy(test::test_contract("Payee"));
    const json::value code = rpc().call("eth_getCode", {math::to_hex(made.bytes), "latest"});
    static_cast<void>(rpc().call("anvil_setCode", {payee(), code}));
    static_cast<void>(rpc().call("anvil_setBalance", {payee(), kZero}));
  }

  RpcClient& rpc() { return mirror->node().rpc(); }
  [[nodiscard]] std::string payee() const { return math::to_hex(world.wallet(0).address().bytes); }
  [[nodiscard]] std::string stake() const { return test::quantity(world.settings().min_stake.value); }
  std::string balance_of(const std::string& account) {
    return std::string(rpc().call("eth_getBalance", {account, "latest"}).as_string());
  }
  std::string held() { return balance_of(math::to_hex(test::MemoryChainOptions{}.contract.bytes)); }

  json::object to_payee(const Bytes& data) {
    return {{"from", rpc().call("eth_accounts", {}).at(0)}, {"to", payee()}, {"data", math::to_hex(data)}};
  }

  void behave(Conduct conduct) {
    AbiWriter arguments;
    arguments.number(static_cast<std::uint64_t>(conduct));
    const json::value sent =
        rpc().call("eth_sendTransaction", {to_payee(arguments.call(selector_of("behave(uint8)")))});
    ASSERT_EQ(mirror->node().receipt(sent).at("status").as_string(), "0x1");
  }

  json::object to_withdraw() {
    AbiWriter arguments;
    arguments.address(test::MemoryChainOptions{}.contract);
    arguments.bytes(encode(proof::Transaction{proof::Withdraw{}}));
    return to_payee(arguments.call(selector_of("ask(address,bytes)")));
  }

  /// The payee withdraws: "taken", or why not.
  std::string withdraw() {
    json::object asked = to_withdraw();
    try {
      static_cast<void>(rpc().call("eth_call", {asked, "latest"}));
    } catch (const RpcError& error) {
      asked["gas"] = test::quantity(1'000'000);
      EXPECT_EQ(mirror->node().receipt(rpc().call("eth_sendTransaction", {asked})).at("status").as_string(), "0x0");
      return error.data().is_string() ? std::string(error.data().as_string()) : std::string(error.what());
    }
    last_sent = rpc().call("eth_sendTransaction", {asked});
    EXPECT_EQ(mirror->node().receipt(last_sent).at("status").as_string(), "0x1");
    return kTaken;
  }

  /// What the payee was told when it called back.
  std::string answer() {
    const Bytes told =
        test::bytes_of(rpc().call("eth_call", {to_payee(AbiWriter().call(selector_of("answer()"))), "latest"}));
    const auto bytes = AbiReader(told).bytes();
    return bytes ? math::to_hex(*bytes) : "no bytes";
  }

  json::value last_sent;
  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  SettlementWorld world{{.members = 2, .chain = mirrored(mirror)}};
};

TEST_F(PayeeTest, pitfall_22_a_payee_that_refuses_keeps_its_credit_and_harms_nobody) {
  const std::string before = held();
  behave(Conduct::kRefuses);
  EXPECT_EQ(withdraw(), math::to_hex(selector_of("PaymentRefused()")));
  EXPECT_EQ(balance_of(payee()), kZero);
  EXPECT_EQ(held(), before);

  behave(Conduct::kTakes);
  EXPECT_EQ(withdraw(), kTaken);
  EXPECT_EQ(balance_of(payee()), stake());
  EXPECT_EQ(withdraw(), EvmMirror::error_of(Reason::kNothingToWithdraw));
}

// Calls within calls have at most 63 of 64 parts of the gas that is left: the outer one goes on where the inner fails.
TEST_F(PayeeTest, pitfall_11_gas_that_ends_within_a_payment_undoes_it) {
  const std::string before = held();
  for (const Conduct conduct : {Conduct::kTakes, Conduct::kCallsBack}) {
    behave(conduct);
    const auto is_paid_with = [&](std::uint64_t gas) {
      const json::value snapshot = mirror->node().snapshot();
      json::object asked = to_withdraw();
      asked["gas"] = test::quantity(gas);
      bool is_paid = false;
      try {
        const json::value sent = rpc().call("eth_sendTransaction", {asked});
        is_paid = mirror->node().receipt(sent).at("status").as_string() == "0x1";
      } catch (const RpcError&) {
        is_paid = false;  // too little for its bytes alone
      }
      EXPECT_EQ(balance_of(payee()), is_paid ? stake() : kZero) << gas;
      EXPECT_EQ(held(), is_paid ? stake() : before) << gas;
      mirror->node().go_back_to(snapshot);
      return is_paid;
    };
    std::uint64_t too_little = 0;
    std::uint64_t enough = 1'000'000;
    ASSERT_TRUE(is_paid_with(enough));
    while (enough - too_little > 1) {
      const std::uint64_t gas = std::midpoint(too_little, enough);
      (is_paid_with(gas) ? enough : too_little) = gas;
    }
    for (std::uint64_t less = 1; less < enough; less *= 2) EXPECT_FALSE(is_paid_with(enough - less)) << less;
  }
}

TEST_F(PayeeTest, pitfall_22_a_payee_that_calls_back_is_paid_once) {
  ASSERT_NE(held(), stake()) << "there must be more to steal than it has to its credit";
  behave(Conduct::kCallsBack);
  EXPECT_EQ(withdraw(), kTaken);
  EXPECT_EQ(answer(), EvmMirror::error_of(Reason::kNothingToWithdraw));
  EXPECT_EQ(balance_of(payee()), stake());
  EXPECT_EQ(held(), stake()) << "the other member's";
}

/// The node's transaction shows what was asked of the payee, not what it asked of the settlement.
TEST_F(PayeeTest, whose_calls_stand_in_no_transaction_have_their_bytes_told_before_their_events) {
  ASSERT_EQ(withdraw(), kTaken);
  const json::value receipt = mirror->node().receipt(last_sent);
  const json::array& logs = receipt.at("logs").as_array();
  ASSERT_EQ(logs.size(), 2U);
  const proof::KeccakDigest relayed = proof::keccak256_of_text("Relayed(address,uint256,bytes)");
  EXPECT_EQ(logs[0].at("topics").at(0).as_string(), math::to_hex(relayed.bytes));
  EXPECT_EQ(logs[0].at("topics").at(1).as_string(), "0x000000000000000000000000" + payee().substr(2));
  const Bytes data = test::bytes_of(logs[0].at("data"));
  AbiReader told(data);
  EXPECT_EQ(told.number().value(), 0U);
  const Bytes withdrawal = encode(proof::Transaction{proof::Withdraw{}});
  EXPECT_TRUE(std::ranges::equal(told.bytes().value(), withdrawal));
  EXPECT_NE(logs[1].at("topics").at(0).as_string(), math::to_hex(relayed.bytes));
}

}  // namespace
}  // namespace tally::chain
