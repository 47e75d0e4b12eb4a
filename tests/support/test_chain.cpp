#include "tests/support/test_chain.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/embedded/tables.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/sqlite/database.h"
#include "tests/support/evm_world.h"

namespace tally::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uint64_t kSlowConfirmations = 2;

class ChainInAFile final : public TestChain {
 public:
  ChainInAFile(const fs::path& folder, const std::vector<proof::Address>& rich, proof::Wei each)
      : x_path(folder / "chain.sqlite") {
    chain::Genesis genesis{.chain_id = 31'337,
                           .time_s = 1'700'000'000,
                           .clock = chain::Clock::kDriven,
                           .base_fee = {1'000'000'000},
                           .accounts = {}};
    for (const proof::Address& account : rich) genesis.accounts.push_back({.address = account, .balance = each});
    std::ranges::sort(genesis.accounts, {}, &chain::GenesisAccount::address);
    chain::EmbeddedChain::create(x_path, genesis);
  }

  [[nodiscard]] std::string where() const override { return x_path.string(); }
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() override {
    return std::make_unique<chain::EmbeddedChain>(x_path);
  }
  void advance(std::uint64_t seconds) override { chain::EmbeddedChain(x_path).advance(seconds); }
  [[nodiscard]] proof::Wei fees(const proof::Address& /*account*/) override { return {}; }
  void mark() override {
    chain::Database(x_path, chain::embedded_schema()).execute("VACUUM INTO '" + copy().string() + "'");
  }
  void go_back() override { x_path = copy(); }

 private:
  [[nodiscard]] fs::path copy() const { return x_path.parent_path() / "copy.sqlite"; }

  fs::path x_path;
};

/// A node on which nothing has happened but that the settlement was put there.
class CleanNode {
 public:
  CleanNode() {
    // A block has the time of the one before it, unless it is told another.
    static_cast<void>(rpc().call("anvil_setBlockTimestampInterval", {0}));
    x_clean = x_world.mark();
  }
  [[nodiscard]] EvmWorld& world() { return x_world; }
  [[nodiscard]] chain::RpcClient& rpc() { return x_world.rpc(); }
  void clean() {
    static_cast<void>(rpc().call("anvil_dropAllTransactions", {}));
    static_cast<void>(rpc().call("evm_setAutomine", {true}));
    x_world.go_back(x_clean);
    x_clean = x_world.mark();
  }

 private:
  EvmWorld x_world;
  std::string x_clean;
};

/// That no chain uses now: to start one takes seconds.
std::vector<std::unique_ptr<CleanNode>>& idle_nodes() {
  static std::vector<std::unique_ptr<CleanNode>> nodes;
  return nodes;
}

std::unique_ptr<CleanNode> take_node() {
  if (idle_nodes().empty()) return std::make_unique<CleanNode>();
  std::unique_ptr<CleanNode> node = std::move(idle_nodes().back());
  idle_nodes().pop_back();
  node->clean();
  return node;
}

/// Makes blocks, whether there is something for them or not.
class Miner {
 public:
  explicit Miner(const std::string& url)
      : x_rpc(chain::rpc_client(url)), x_thread([this](const std::stop_token& stop) {
          for (; !stop.stop_requested(); std::this_thread::sleep_for(kBlockTime))
            static_cast<void>(x_rpc.call("evm_mine", {}));
        }) {
    static_cast<void>(chain::rpc_client(url).call("evm_setAutomine", {false}));
  }

 private:
  static constexpr std::chrono::milliseconds kBlockTime{5};

