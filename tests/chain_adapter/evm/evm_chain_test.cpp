// The chain adapter against a node with the contracts on it.
#include "chain_adapter/evm/evm_chain.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/call_data.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/evm_node.h"
#include "chain_adapter/evm/fee_transaction.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/evm/settlement_calls.h"
#include "deterministic_math/bytecode/codec.h"
#include "tests/support/edited_node.h"
#include "tests/support/evm_world.h"
#include "tests/support/faulty_node.h"
#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using proof::Reason;
using proof::Wei;
using test::EvmWorld;
using Bytes = std::vector<std::uint8_t>;
using Kind = TransactionFate::Kind;

constexpr Wei kEther{1'000'000'000'000'000'000};

class EvmChainTest : public ::testing::Test {
 protected:
  EvmChainTest() {
    for (std::uint8_t number = 1; number < 10; ++number) world.give(test::small_key(number).address(), kEther);
  }

  TransactionFate send(ChainAdapter& to, const proof::PrivateKey& key, const Wei& value,
                       const proof::Transaction& transaction) {
    return submit_and_wait(to, {.key = key, .value = value, .transaction = transaction});
  }
  TransactionFate create(ChainAdapter& to) { return send(to, pattern.creator(), {}, pattern.creation()); }
  TransactionFate fund(ChainAdapter& to, std::uint64_t amount) {
    return send(to, pattern.creator(), {amount}, proof::Fund{.task = pattern.task()});
  }
  static Wei pool(ChainAdapter& of, const proof::TaskId& task) {
    const auto status = proof::read_task_status(of.state(), task);
    return status ? status->pool : Wei{};
  }
  /// A contract that is at an address, as if it had never been made.
  void take_away(const std::string& contract) {
    static_cast<void>(world.rpc().call("anvil_setCode", {contract, "0x"}));
    static_cast<void>(world.rpc().call("anvil_setNonce", {contract, "0x0"}));
  }
  /// The settlement's answer to a payee, a contract at a wallet's address.
  void ask_through_contract(const proof::Address& contract, const Wei& value, const proof::Transaction& transaction) {
    AbiWriter arguments;
    arguments.address(settlement_address());
    arguments.bytes(encode(transaction));
    const json::value sent =
        world.rpc().call("eth_sendTransaction",
                         {json::object{{"from", world.rpc().call("eth_accounts", {}).at(0)},
                                       {"to", math::to_hex(contract.bytes)},
                                       {"value", quantity(value.value)},
                                       {"data", math::to_hex(arguments.call(selector_of("ask(address,bytes)")))}}});
    ASSERT_EQ(world.anvil().receipt(sent).at("status").as_string(), "0x1");
  }

  EvmWorld world;
  /// A task as it would be on a chain in memory of the same identity.
  test::SettlementWorld pattern{{.members = 2, .chain = {.contract = settlement_address()}}};
};

