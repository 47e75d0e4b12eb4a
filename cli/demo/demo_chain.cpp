#include "cli/demo/demo_chain.h"

#include <boost/json.hpp>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/evm_chain.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/keys/development_keys.h"
#include "cli/development_node.h"

namespace tally::cli {

namespace {

constexpr std::uint64_t kChainId = 31'337;
constexpr proof::Wei kBaseFee{1'000'000'000};
constexpr std::uint64_t kDeployerKey = 1'000;
constexpr proof::Wei kDeployment{10'000'000'000'000'000};  // what the deployment proxy may cost

class EmbeddedDemoChain final : public DemoChain {
 public:
  explicit EmbeddedDemoChain(const std::filesystem::path& file) : x_file(file), x_chain(file) {}
  [[nodiscard]] chain::ChainAdapter& adapter() override { return x_chain; }
  void advance(std::uint64_t seconds) override { x_chain.advance(seconds); }
  [[nodiscard]] std::string place() const override { return "in " + x_file.string(); }
  [[nodiscard]] std::string argument() const override { return x_file.string(); }
  [[nodiscard]] std::string how_to_look() const override { return "sqlite3 " + x_file.string() + " .tables"; }

 private:
  std::filesystem::path x_file;
  chain::EmbeddedChain x_chain;
};

class EvmDemoChain final : public DemoChain {
 public:
  explicit EvmDemoChain(const DemoChainSettings& settings)
      : x_folder(settings.folder),
        x_node(settings.folder, settings.start_s, NodeLeaves::kItsChain),
        x_rpc(chain::rpc_client(x_node.url())) {
    for (const chain::GenesisAccount& account : settings.accounts) give(account.address, account.balance);
    const proof::PrivateKey deployer = chain::development_key(kDeployerKey);
    give(deployer.address(), kDeployment);
    chain::EvmNode node(x_rpc);
    const chain::SenderSettings sending{.tip = proof::Wei{}};
    chain::Sender sender(node, node.chain_id(), x_folder, sending);
    chain::deploy_settlement(node, sender, deployer);
    x_chain = std::make_unique<chain::EvmChain>(
        chain::rpc_client(x_node.url()), chain::EvmSettings{.confirmations = 0, .cache = x_folder, .sending = sending});
  }
  [[nodiscard]] chain::ChainAdapter& adapter() override { return *x_chain; }
  void advance(std::uint64_t seconds) override {
    static_cast<void>(x_rpc.call("evm_increaseTime", {seconds}));
    static_cast<void>(x_rpc.call("anvil_mine", {"0x1"}));
  }
  [[nodiscard]] std::string place() const override {
    return "that anvil runs, with the settlement's contract at " + proof::to_text(x_chain->identity().contract);
  }
  [[nodiscard]] std::string argument() const override { return kLater; }
  [[nodiscard]] std::string how_to_look() const override {
    return "(first, beside them: anvil --load-state " + x_node.state_file().string() + ")";
  }

 private:
  inline static const std::string kLater = "http://127.0.0.1:8545";  // where anvil is unless told otherwise

  void give(const proof::Address& account, const proof::Wei& amount) {
    static_cast<void>(x_rpc.call("anvil_setBalance", {math::to_hex(account.bytes), chain::quantity(amount.value)}));
  }

  std::filesystem::path x_folder;
  DevelopmentNode x_node;
  chain::RpcClient x_rpc;
  std::unique_ptr<chain::EvmChain> x_chain;
};

}  // namespace

std::unique_ptr<DemoChain> embedded_demo_chain(const DemoChainSettings& settings) {
  const std::filesystem::path file = settings.folder / "chain.db";
  chain::EmbeddedChain::create(file, {.chain_id = kChainId,
                                      .time_s = settings.start_s,
                                      .clock = chain::Clock::kDriven,
                                      .base_fee = kBaseFee,
                                      .accounts = {settings.accounts.begin(), settings.accounts.end()}});
  return std::make_unique<EmbeddedDemoChain>(file);
}

std::unique_ptr<DemoChain> evm_demo_chain(const DemoChainSettings& settings) {
  return std::make_unique<EvmDemoChain>(settings);
}

}  // namespace tally::cli