  chain::RpcClient x_rpc;
  std::jthread x_thread;
};

class ChainOnANode final : public TestChain {
 public:
  ChainOnANode(const fs::path& folder, const std::vector<proof::Address>& rich, proof::Wei each,
               std::uint64_t confirmations)
      : x_cache(folder / "derived"),
        x_confirmations(confirmations),
        x_node(take_node()),
        x_counted(number_of_latest()) {
    for (const proof::Address& account : rich) x_node->world().give(account, each);
    // NOLINTBEGIN(concurrency-mt-unsafe): no other thread reads them
    ::setenv("TALLY_CACHE", x_cache.c_str(), 1);
    ::setenv("TALLY_CONFIRMATIONS", std::to_string(confirmations).c_str(), 1);
    // NOLINTEND(concurrency-mt-unsafe)
  }
  ~ChainOnANode() override {
    x_miner.reset();
    idle_nodes().push_back(std::move(x_node));
  }
  ChainOnANode(const ChainOnANode&) = delete;
  ChainOnANode& operator=(const ChainOnANode&) = delete;
  /// From now on blocks are made all the time, and not for each transaction.
  void make_blocks() { x_miner.emplace(where()); }

  [[nodiscard]] std::string where() const override { return x_node->world().anvil().url(); }
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() override {
    return x_node->world().open(x_confirmations, x_cache);
  }
  void advance(std::uint64_t seconds) override {
    const std::uint64_t time_s = chain::number_of(latest().at("timestamp")) + seconds;
    static_cast<void>(x_node->rpc().call("evm_setNextBlockTimestamp", {time_s}));
    x_node->world().mine(1);
  }
  void catch_up() override {
    for (const std::uint64_t last = number_of_latest(); number_of_latest() < last + x_confirmations;)
      std::this_thread::yield();
  }
  [[nodiscard]] proof::Wei fees(const proof::Address& account) override {
    for (const std::uint64_t last = number_of_latest(); x_counted < last;) {
      const json::value receipts = x_node->rpc().call("eth_getBlockReceipts", {chain::quantity(++x_counted)});
      for (const json::value& receipt : receipts.as_array()) {
        x_fees[chain::address_of(receipt.at("from"))].value +=
            chain::number_of(receipt.at("gasUsed")) * chain::number_of(receipt.at("effectiveGasPrice"));
      }
    }
    return x_fees[account];
  }
  void mark() override { x_mark = x_node->world().mark(); }
  void go_back() override {
    x_node->world().go_back(x_mark);
    x_counted = number_of_latest();
  }

 private:
  [[nodiscard]] json::value latest() { return x_node->rpc().call("eth_getBlockByNumber", {"latest", false}); }
  [[nodiscard]] std::uint64_t number_of_latest() { return chain::number_of(latest().at("number")); }

  fs::path x_cache;
  std::uint64_t x_confirmations;
  std::unique_ptr<CleanNode> x_node;
  std::optional<Miner> x_miner;
  std::uint64_t x_counted;  // the last block whose fees are counted
  std::map<proof::Address, proof::Wei> x_fees;
  std::string x_mark;
};

std::string chosen() {
  const char* const given = std::getenv("TALLY_TEST_CHAIN");  // NOLINT(concurrency-mt-unsafe): nothing changes it
  const std::string name = given == nullptr ? "file" : given;
  if (name != "file" && name != "evm" && name != "slow") throw std::invalid_argument("TALLY_TEST_CHAIN=" + name);
  return name;
}

}  // namespace

bool on_evm() { return chosen() != "file"; }

std::shared_ptr<TestChain> make_test_chain(const fs::path& folder, const std::vector<proof::Address>& rich,
                                           proof::Wei each) {
  if (chosen() == "slow") return make_slow_chain(folder, rich, each);
  if (chosen() == "evm") return std::make_shared<ChainOnANode>(folder, rich, each, 0);
  return std::make_shared<ChainInAFile>(folder, rich, each);
}

std::shared_ptr<TestChain> make_slow_chain(const fs::path& folder, const std::vector<proof::Address>& rich,
                                           proof::Wei each) {
  auto chain = std::make_shared<ChainOnANode>(folder, rich, each, kSlowConfirmations);
  chain->make_blocks();
  return chain;
}

}  // namespace tally::test