TEST_F(EvmChainTest, takes_transactions_and_tells_their_events) {
  const auto chain = world.open();
  EXPECT_EQ(chain->identity(), (ChainIdentity{.chain_id = 31'337, .contract = settlement_address()}));
  EXPECT_TRUE(chain->events(0, 10).empty());
  const TransactionFate created = create(*chain);
  ASSERT_EQ(created.kind, Kind::kApplied);
  EXPECT_GT(created.gas, 100'000U);
  EXPECT_GT(created.bytes, 100U);
  ASSERT_EQ(created.events.size(), 1U);
  ASSERT_EQ(fund(*chain, 7).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{7});
  EXPECT_EQ(chain->balance(settlement_address()), Wei{7});

  const auto events = chain->events(0, 10);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].block, created.block);
  EXPECT_EQ(std::get<proof::TaskCreated>(events[0].event).task, pattern.task());
  EXPECT_EQ(std::get<proof::Funded>(events[1].event).amount, Wei{7});
  EXPECT_EQ(chain->fate(events[1].transaction).kind, Kind::kApplied);
  EXPECT_EQ(chain->events(events[1].position, 10).size(), 1U);
  EXPECT_TRUE(chain->events(events[1].position + 1, 10).empty());
  EXPECT_EQ(chain->fate({}).kind, Kind::kUnknown);
}

TEST_F(EvmChainTest, names_the_reason_of_a_refusal_and_sends_nothing) {
  const auto chain = world.open();
  const std::uint64_t before = chain->head().block;
  const TransactionFate refused = fund(*chain, 7);
  ASSERT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.refusal->reason, Reason::kNoSuchTask);
  const TransactionFate poor = send(*chain, test::small_key(200), {1}, proof::Fund{.task = pattern.task()});
  ASSERT_EQ(poor.kind, Kind::kRefused);
  EXPECT_EQ(poor.refusal->reason, Reason::kInsufficientFunds);
  world.give(test::small_key(200).address(), {1'000});
  EXPECT_EQ(send(*chain, test::small_key(200), {}, proof::Withdraw{}).refusal->reason, Reason::kNothingToWithdraw);
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  EXPECT_EQ(send(*chain, test::small_key(200), {1}, proof::Fund{.task = pattern.task()}).refusal->reason,
            Reason::kInsufficientFunds);
  EXPECT_EQ(chain->head().block, before + 1);
}

/// The contract says the reason alone; what more is to be said is what the machine says on any chain.
TEST_F(EvmChainTest, explains_a_refusal_as_an_embedded_chain_does) {
  const auto chain = world.open();
  const Wei least = pattern.settings().min_stake;
  const std::vector<std::pair<Wei, proof::Transaction>> refused = {
      {{}, proof::Fund{.task = {}}},
      {{least.value - 1}, proof::Register{.task = pattern.task()}},
      {{}, proof::RequestExit{.task = pattern.task(), .member = 7}},
      {{}, proof::Withdraw{}},
      {{}, proof::SealSeed{.task = pattern.task(), .parent = {math::sha256({})}}},
  };
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  for (const auto& [value, transaction] : refused) {
    const TransactionFate fate = send(*chain, pattern.other(), value, transaction);
    ASSERT_EQ(fate.kind, Kind::kRefused);
    const auto expected = pattern.send(pattern.other(), value, transaction);
    ASSERT_FALSE(expected.has_value());
    EXPECT_EQ(fate.refusal->reason, expected.error().reason);
    EXPECT_EQ(fate.refusal->message, expected.error().message);
  }
}

/// Somebody's transaction came first, in the same block.
TEST_F(EvmChainTest, names_the_reason_of_a_transaction_that_failed_in_its_block) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  static_cast<void>(world.rpc().call("evm_setAutomine", {false}));
  const proof::Transaction joining = proof::Register{.task = pattern.task()};
  const Wei stake = pattern.settings().min_stake;
  const auto first = chain->submit({.key = pattern.poster(), .value = stake, .transaction = joining});
  EvmNode node(world.rpc());
  const auto second = node.send(signed_bytes({.chain_id = 31'337,
                                              .nonce = node.next_nonce(pattern.poster().address()),
                                              .priority_fee = {1},
                                              .fee = {10'000'000'000},
                                              .gas = 1'000'000,
                                              .to = settlement_address(),
                                              .value = stake,
                                              .data = call_data(encode(joining))},
                                             pattern.poster()));
  EXPECT_EQ(chain->fate(second).kind, Kind::kPending);
  world.mine(1);
  EXPECT_EQ(chain->fate(first).kind, Kind::kApplied);
  const TransactionFate late = chain->fate(second);
  ASSERT_EQ(late.kind, Kind::kRefused);
  EXPECT_EQ(late.refusal->reason, Reason::kAddressTaken);
  EXPECT_NE(late.refusal->message.find("member 0"), std::string::npos) << late.refusal->message;
}

/// What stood against it is gone at the end of the block.
TEST_F(EvmChainTest, says_that_a_transaction_failed_which_would_be_taken_now) {
  const auto chain = world.open();
  static_cast<void>(world.rpc().call("evm_setAutomine", {false}));
  EvmNode node(world.rpc());
  const auto early = node.send(signed_bytes({.chain_id = 31'337,
                                             .nonce = node.next_nonce(pattern.poster().address()),
                                             .priority_fee = {5'000'000'000},
                                             .fee = {20'000'000'000},
                                             .gas = 1'000'000,
                                             .to = settlement_address(),
                                             .value = {7},
                                             .data = call_data(encode(proof::Fund{.task = pattern.task()}))},
                                            pattern.poster()));
  const auto task = chain->submit({.key = pattern.creator(), .value = {}, .transaction = pattern.creation()});
  world.mine(1);
  ASSERT_EQ(chain->fate(task).kind, Kind::kApplied);
  const TransactionFate failed = chain->fate(early);
  EXPECT_EQ(failed.kind, Kind::kFailed);
  EXPECT_EQ(failed.block, chain->head().block);
  EXPECT_FALSE(failed.refusal.has_value());
}

TEST_F(EvmChainTest, derives_what_contracts_and_delegated_accounts_ask_for) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  const proof::Address payee = world.anvil().deploy(test::test_contract("Payee"));
  ask_through_contract(payee, pattern.settings().min_stake, proof::Register{.task = pattern.task()});
  ask_through_contract(payee, {5}, proof::Fund{.task = pattern.task()});
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{5});
  EXPECT_EQ(proof::read_member(chain->state(), pattern.task(), 0)->wallet, payee);

  // EIP-7702: the account's code is 0xef0100 and an address; what calls is still the account.
  const proof::PrivateKey& account = pattern.poster();
  static_cast<void>(world.rpc().call(
      "anvil_setCode", {math::to_hex(account.address().bytes), "0xef0100" + math::to_hex(payee.bytes).substr(2)}));
  ASSERT_EQ(send(*chain, account, {6}, proof::Fund{.task = pattern.task()}).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{11});
  EXPECT_EQ(std::get<proof::Funded>(chain->events(0, 10).back().event).by, account.address());
}

/// The contract does not mind where in a call's data its argument stands.
TEST_F(EvmChainTest, reads_calls_that_are_encoded_otherwise) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  const Bytes plain = call_data(encode(proof::Transaction{proof::Fund{.task = pattern.task()}}));
  Bytes odd(plain.begin(), plain.begin() + 4);
  odd.resize(4 + 32);
  odd.back() = 0x43;           // the place
  odd.resize(4 + 0x43, 0xaa);  // what nobody reads
  odd.insert(odd.end(), plain.begin() + 4 + 32, plain.end());
  odd.push_back(0xbb);
  EvmNode node(world.rpc());
  Sender sender(node, 31'337, world.cache());
  const auto sent = sender.send({.key = pattern.creator(), .to = settlement_address(), .value = {9}, .data = odd});
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(wait_for_receipt(sender, *sent).taken);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{9});
}

TEST_F(EvmChainTest, tells_events_behind_its_confirmations_and_shows_records_of_the_latest_block) {
  const auto chain = world.open(2);
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  EXPECT_TRUE(chain->events(0, 10).empty());
  EXPECT_TRUE(proof::read_task(chain->state(), pattern.task()).has_value());
  ASSERT_EQ(fund(*chain, 3).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{3});
  world.mine(1);
  EXPECT_EQ(chain->events(0, 10).size(), 1U);
  world.mine(1);
  EXPECT_EQ(chain->events(0, 10).size(), 2U);
  EXPECT_EQ(chain->confirmed().number + 2, chain->head().block);
}

/// Pitfall 29.
TEST_F(EvmChainTest, takes_back_no_event_in_a_reorganisation_within_its_confirmations) {
  const auto chain = world.open(2);
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  world.mine(2);
  const auto before = chain->events(0, 10);
  const std::string mark = world.mark();
  ASSERT_EQ(fund(*chain, 3).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{3});
  world.go_back(mark);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{});
  ASSERT_EQ(fund(*chain, 4).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{4});
  world.mine(2);
  const auto after = chain->events(0, 10);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].position, before[0].position);
  EXPECT_EQ(std::get<proof::Funded>(after[1].event).amount, Wei{4});
}

