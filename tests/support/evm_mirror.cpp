#include "tests/support/evm_mirror.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/call_data.h"
#include "chain_adapter/evm/contract_code.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/short_forms.h"
#include "chain_adapter/evm/shown_batches.h"
#include "deterministic_math/bytecode/codec.h"

namespace tally::test {

using namespace tally::proof;

namespace {

namespace json = boost::json;
using Bytes = std::vector<std::uint8_t>;

const std::string kTaken = "taken";
constexpr std::string_view kSuccess = "0x1";
constexpr std::uint64_t kEnoughGas = 30'000'000;
const Address kContract = MemoryChainOptions{}.contract;

std::string text_of(const Address& address) { return math::to_hex(address.bytes); }

using chain::number_of;

/// Its name, and which of the moves or proofs it has.
std::string kind_of(const Transaction& transaction) {
  std::string kind(name_of(transaction));
  if (const auto* const move = std::get_if<MakeMove>(&transaction)) kind += " " + std::to_string(move->move.index());
  if (const auto* const shown = std::get_if<ShowProof>(&transaction))
    kind += " " + std::to_string(shown->proof.index());
  return kind;
}

/// The least that a transaction with these bytes needs to get into a block (EIP-7623).
std::uint64_t gas_of_bytes(const Bytes& bytes) {
  const auto zeros = static_cast<std::uint64_t>(std::ranges::count(bytes, 0));
  return 21'000 + 10 * zeros + 40 * (bytes.size() - zeros);
}

/// Tests of the machine also ask what no bytes can say: such lists, and settings that are none.
bool can_be_written(const Message& message) {
  if (const auto* const created = std::get_if<CreateTask>(&message.transaction)) {
    return created->params.size() <= kMaxTaskParams && created->dims.size() <= kMaxTaskDims &&
           check_settings(created->settings).has_value();
  }
  return true;
}

/// A program that decodes, but that the validator refuses: on an EVM chain that is for the roles to say.
bool is_left_to_roles(const Message& message, const ChainRefusal& refusal) {
  const auto* const created = std::get_if<CreateTask>(&message.transaction);
  return created != nullptr && refusal.reason == Reason::kProgramInvalid &&
         math::decode_program(created->bytecode).has_value();
}

/// An event as the contract tells it: its kind, and its fields.
std::pair<std::uint8_t, Bytes> told(const json::value& log) {
  const Bytes kind = bytes_of(log.at("topics").at(1));
  const Bytes data = bytes_of(log.at("data"));
  const auto fields = chain::AbiReader(data).bytes();
  if (!fields) throw std::runtime_error("an event that is not bytes");
  return {kind.back(), Bytes(fields->begin(), fields->end())};
}

// Of all mirrors.
std::uint64_t asked_in_all = 0;
std::uint64_t compared_in_all = 0;

/// A test that asks for nothing that can be compared shows nothing.
class ComparesSomething final : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& /*test*/) override {
    x_asked = asked_in_all;
    x_compared = compared_in_all;
  }
  void OnTestEnd(const testing::TestInfo& /*test*/) override {
    if (asked_in_all > x_asked) {
      EXPECT_GT(compared_in_all, x_compared) << "no transaction was compared";
    }
  }

 private:
  std::uint64_t x_asked = 0;
  std::uint64_t x_compared = 0;
};

}  // namespace

EvmMirror::EvmMirror() { deploy(); }

void EvmMirror::deploy() {
  std::vector<Address> parts;
  for (const std::string_view name : chain::settlement_parts())
    parts.push_back(x_anvil.deploy(chain::creation_code(name)));
  const Address made = x_anvil.deploy(chain::settlement_creation(parts));
  const json::value code = x_anvil.rpc().call("eth_getCode", {text_of(made), "latest"});
  static_cast<void>(x_anvil.rpc().call("anvil_setCode", {text_of(kContract), code}));
  static_cast<void>(x_anvil.rpc().call("anvil_autoImpersonateAccount", {true}));
  // Blocks without a time of their own have that of the block before them.
  static_cast<void>(x_anvil.rpc().call("anvil_setBlockTimestampInterval", {0}));
  begin();
}

void EvmMirror::begin() {
  const json::value head = x_anvil.rpc().call("eth_getBlockByNumber", {"latest", false});
  x_block = number_of(head.at("number"));
  x_time_s = number_of(head.at("timestamp")) + 1;
  x_held = {};
  x_headers.clear();
  x_snapshot = std::string(x_anvil.rpc().call("evm_snapshot", {}).as_string());
}

void EvmMirror::reset() {
  static_cast<void>(x_anvil.rpc().call("evm_revert", {x_snapshot}));
  begin();
}

