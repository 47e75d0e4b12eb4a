// An EVM chain for tests: a node, the settlement on it where `tally chain deploy` puts it, and accounts with money.
#pragma once

#include <filesystem>
#include <memory>

#include "chain_adapter/evm/evm_chain.h"
#include "fraud_proof/signing/secp256k1.h"
#include "tests/support/anvil.h"
#include "tests/support/temporary_folder.h"

namespace tally::test {

class EvmWorld {
 public:
  EvmWorld();

  [[nodiscard]] Anvil& anvil() { return x_anvil; }
  [[nodiscard]] chain::RpcClient& rpc() { return x_anvil.rpc(); }
  [[nodiscard]] std::filesystem::path cache() const { return x_folder.path(); }

  /// A client as another process would be: of the same files, unless it has a folder of its own.
  [[nodiscard]] std::unique_ptr<chain::EvmChain> open(std::uint64_t confirmations = 0,
                                                      const std::filesystem::path& cache = {});

  /// With any settings, but of this world's folder unless they name another.
  [[nodiscard]] std::unique_ptr<chain::EvmChain> open_with(chain::EvmSettings settings);

  void give(const proof::Address& account, const proof::Wei& amount);
  void mine(std::uint64_t blocks);
  /// Blocks only by mine(), and not for each transaction.
  void hold_blocks();
  /// The next block is so much later; it is made at once.
  void advance(std::uint64_t seconds);
  /// What happens behind a mark is taken back, blocks and all.
  [[nodiscard]] std::string mark();
  void go_back(const std::string& mark);

 private:
  TemporaryFolder x_folder;
  Anvil x_anvil;
};

}  // namespace tally::test
