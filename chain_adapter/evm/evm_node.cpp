#include "chain_adapter/evm/evm_node.h"

#include <algorithm>
#include <boost/json.hpp>

#include "chain_adapter/evm/rpc_values.h"

namespace tally::chain {

namespace {

namespace json = boost::json;

const std::string kLatest = "latest";

std::string text_of(const proof::Address& address) { return math::to_hex(address.bytes); }
std::string text_of(const TransactionId& id) { return math::to_hex(id.digest.bytes); }

std::string block_text(std::optional<std::uint64_t> block) { return block ? quantity(*block) : kLatest; }

EvmBlock block_of(const json::value& found) {
  return {.block = {.number = number_of(member_of(found, "number")),
                    .time_s = number_of(member_of(found, "timestamp")),
                    .parent = digest_of(member_of(found, "parentHash")),
                    .hash = digest_of(member_of(found, "hash"))},
          .base_fee = wei_of(member_of(found, "baseFeePerGas"))};
}

const json::array& list_of(const json::value& value) {
  if (!value.is_array()) throw RpcFailure("a node answers with what is no list");
  return value.get_array();
}

EvmLog log_of(const json::value& found) {
  EvmLog log{.block = number_of(member_of(found, "blockNumber")),
             .block_hash = digest_of(member_of(found, "blockHash")),
             .transaction = {digest_of(member_of(found, "transactionHash"))},
             .data = bytes_of(member_of(found, "data"))};
  for (const json::value& topic : list_of(member_of(found, "topics"))) log.topics.push_back(digest_of(topic));
  return log;
}

std::vector<EvmLog> logs_of(const json::value& found) {
  struct Placed {
    std::uint64_t index;
    EvmLog log;
  };
  std::vector<Placed> placed;
  for (const json::value& log : list_of(found))
    placed.push_back({.index = number_of(member_of(log, "logIndex")), .log = log_of(log)});
  std::ranges::stable_sort(placed, {}, [](const Placed& each) { return std::pair(each.log.block, each.index); });
  std::vector<EvmLog> logs;
  for (Placed& each : placed) logs.push_back(std::move(each.log));
  return logs;
}

EvmCall call_of(const json::value& transaction) {
  const json::value& to = member_of(transaction, "to");
  const json::value& block = member_of(transaction, "blockNumber");
  return {.sender = address_of(member_of(transaction, "from")),
          .to = to.is_null() ? std::nullopt : std::optional(address_of(to)),
          .value = wei_of(member_of(transaction, "value")),
          .data = bytes_of(member_of(transaction, "input")),
          .block = block.is_null() ? std::nullopt : std::optional(number_of(block))};
}

json::object asked(const EvmCall& call) {
  json::object object{
      {"from", text_of(call.sender)}, {"value", quantity(call.value.value)}, {"data", math::to_hex(call.data)}};
  if (call.to) object["to"] = text_of(*call.to);
  return object;
}

}  // namespace

std::uint64_t EvmNode::chain_id() { return x_rpc.chain_id(); }

EvmBlock EvmNode::latest() { return block_of(x_rpc.call("eth_getBlockByNumber", {kLatest, false})); }

std::optional<EvmBlock> EvmNode::block(std::uint64_t number) {
  const json::value found = x_rpc.call("eth_getBlockByNumber", {quantity(number), false});
  return found.is_null() ? std::nullopt : std::optional(block_of(found));
}

proof::Digest EvmNode::first_block() {
  try {
    const auto first = block(0);
    return first ? first->block.hash : proof::Digest{};
  } catch (const RpcError&) {
    return {};
  }
}

std::uint64_t EvmNode::next_time_s() {
  const std::uint64_t latest_s = latest().block.time_s;
  try {
    const json::value pending = x_rpc.call("eth_getBlockByNumber", {"pending", false});
    return pending.is_null() ? latest_s : std::max(latest_s, number_of(member_of(pending, "timestamp")));
  } catch (const RpcError&) {
    return latest_s;  // not every node makes up a block of what waits
  }
}

std::vector<std::uint8_t> EvmNode::code(const proof::Address& address, std::optional<std::uint64_t> block) {
  return bytes_of(x_rpc.call("eth_getCode", {text_of(address), block_text(block)}));
}

proof::Wei EvmNode::balance(const proof::Address& address) {
  return wei_of(x_rpc.call("eth_getBalance", {text_of(address), kLatest}));
}

std::uint64_t EvmNode::next_nonce(const proof::Address& sender) {
  return number_of(x_rpc.call("eth_getTransactionCount", {text_of(sender), "pending"}));
}

std::uint64_t EvmNode::used_nonces(const proof::Address& sender, std::optional<std::uint64_t> block) {
  return number_of(x_rpc.call("eth_getTransactionCount", {text_of(sender), block_text(block)}));
}

std::vector<EvmLog> EvmNode::logs(const proof::Address& contract, std::uint64_t first, std::uint64_t last) {
  return logs_of(x_rpc.call(
      "eth_getLogs",
      {json::object{{"address", text_of(contract)}, {"fromBlock", quantity(first)}, {"toBlock", quantity(last)}}}));
}

std::vector<EvmLog> EvmNode::logs(const proof::Address& contract, const proof::Digest& block) {
  return logs_of(x_rpc.call("eth_getLogs",
                            {json::object{{"address", text_of(contract)}, {"blockHash", math::to_hex(block.bytes)}}}));
}

std::optional<EvmCall> EvmNode::transaction(const TransactionId& id) {
  const json::value found = x_rpc.call("eth_getTransactionByHash", {text_of(id)});
  return found.is_null() ? std::nullopt : std::optional(call_of(found));
}

std::vector<EvmSent> EvmNode::transactions(const proof::Digest& block) {
  const json::value found = x_rpc.call("eth_getBlockByHash", {math::to_hex(block.bytes), true});
  std::vector<EvmSent> sent;
  if (found.is_null()) return sent;
  for (const json::value& each : list_of(member_of(found, "transactions"))) {
    sent.push_back({.id = {digest_of(member_of(each, "hash"))},
                    .nonce = number_of(member_of(each, "nonce")),
                    .call = call_of(each)});
  }
  return sent;
}

std::optional<EvmReceipt> EvmNode::receipt(const TransactionId& id) {
  const json::value found = x_rpc.call("eth_getTransactionReceipt", {text_of(id)});
  if (found.is_null()) return std::nullopt;
  return EvmReceipt{.transaction = {digest_of(member_of(found, "transactionHash"))},
                    .taken = number_of(member_of(found, "status")) == 1,
                    .block = number_of(member_of(found, "blockNumber")),
                    .gas = number_of(member_of(found, "gasUsed"))};
}

std::vector<std::uint8_t> EvmNode::simulate(const EvmCall& call, std::optional<std::uint64_t> block) {
  return bytes_of(x_rpc.call("eth_call", {asked(call), block_text(block)}));
}

std::uint64_t EvmNode::estimate_gas(const EvmCall& call) {
  return number_of(x_rpc.call("eth_estimateGas", {asked(call)}));
}

proof::Wei EvmNode::priority_fee() { return wei_of(x_rpc.call("eth_maxPriorityFeePerGas", {})); }

TransactionId EvmNode::send(math::Bytes signed_transaction) {
  return {digest_of(x_rpc.call("eth_sendRawTransaction", {math::to_hex(signed_transaction)}))};
}

}  // namespace tally::chain
