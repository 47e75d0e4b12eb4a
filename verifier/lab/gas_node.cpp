#include "verifier/lab/gas_node.h"

#include <boost/json.hpp>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/evm/short_forms.h"
#include "chain_adapter/evm/shown_batches.h"
#include "chain_adapter/keys/development_keys.h"

namespace tally::verifier {

namespace {

namespace json = boost::json;
using chain::EvmReceipt;
using chain::quantity;

constexpr std::uint64_t kDeployerKey = 1'000;
constexpr proof::Wei kBaseFee{1'000'000'000};
constexpr math::u128 kWealth = ~math::u128{0};
/// The most that a transaction may ask for (EIP-7825).
constexpr std::uint64_t kEnoughGas = std::uint64_t{1} << 24;
constexpr std::chrono::seconds kPatience(60);
constexpr std::chrono::milliseconds kPoll(1);

std::string text_of(const proof::Address& address) { return math::to_hex(address.bytes); }

template <class Condition>
void wait_until(const Condition& holds, const char* what) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error(std::string("the node does not ") + what);
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

GasNode::GasNode(chain::RpcClient& rpc) : x_rpc(rpc), x_node(rpc), x_chain_id(x_node.chain_id()) {
  deploy();
  static_cast<void>(x_rpc.call("anvil_autoImpersonateAccount", {true}));
  // Blocks may have the time of the block before them.
  static_cast<void>(x_rpc.call("anvil_setBlockTimestampInterval", {0}));
  const chain::Block head = x_node.latest().block;
  x_now.block = head.number;
  // However long it took so far, it goes on at the same time, since times are bytes of transactions.
  x_now.time_s = (head.time_s | 0xffff) + 0x1112;
}

void GasNode::deploy() {
  const proof::PrivateKey deployer = chain::development_key(kDeployerKey);
  static_cast<void>(x_rpc.call("anvil_setBalance", {text_of(deployer.address()), quantity(kWealth)}));
  chain::Sender sender(x_node, x_chain_id, {});
  chain::deploy_settlement(x_node, sender, deployer);
}

proof::BlockContext GasNode::next_block() {
  return {.chain_id = x_chain_id,
          .contract = chain::settlement_address(),
          .number = x_now.block + 1,
          .time_s = x_now.time_s,
          .base_fee = kBaseFee};
}

std::vector<std::uint8_t> GasNode::call_data_of(const proof::StateReader& state, const proof::Message& message) const {
  const auto find = [this](const proof::BatchId& batch) -> std::optional<proof::BatchHeader> {
    const auto found = x_now.headers.find(batch);
    return found == x_now.headers.end() ? std::nullopt : std::optional(found->second);
  };
  return chain::call_data_at(state, message.transaction, chain::shortened(encode(message.transaction)), find);
}

EvmReceipt GasNode::mine(const proof::BlockContext& block, const proof::Message& message, math::Bytes data) {
  const std::string sender = text_of(message.sender);
  static_cast<void>(x_rpc.call("anvil_setBalance", {sender, quantity(kWealth)}));
  static_cast<void>(x_rpc.call("evm_setNextBlockTimestamp", {block.time_s}));
  static_cast<void>(x_rpc.call("anvil_setNextBlockBaseFeePerGas", {quantity(kBaseFee.value)}));
  const json::value id = x_rpc.call("eth_sendTransaction", {json::object{{"from", sender},
                                                                         {"to", text_of(block.contract)},
                                                                         {"value", quantity(message.value.value)},
                                                                         {"gas", quantity(kEnoughGas)},
                                                                         {"gasPrice", quantity(kBaseFee.value)},
                                                                         {"data", math::to_hex(data)}}});
  return receipt({chain::digest_of(id)});
}

EvmReceipt GasNode::receipt(const chain::TransactionId& id) {
  std::optional<EvmReceipt> found;
  wait_until([&] { return (found = x_node.receipt(id)).has_value(); }, "put a transaction into a block");
  return *std::move(found);
}

std::uint64_t GasNode::send(const proof::StateReader& before, const proof::BlockContext& block,
                            const proof::Message& message, const proof::Effects& effects) {
  const EvmReceipt mined = mine(block, message, call_data_of(before, message));
  if (!mined.taken)
    throw std::runtime_error(std::string("the contracts refuse a ") + std::string(name_of(message.transaction)));
  x_now.block = mined.block;
  for (const proof::Event& event : effects.events) {
    if (const auto* const posted = std::get_if<proof::Posted>(&event))
      x_now.headers.emplace(posted->batch, posted->header);
  }
  return mined.gas;
}

void GasNode::mark() {
  x_snapshot = x_rpc.call("evm_snapshot", {}).as_string();
  x_marked = x_now;
}

void GasNode::go_back() {
  // A node's snapshot serves once.
  static_cast<void>(x_rpc.call("evm_revert", {x_snapshot}));
  x_snapshot = x_rpc.call("evm_snapshot", {}).as_string();
  x_now = x_marked;
}

GasNode::Outcome GasNode::attempt(const proof::StateReader& state, const proof::Message& message) {
  const EvmReceipt mined = mine(next_block(), message, call_data_of(state, message));
  x_now.block = mined.block;
  return {.taken = mined.taken, .gas = mined.gas};
}

}  // namespace tally::verifier