/// Pitfall 29: whoever stands behind an event that is gone sees that it is.
TEST_F(EvmChainTest, begins_anew_after_a_deeper_reorganisation_and_gives_no_position_twice) {
  const auto chain = world.open(1);
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  const std::string mark = world.mark();
  ASSERT_EQ(fund(*chain, 3).kind, Kind::kApplied);
  world.mine(3);
  const auto before = chain->events(0, 10);
  ASSERT_EQ(before.size(), 2U);
  EventCursor cursor;
  cursor.pass(before.back());
  EXPECT_TRUE(cursor.holds(*chain));

  world.go_back(mark);
  const TransactionId again =
      chain->submit({.key = pattern.creator(), .value = {4}, .transaction = proof::Fund{.task = pattern.task()}});
  world.mine(5);
  ASSERT_EQ(chain->fate(again).kind, Kind::kApplied);
  EXPECT_FALSE(cursor.holds(*chain));
  const auto after = chain->events(0, 10);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_GT(after.front().position, before.back().position);
  EXPECT_EQ(std::get<proof::Funded>(after[1].event).amount, Wei{4});
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{4});
  EXPECT_TRUE(world.open(1)->events(before.back().position, 1).front().position > before.back().position);
}

TEST_F(EvmChainTest, shares_its_file_and_makes_it_anew_where_it_was_deleted) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  const auto other = world.open();
  EXPECT_EQ(other->events(0, 10).size(), 1U);
  ASSERT_EQ(fund(*other, 3).kind, Kind::kApplied);
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{3});
  test::TemporaryFolder elsewhere;
  const auto fresh = world.open(0, elsewhere.path());
  EXPECT_EQ(fresh->events(0, 10).size(), 2U);
  EXPECT_EQ(pool(*fresh, pattern.task()), Wei{3});
}