MemoryChainOptions mirrored(const std::shared_ptr<EvmMirror>& mirror) {
  return {.start_s = mirror->time_s(), .start_block = mirror->block(), .watcher = mirror};
}

const std::set<std::string>& mirror_all_chains() {
  static std::set<std::string> starved;
  testing::UnitTest::GetInstance()->listeners().Append(new ComparesSomething);
  default_chain() = [] {
    static std::shared_ptr<EvmMirror> shared;
    if (shared && shared.use_count() > 1) return mirrored(std::make_shared<EvmMirror>());
    if (shared) {
      shared->reset();
    } else {
      shared = std::make_shared<EvmMirror>();
      shared->starve(starved);
    }
    return mirrored(shared);
  };
  return starved;
}

void EvmMirror::mine_to(std::uint64_t number) {
  if (number <= x_block) return;
  static_cast<void>(x_anvil.rpc().call("evm_setNextBlockTimestamp", {x_time_s}));
  static_cast<void>(x_anvil.rpc().call("anvil_mine", {quantity(number - x_block), "0x0"}));
  x_block = number;
}

Digest EvmMirror::block_hash(std::uint64_t number) {
  mine_to(number);
  const json::value block = x_anvil.rpc().call("eth_getBlockByNumber", {quantity(number), false});
  Digest hash;
  const Bytes bytes = bytes_of(block.at("hash"));
  std::ranges::copy(bytes, hash.bytes.begin());
  return hash;
}

BlockContext EvmMirror::next_block() const {
  const MemoryChainOptions options;
  return {.chain_id = options.chain_id,
          .contract = options.contract,
          .number = x_block + 1,
          .time_s = x_time_s,
          .base_fee = options.base_fee};
}

void EvmMirror::watch(Asked asked, const StateReader& state, const BlockContext& block, const Message& message,
                      const OrRefused<Effects>& result) {
  ++asked_in_all;
  if (!can_be_written(message)) {
    if (result) differ(message, "taken by the machine, but no bytes can say it");
    return;
  }
  if (!result && is_left_to_roles(message, result.error())) return;
  ++compared_in_all;
  ++x_compared;
  x_time_s = block.time_s;
  mine_to(block.number - 1);
  const std::string data = data_of(state, message, Form::kShort);
  if (const std::string whole = data_of(state, message, Form::kWhole); whole != data)
    simulate(whole, block, message, result);
  if (asked == Asked::kSend && result) {
    send(data, block, message, *result);
  } else {
    simulate(data, block, message, result);
  }
}

std::string EvmMirror::error_of(Reason reason) {
  return math::to_hex(chain::selector_of(std::string(to_string(reason)) + "()"));
}

std::string EvmMirror::call(json::array parameters) {
  try {
    static_cast<void>(x_anvil.rpc().call("eth_call", std::move(parameters)));
    return kTaken;
  } catch (const chain::RpcError& error) {
    return error.data().is_string() ? std::string(error.data().as_string()) : std::string(error.what());
  }
}

std::string EvmMirror::refusal_of(math::Bytes transaction, std::span<const BatchHeader> shown,
                                  const std::optional<Digest>& seed, const Wei& value) {
  const json::object rich{{text_of(Address{}), json::object{{"balance", quantity(~math::u128{0})}}}};
  return call({json::object{{"from", text_of(Address{})},
                            {"to", text_of(kContract)},
                            {"value", quantity(value.value)},
                            {"data", math::to_hex(chain::call_data(transaction, shown, seed))}},
               "latest", rich});
}

std::string EvmMirror::data_of(const StateReader& state, const Message& message, Form form) const {
  const auto find = [this](const BatchId& batch) -> std::optional<BatchHeader> {
    const auto found = x_headers.find(batch);
    return found == x_headers.end() ? std::nullopt : std::optional(found->second);
  };
  const Bytes bytes = encode(message.transaction);
  return math::to_hex(
      chain::call_data_at(state, message.transaction, form == Form::kShort ? chain::shortened(bytes) : bytes, find));
}

void EvmMirror::simulate(const std::string& data, const BlockContext& block, const Message& message,
                         const OrRefused<Effects>& result) {
  const json::object asked{{"from", text_of(message.sender)},
                           {"to", text_of(kContract)},
                           {"value", quantity(message.value.value)},
                           {"data", data}};
  const json::object rich{{text_of(message.sender), json::object{{"balance", quantity(~math::u128{0})}}}};
  const json::object at{{"number", quantity(block.number)},
                        {"time", quantity(block.time_s)},
                        {"baseFeePerGas", quantity(block.base_fee.value)}};
  const std::string expected = result ? kTaken : error_of(result.error().reason);
  if (!result) ++x_refusals[std::string(to_string(result.error().reason))];
  const std::string found = EvmMirror::call({asked, "latest", rich, at});
  if (found != expected)
    differ(message, found + " instead of " + expected + (result ? "" : " (" + result.error().message + ")"));
}

