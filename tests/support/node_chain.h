// An EVM chain of a test's own for parties that reach its node on ways of the test's making, with as many confirmations
// as the test says (tests/support/test_chain.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/evm/rpc_client.h"
#include "tests/support/evm_world.h"
#include "tests/support/test_chain.h"

namespace tally::test {

class NodeChain final : public TestChain {
 public:
  /// Of a client that is opened; absent: straight to the node.
  using Way = std::function<chain::RpcClient(const std::string& url)>;

  explicit NodeChain(std::uint64_t confirmations = 0, Way way = {});

  [[nodiscard]] EvmWorld& world() { return x_world; }
  /// Goes on while what waits gets into a block and that is taken for final.
  void confirm() { x_world.mine(x_confirmations + 1); }

  [[nodiscard]] std::string where() const override { return x_world.anvil().url(); }
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() override;
  void advance(std::uint64_t seconds) override;
  /// Not counted.
  [[nodiscard]] proof::Wei fees(const proof::Address& /*account*/) override { return {}; }
  void mark() override { x_mark = x_world.mark(); }
  void go_back() override { x_world.go_back(x_mark); }

  /// Transactions to the settlement that are in blocks: those that it took, and all.
  struct Count {
    std::uint64_t taken = 0;
    std::uint64_t all = 0;
    bool operator==(const Count&) const = default;
  };
  [[nodiscard]] Count count();

 private:
  std::uint64_t x_confirmations;
  Way x_way;
  mutable EvmWorld x_world;
  std::string x_mark;
};

}  // namespace tally::test