TEST_F(EvmChainTest, says_what_to_do_where_there_is_no_settlement) {
  static_cast<void>(world.rpc().call("anvil_setCode", {math::to_hex(settlement_address().bytes), "0x"}));
  try {
    static_cast<void>(world.open());
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("tally chain deploy"), std::string::npos) << error.what();
  }
  static_cast<void>(world.rpc().call("anvil_setCode", {math::to_hex(settlement_address().bytes), "0x00"}));
  EXPECT_THROW(static_cast<void>(world.open()), std::invalid_argument);
}

TEST_F(EvmChainTest, is_deployed_once_and_completed_where_a_part_is_missing) {
  EvmNode node(world.rpc());
  Sender sender(node, 31'337, world.cache());
  const proof::PrivateKey key = test::small_key(1);
  EXPECT_EQ(cost_of_deployment(node, sender).contracts, 0U);
  take_away(math::to_hex(settlement_address().bytes));
  const DeploymentCost cost = cost_of_deployment(node, sender);
  EXPECT_EQ(cost.contracts, 1U);

  std::vector<DeployedContract> steps;
  const auto tell = [&](const DeployedContract& step) { steps.push_back(step); };
  world.give(key.address(), {cost.needed.value / 2});
  EXPECT_THROW(deploy_settlement(node, sender, key, tell), std::runtime_error);
  steps.clear();
  world.give(key.address(), cost.needed);
  deploy_settlement(node, sender, key, tell);
  ASSERT_EQ(steps.size(), planned_contracts().size());
  EXPECT_FALSE(steps.front().gas);
  EXPECT_NEAR(static_cast<double>(steps.back().gas.value()), static_cast<double>(cost.gas),
              0.05 * static_cast<double>(cost.gas));
  steps.clear();
  deploy_settlement(node, sender, key, tell);
  EXPECT_FALSE(steps.back().gas);
}

constexpr const char* kProxy = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
constexpr const char* kProxyMaker = "0x3fab184622dc19b6109349b94811493bf2a45362";

TEST_F(EvmChainTest, is_deployed_where_there_is_no_proxy_yet) {
  const json::value code = world.rpc().call("eth_getCode", {kProxy, "latest"});
  take_away(kProxy);
  EvmNode node(world.rpc());
  Sender sender(node, 31'337, world.cache());
  std::vector<DeployedContract> made;
  deploy_settlement(node, sender, test::small_key(1), [&](const DeployedContract& each) { made.push_back(each); });
  EXPECT_EQ(made.size(), 1 + planned_contracts().size());
  EXPECT_EQ(world.rpc().call("eth_getCode", {kProxy, "latest"}), code);
  EXPECT_EQ(number_of(world.rpc().call("eth_getTransactionCount", {kProxyMaker, "latest"})), 1U);
}

TEST_F(EvmChainTest, goes_on_with_a_deployment_that_was_interrupted) {
  take_away(kProxy);
  static_cast<void>(world.rpc().call("anvil_setBalance", {kProxyMaker, quantity(kEther.value)}));
  world.hold_blocks();
  std::size_t sent = 0;
  RpcClient rpc = test::edited(world.anvil().url(),
                               [&](std::string_view method, const json::array& /*parameters*/, json::object& answer) {
                                 if (method != "eth_sendRawTransaction" || ++sent != 2) return;
                                 answer.erase("result");
                                 answer["error"] = {{"code", -32000}, {"message", "already known"}};
                               });
  EvmNode node(rpc);
  Sender sender(node, 31'337, world.cache());
  std::stop_source stop;
  stop.request_stop();
  const auto deploy = [&](const Waiting& waiting) { deploy_settlement(node, sender, test::small_key(1), {}, waiting); };
  for (int time = 0; time < 2; ++time) EXPECT_THROW(deploy({.stop = stop.get_token()}), Interrupted);
  EXPECT_EQ(number_of(world.rpc().call("txpool_status", {}).at("pending")), 1U);
  world.mine(1);
  EXPECT_NO_THROW(deploy({}));
}

/// A chain whose contract does something else than the machine is no ground to stand on.
TEST_F(EvmChainTest, raises_an_alarm_where_chain_and_program_disagree) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  ASSERT_EQ(pool(*chain, pattern.task()), Wei{});
  // Five members more than the contract knows.
  Database database(chain->file(), derived_schema());
  database.execute(
      "UPDATE records SET record = CAST(x'0000000000000005' || substr(record, 9) AS BLOB) "
      "WHERE substr(key, 1, 1) = x'03'");
  const proof::Transaction joining = proof::Register{.task = pattern.task()};
  EXPECT_THROW(static_cast<void>(send(*chain, pattern.poster(), pattern.settings().min_stake, joining)),
               ChainDisagrees);
  EXPECT_THROW(static_cast<void>(chain->events(0, 10)), ChainDisagrees);
  EXPECT_THROW(static_cast<void>(chain->head()), ChainDisagrees);
  EXPECT_THROW(static_cast<void>(chain->state()), ChainDisagrees);
  const auto later = world.open();
  EXPECT_THROW(static_cast<void>(later->state()), ChainDisagrees);
  test::TemporaryFolder elsewhere;
  EXPECT_EQ(world.open(0, elsewhere.path())->events(0, 10).size(), 2U) << "the file was at fault";
}

/// Anyone can create a task whose program decodes and is not valid: nobody else is to be kept from their work by it.
TEST_F(EvmChainTest, leaves_out_tasks_that_the_validator_refuses_and_goes_on) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  proof::CreateTask bad = pattern.creation();
  math::Program program = *math::decode_program(bad.bytecode);
  for (math::Item& item : program.items) {
    if (item.body && !item.body->accumulators.empty()) item.body->accumulators.front() = {.lo = 0, .hi = 0};
  }
  bad.bytecode = math::encode_program(program);
  ASSERT_NE(bad.bytecode, pattern.creation().bytecode);
  const TransactionFate made = send(*chain, pattern.creator(), {}, bad);
  ASSERT_EQ(made.kind, Kind::kApplied);
  EXPECT_TRUE(made.events.empty());
  EvmNode node(world.anvil().rpc());
  const std::vector<SettlementCall> calls =
      settlement_calls(settlement_address(), node.logs(settlement_address(), made.block, made.block),
                       [&](const EvmLog& log) { return *node.transaction(log.transaction); });
  const proof::TaskId task = std::get<proof::TaskCreated>(*proof::decode_event(calls.at(0).events.at(0))).task;
  ASSERT_EQ(send(*chain, pattern.creator(), {5}, proof::Fund{.task = task}).kind, Kind::kApplied);
  ASSERT_EQ(fund(*chain, 3).kind, Kind::kApplied);
  EXPECT_FALSE(proof::read_task(chain->state(), task).has_value());
  EXPECT_EQ(pool(*chain, pattern.task()), Wei{3});
  EXPECT_EQ(chain->events(0, 10).size(), 2U);

  // Credit from there is paid with what is known.
  const proof::PrivateKey& member = pattern.poster();
  ASSERT_EQ(send(*chain, member, pattern.settings().min_stake, proof::Register{.task = task}).kind, Kind::kApplied);
  ASSERT_EQ(send(*chain, member, {}, proof::RequestExit{.task = task}).kind, Kind::kApplied);
  world.advance(pattern.settings().exit_delay_s);
  ASSERT_EQ(send(*chain, member, {}, proof::WithdrawStake{.task = task}).kind, Kind::kApplied);
  const TransactionFate paid = send(*chain, member, {}, proof::Withdraw{});
  ASSERT_EQ(paid.kind, Kind::kApplied);
  const auto last = chain->events(0, 10).back();
  EXPECT_EQ(std::get<proof::Withdrawn>(last.event).amount, pattern.settings().min_stake);
  EXPECT_EQ(last.transaction, chain->events(0, 10).back().transaction);
}

TEST_F(EvmChainTest, takes_a_block_that_a_node_lacks_for_no_reorganisation) {
  std::string lacking;
  test::TemporaryFolder own;
  EvmChain chain(test::edited(world.anvil().url(),
                              [&](std::string_view method, const json::array& parameters, json::object& answer) {
                                if (method == "eth_getBlockByNumber" && parameters.at(0).as_string() == lacking)
                                  answer["result"] = nullptr;
                              }),
                 {.confirmations = 1, .cache = own.path()});
  ASSERT_EQ(create(chain).kind, Kind::kApplied);
  world.mine(1);
  const auto before = chain.events(0, 10);
  ASSERT_EQ(before.size(), 1U);
  lacking = quantity(chain.confirmed().number);
  world.mine(1);
  EXPECT_THROW(static_cast<void>(chain.events(0, 10)), RpcFailure);
  lacking.clear();
  const auto after = chain.events(0, 10);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.front().position, before.front().position);
}

