// The chain of the demonstration, on a clock that moves when it is told to: an embedded one in a file, or an EVM chain
// on a development node of its own, which runs as long as the object lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/embedded/block.h"

namespace tally::cli {

class DemoChain {
 public:
  virtual ~DemoChain() = default;
  [[nodiscard]] virtual chain::ChainAdapter& adapter() = 0;
  virtual void advance(std::uint64_t seconds) = 0;
  /// "in FOLDER/chain.db", "on a node at …".
  [[nodiscard]] virtual std::string place() const = 0;
  /// What --chain takes, once the demonstration is over.
  [[nodiscard]] virtual std::string argument() const = 0;
  /// How to look into the chain then: commands, one a line.
  [[nodiscard]] virtual std::string how_to_look() const = 0;
};

struct DemoChainSettings {
  std::filesystem::path folder;
  std::uint64_t start_s = 0;
  /// Ascending by address.
  std::span<const chain::GenesisAccount> accounts;
};

[[nodiscard]] std::unique_ptr<DemoChain> embedded_demo_chain(const DemoChainSettings& settings);

/// Starts anvil: the program that TALLY_ANVIL names, else that of the PATH. A Failure says how to get it where there is
/// none. Gas is free there, so that what accounts win and lose is what the protocol says.
[[nodiscard]] std::unique_ptr<DemoChain> evm_demo_chain(const DemoChainSettings& settings);

}  // namespace tally::cli