json::value EvmMirror::mine(const std::string& data, const BlockContext& block, const Message& message,
                            std::uint64_t gas) {
  chain::RpcClient& rpc = x_anvil.rpc();
  static_cast<void>(rpc.call("anvil_setBalance", {text_of(message.sender), quantity(~math::u128{0})}));
  static_cast<void>(rpc.call("evm_setNextBlockTimestamp", {block.time_s}));
  static_cast<void>(rpc.call("anvil_setNextBlockBaseFeePerGas", {quantity(block.base_fee.value)}));
  return x_anvil.receipt(rpc.call("eth_sendTransaction", {json::object{{"from", text_of(message.sender)},
                                                                       {"to", text_of(kContract)},
                                                                       {"value", quantity(message.value.value)},
                                                                       {"gas", quantity(gas)},
                                                                       {"gasPrice", quantity(block.base_fee.value)},
                                                                       {"data", data}}}));
}

void EvmMirror::send(const std::string& data, const BlockContext& block, const Message& message,
                     const Effects& effects) {
  Gas& gas = x_gas[kind_of(message.transaction)];
  if (x_starved != nullptr && x_starved->insert(kind_of(message.transaction)).second)
    starve(data, block, message, effects);
  const json::value receipt = mine(data, block, message, kEnoughGas);
  x_block = block.number;
  const std::string mined(receipt.at("blockNumber").as_string());
  if (mined != quantity(block.number)) throw std::runtime_error("mined in block " + mined);
  if (receipt.at("status").as_string() != kSuccess) return differ(message, "refused instead of taken");
  const std::uint64_t used = number_of(receipt.at("gasUsed"));
  gas.most = std::max(gas.most, used);
  ++gas.count;
  x_held.value += message.value.value;
  for (const Payment& payment : effects.payments) x_held.value -= payment.amount.value;
  for (const Event& event : effects.events) {
    if (const auto* const posted = std::get_if<Posted>(&event)) x_headers.emplace(posted->batch, posted->header);
  }
  compare(message, effects, receipt, x_held);
}

void EvmMirror::starve(const std::string& data, const BlockContext& block, const Message& message,
                       const Effects& effects) {
  Wei held{x_held.value + message.value.value};
  for (const Payment& payment : effects.payments) held.value -= payment.amount.value;
  const auto is_taken_with = [&](std::uint64_t gas) {
    const json::value before = x_anvil.snapshot();
    const json::value receipt = mine(data, block, message, gas);
    const bool is_taken = receipt.at("status").as_string() == kSuccess;
    if (is_taken) compare(message, effects, receipt, held);
    x_anvil.go_back_to(before);
    return is_taken;
  };
  // Just below the least that is enough, an inner call fails with the most gas left for what comes after it.
  std::uint64_t too_little = gas_of_bytes(bytes_of(json::value(data)));
  std::uint64_t enough = kEnoughGas;
  while (enough - too_little > 1) {
    const std::uint64_t gas = std::midpoint(too_little, enough);
    (is_taken_with(gas) ? enough : too_little) = gas;
  }
  EXPECT_LT(enough, kEnoughGas);
}

void EvmMirror::compare(const Message& message, const Effects& effects, const json::value& receipt, const Wei& held) {
  const json::array& logs = receipt.at("logs").as_array();
  if (logs.size() != effects.events.size())
    return differ(message, std::to_string(logs.size()) + " events instead of " + std::to_string(effects.events.size()));
  for (std::size_t i = 0; i < logs.size(); ++i) {
    auto [kind, fields] = told(logs[i]);
    fields.insert(fields.begin(), kind);
    if (const Bytes expected = chain::log_bytes(effects.events[i]); fields != expected)
      differ(message, "event " + math::to_hex(fields) + " instead of " + math::to_hex(expected));
  }
  const json::value balance = x_anvil.rpc().call("eth_getBalance", {text_of(kContract), "latest"});
  if (balance.as_string() != quantity(held.value))
    differ(message, "it holds " + std::string(balance.as_string()) + " instead of " + quantity(held.value));
}

void EvmMirror::differ(const Message& message, const std::string& what) {
  ADD_FAILURE() << "the contracts differ in " << name_of(message.transaction) << ": " << what.substr(0, 2000);
}

}  // namespace tally::test