TEST_F(EvmChainTest, misses_no_event_where_a_node_that_is_behind_tells_logs) {
  bool is_behind = false;
  test::TemporaryFolder own;
  EvmChain chain(test::edited(world.anvil().url(),
                              [&](std::string_view method, const json::array& parameters, json::object& answer) {
                                if (!is_behind || method != "eth_getLogs") return;
                                if (!parameters.at(0).as_object().contains("blockHash")) {
                                  answer["result"] = json::array();
                                  return;
                                }
                                answer.erase("result");
                                answer["error"] = {{"code", -32000}, {"message", "unknown block"}};
                              }),
                 {.confirmations = 0, .cache = own.path()});
  ASSERT_EQ(create(chain).kind, Kind::kApplied);
  ASSERT_EQ(chain.events(0, 10).size(), 1U);
  is_behind = true;
  ASSERT_EQ(fund(*world.open(), 3).kind, Kind::kApplied);
  EXPECT_THROW(static_cast<void>(chain.events(0, 10)), RpcFailure);
  is_behind = false;
  world.mine(1);
  EXPECT_EQ(chain.events(0, 10).size(), 2U);
  EXPECT_EQ(pool(chain, pattern.task()), Wei{3});
}

TEST_F(EvmChainTest, reads_transactions_from_their_blocks_where_a_node_has_no_index) {
  ASSERT_EQ(create(*world.open()).kind, Kind::kApplied);
  ASSERT_EQ(fund(*world.open(), 3).kind, Kind::kApplied);
  bool has_blocks = true;
  test::TemporaryFolder own;
  EvmChain chain(
      test::edited(world.anvil().url(),
                   [&](std::string_view method, const json::array& /*parameters*/, json::object& answer) {
                     if (method == "eth_getTransactionByHash" || (method == "eth_getBlockByHash" && !has_blocks))
                       answer["result"] = nullptr;
                   }),
      {.confirmations = 0, .cache = own.path()});
  has_blocks = false;
  try {
    static_cast<void>(chain.events(0, 10));
    FAIL();
  } catch (const RpcFailure& failure) {
    const std::string said = failure.what();
    EXPECT_NE(said.find(to_hex(world.open()->events(0, 1).front().transaction)), std::string::npos) << said;
    EXPECT_NE(said.find("name a node that keeps all blocks"), std::string::npos) << said;
  }
  has_blocks = true;
  EXPECT_EQ(chain.events(0, 10).size(), 2U);
  EXPECT_EQ(pool(chain, pattern.task()), Wei{3});
}

