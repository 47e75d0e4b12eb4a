// A real EVM node for tests: anvil, on a free port of the loopback interface, for as long as the object lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/evm/rpc_client.h"
#include "chain_adapter/evm/rpc_values.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/signing/address.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tally::test {

/// What a node keeps of the states after earlier blocks. Many blocks take long where it is all.
enum class History : std::uint8_t { kAll, kLatest };

class Anvil {
 public:
  /// Throws where anvil is not there (chain_adapter/evm: npm ci) or does not start. The gas limit of its blocks, and so
  /// of a call, is far above any real chain's: tests ask many things at once.
  explicit Anvil(History history = History::kAll);

  [[nodiscard]] const std::string& url() const { return x_url; }
  [[nodiscard]] chain::RpcClient& rpc() { return x_rpc; }

  /// From the first of the node's own accounts; gives the contract's address.
  [[nodiscard]] proof::Address deploy(math::Bytes bytecode);
  /// The receipt of a transaction, once it is in a block.
  [[nodiscard]] boost::json::value receipt(const boost::json::value& transaction);
  [[nodiscard]] boost::json::value snapshot();
  /// Back to what was there then, which can be done once.
  void go_back_to(const boost::json::value& snapshot);

 private:
  TemporaryFolder x_states;  // of blocks gone by, which it keeps on disk and leaves there
  Process x_process;
  std::string x_url;
  chain::RpcClient x_rpc;
};

/// The node's program. Throws as Anvil does.
[[nodiscard]] std::filesystem::path anvil_program();

/// What makes a contract of the tests' own.
[[nodiscard]] std::vector<std::uint8_t> test_contract(std::string_view name);

using chain::bytes_of;
using chain::quantity;

}  // namespace tally::test
