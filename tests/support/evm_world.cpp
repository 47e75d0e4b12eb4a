#include "tests/support/evm_world.h"

#include <boost/json.hpp>

#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/keys/development_keys.h"

namespace tally::test {

namespace {

constexpr proof::Wei kEther{1'000'000'000'000'000'000};
constexpr std::uint64_t kDeployer = 77;

}  // namespace

EvmWorld::EvmWorld() {
  const proof::PrivateKey deployer = chain::development_key(kDeployer);
  give(deployer.address(), {100 * kEther.value});
  chain::EvmNode node(rpc());
  chain::Sender sender(node, node.chain_id(), x_folder.path());
  chain::deploy_settlement(node, sender, deployer);
}

std::unique_ptr<chain::EvmChain> EvmWorld::open(std::uint64_t confirmations, const std::filesystem::path& cache) {
  return open_with({.confirmations = confirmations, .cache = cache});
}

std::unique_ptr<chain::EvmChain> EvmWorld::open_with(chain::EvmSettings settings) {
  if (settings.cache.empty()) settings.cache = x_folder.path();
  return std::make_unique<chain::EvmChain>(chain::rpc_client(x_anvil.url()), settings);
}

void EvmWorld::give(const proof::Address& account, const proof::Wei& amount) {
  static_cast<void>(rpc().call("anvil_setBalance", {math::to_hex(account.bytes), chain::quantity(amount.value)}));
}

void EvmWorld::mine(std::uint64_t blocks) { static_cast<void>(rpc().call("anvil_mine", {chain::quantity(blocks)})); }

void EvmWorld::hold_blocks() { static_cast<void>(rpc().call("evm_setAutomine", {false})); }

void EvmWorld::advance(std::uint64_t seconds) {
  static_cast<void>(rpc().call("evm_increaseTime", {seconds}));
  mine(1);
}

std::string EvmWorld::mark() { return std::string(rpc().call("evm_snapshot", {}).as_string()); }

void EvmWorld::go_back(const std::string& mark) { static_cast<void>(rpc().call("evm_revert", {mark})); }

}  // namespace tally::test