TEST_F(EvmChainTest, reads_long_chains_in_pieces) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    world.mine(7);
    ASSERT_EQ(fund(*chain, i).kind, Kind::kApplied);
  }
  test::TemporaryFolder elsewhere;
  EvmChain pieces(rpc_client(world.anvil().url()),
                  {.confirmations = 0, .cache = elsewhere.path(), .blocks_at_once = 4});
  EXPECT_EQ(pieces.events(0, 10).size(), 4U);
  EXPECT_EQ(pool(pieces, pattern.task()), Wei{6});
}

TEST_F(EvmChainTest, reads_what_a_node_cannot_tell_at_once_by_halves) {
  const auto chain = world.open();
  ASSERT_EQ(create(*chain).kind, Kind::kApplied);
  for (std::uint64_t i = 1; i <= 6; ++i) ASSERT_EQ(fund(*chain, i).kind, Kind::kApplied);
  world.mine(12);  // young ones are asked for one by one
  // It breaks off where it is asked for the logs of more than a block.
  test::FaultyNode node(world.anvil().url(), [](std::uint64_t /*number*/, const std::string& body) {
    if (!body.contains("eth_getLogs")) return test::Fault::kNone;
    const boost::json::object range = boost::json::parse(body).at("params").at(0).as_object();
    return range.contains("blockHash") || range.at("fromBlock") == range.at("toBlock") ? test::Fault::kNone
                                                                                       : test::Fault::kMute;
  });
  test::TemporaryFolder elsewhere;
  EvmChain halves({http_endpoints(node.url()), {}, [](std::chrono::milliseconds) {}},
                  {.confirmations = 0, .cache = elsewhere.path()});
  EXPECT_EQ(halves.events(0, 10).size(), 7U);
  EXPECT_EQ(pool(halves, pattern.task()), Wei{21});
  EXPECT_GT(node.faults(), 0U);
}

