#include "tests/support/node_chain.h"

#include <boost/json.hpp>
#include <utility>

#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/keys/development_keys.h"
#include "tests/support/round_world.h"

namespace tally::test {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kWatcherKey = 2'000'000;  // of a DisputeWorld
constexpr std::uint64_t kRichMembers = 5;

}  // namespace

NodeChain::NodeChain(std::uint64_t confirmations, Way way) : x_confirmations(confirmations), x_way(std::move(way)) {
  static_cast<void>(x_world.rpc().call("anvil_setBlockTimestampInterval", {0}));
  std::vector<std::uint64_t> keys = {kWatcherKey, kPosterKey};
  for (std::uint64_t member = 0; member < kRichMembers; ++member) keys.push_back(member);
  for (const std::uint64_t key : keys) x_world.give(chain::development_key(key).address(), {100'000 * kEther.value});
}

std::unique_ptr<chain::ChainAdapter> NodeChain::open() {
  if (!x_way) return x_world.open(x_confirmations);
  return std::make_unique<chain::EvmChain>(
      x_way(where()), chain::EvmSettings{.confirmations = x_confirmations, .cache = x_world.cache()});
}

void NodeChain::advance(std::uint64_t seconds) {
  const json::value latest = x_world.rpc().call("eth_getBlockByNumber", {"latest", false});
  static_cast<void>(
      x_world.rpc().call("evm_setNextBlockTimestamp", {chain::number_of(latest.at("timestamp")) + seconds}));
  confirm();
}

NodeChain::Count NodeChain::count() {
  Count count;
  const std::string settlement = math::to_hex(chain::settlement_address().bytes);
  const std::uint64_t last = chain::number_of(x_world.rpc().call("eth_blockNumber", {}));
  for (std::uint64_t block = 1; block <= last; ++block) {
    const json::value receipts = x_world.rpc().call("eth_getBlockReceipts", {chain::quantity(block)});
    for (const json::value& receipt : receipts.as_array()) {
      if (!receipt.at("to").is_string() || receipt.at("to").as_string() != settlement) continue;
      ++count.all;
      if (receipt.at("status").as_string() == "0x1") ++count.taken;
    }
  }
  return count;
}

}  // namespace tally::test