/// A client of a node that goes through a reorganisation right behind a receipt.
struct ReceiptThenReorganisation {
  EvmWorld& world;
  std::function<void()> then{};  // behind the reorganisation
  bool is_armed = false;
  std::string mark{};

  void operator()(std::string_view method, const json::object& answer) {
    if (!is_armed || method != "eth_getTransactionReceipt" || answer.at("result").is_null()) return;
    is_armed = false;
    world.go_back(mark);
    static_cast<void>(world.rpc().call("anvil_dropAllTransactions", {}));
    if (then) then();
    world.mine(6);
  }
};

TEST_F(EvmChainTest, does_not_take_for_done_what_a_reorganisation_took_back_behind_its_receipt) {
  ASSERT_EQ(create(*world.open()).kind, Kind::kApplied);
  for (std::uint64_t confirmations = 0; confirmations < 3; ++confirmations) {
    ReceiptThenReorganisation node{world};
    test::TemporaryFolder own;
    EvmChain chain(test::edited(world.anvil().url(), [&](std::string_view method, const json::array&,
                                                         json::object& answer) { node(method, answer); }),
                   {.confirmations = confirmations, .cache = own.path()});
    world.mine(3);
    static_cast<void>(chain.events(0, 10));
    node.mark = world.mark();
    const TransactionId id =
        chain.submit({.key = pattern.creator(), .value = {3}, .transaction = proof::Fund{.task = pattern.task()}});
    world.mine(1);
    node.is_armed = true;
    EXPECT_EQ(chain.fate(id).kind, Kind::kPending) << confirmations;
    EXPECT_FALSE(node.is_armed);
  }
}

TEST_F(EvmChainTest, tells_the_block_that_a_reorganisation_put_a_transaction_into) {
  ASSERT_EQ(create(*world.open()).kind, Kind::kApplied);
  std::string raw;
  ReceiptThenReorganisation node{world, [&] {
                                   world.mine(2);
                                   static_cast<void>(world.rpc().call("eth_sendRawTransaction", {raw}));
                                 }};
  test::TemporaryFolder own;
  EvmChain chain(test::edited(world.anvil().url(), [&](std::string_view method, const json::array&,
                                                       json::object& answer) { node(method, answer); }),
                 {.confirmations = 2, .cache = own.path()});
  world.mine(3);
  static_cast<void>(chain.events(0, 10));
  node.mark = world.mark();
  const TransactionId id =
      chain.submit({.key = pattern.creator(), .value = {3}, .transaction = proof::Fund{.task = pattern.task()}});
  raw = std::string(world.rpc().call("eth_getRawTransactionByHash", {math::to_hex(id.digest.bytes)}).as_string());
  world.mine(1);
  node.is_armed = true;
  EXPECT_EQ(chain.fate(id).kind, Kind::kPending);
  const TransactionFate fate = chain.fate(id);
  ASSERT_EQ(fate.kind, Kind::kApplied);
  ASSERT_EQ(fate.events.size(), 1U);
  const std::vector<LoggedEvent> events = chain.events(0, 10);
  EXPECT_EQ(events.back().transaction, id);
  EXPECT_EQ(events.back().block, fate.block);
}

TEST_F(EvmChainTest, remembers_nothing_of_a_block_that_it_could_not_read_on_from) {
  json::value told;
  bool is_behind = false;
  bool fails = false;
  test::TemporaryFolder own;
  EvmChain chain(test::edited(world.anvil().url(),
                              [&](std::string_view method, const json::array& parameters, json::object& answer) {
                                if (method == "eth_getBlockByNumber" && parameters.at(0) == "latest") {
                                  if (is_behind)
                                    answer["result"] = told;
                                  else
                                    told = answer["result"];
                                }
                                if (fails && method == "eth_getLogs") {
                                  answer.erase("result");
                                  answer["error"] = {{"code", -32000}, {"message", "unknown block"}};
                                }
                              }),
                 {.confirmations = 5, .cache = own.path()});
  ASSERT_EQ(create(chain).kind, Kind::kApplied);
  ASSERT_EQ(fund(chain, 7).kind, Kind::kApplied);
  ASSERT_EQ(pool(chain, pattern.task()), Wei{7});
  const json::value seen = told;
  world.mine(1);
  fails = true;
  EXPECT_THROW(static_cast<void>(chain.state()), std::runtime_error);
  fails = false;
  told = seen;
  is_behind = true;
  EXPECT_EQ(pool(chain, pattern.task()), Wei{7});
}

TEST_F(EvmChainTest, says_that_a_transaction_was_sent_whatever_fails_behind_it) {
  bool fails = false;
  test::TemporaryFolder own;
  EvmChain chain(test::edited(world.anvil().url(),
                              [&](std::string_view method, const json::array&, json::object& answer) {
                                if (!fails || method != "eth_getLogs") return;
                                answer.erase("result");
                                answer["error"] = {{"code", -32005}, {"message", "limit exceeded"}};
                              }),
                 {.confirmations = 2, .cache = own.path()});
  ASSERT_EQ(create(chain).kind, Kind::kApplied);
  world.mine(20);
  static_cast<void>(chain.state());
  const TransactionId id =
      chain.submit({.key = pattern.creator(), .value = {4}, .transaction = proof::Fund{.task = pattern.task()}});
  world.mine(20);
  fails = true;
  try {
    static_cast<void>(chain.fate(id));
    ADD_FAILURE();
  } catch (const RpcError& error) {
    EXPECT_TRUE(std::string(error.what()).contains(to_hex(id) + " was sent")) << error.what();
    EXPECT_TRUE(std::string(error.what()).contains("limit exceeded")) << error.what();
  }
}

}  // namespace
}  // namespace tally::chain
