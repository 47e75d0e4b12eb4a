// A chain of a test's own, whose clock the test drives, with some rich accounts: a file of the embedded chain, or,
// where TALLY_TEST_CHAIN is "evm", the contracts on a node. Parties use it as processes would, each with a client of
// its own, so that one test tells of both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"

namespace tally::test {

class TestChain {
 public:
  virtual ~TestChain() = default;

  /// What stands behind --chain.
  [[nodiscard]] virtual std::string where() const = 0;
  /// A client as another process would be.
  [[nodiscard]] virtual std::unique_ptr<chain::ChainAdapter> open() = 0;
  /// Transactions from now on are that much later.
  virtual void advance(std::uint64_t seconds) = 0;
  /// Waits until clients are told of all that is in blocks.
  virtual void catch_up() {}
  /// What an account has paid for gas, of which the embedded chain takes none.
  [[nodiscard]] virtual proof::Wei fees(const proof::Address& account) = 0;
  /// What happens behind the mark is not there for clients that are opened after going back, which can be done once.
  virtual void mark() = 0;
  virtual void go_back() = 0;
};

inline constexpr proof::Wei kEther{math::u128{1'000'000'000'000'000'000}};
inline constexpr proof::Wei kWealth{100'000 * kEther.value};

/// Whether tests run on an EVM chain.
[[nodiscard]] bool on_evm();

/// Its files are in `folder`. Programs that are started find what they need of an EVM chain in TALLY_CACHE and
/// TALLY_CONFIRMATIONS.
[[nodiscard]] std::shared_ptr<TestChain> make_test_chain(const std::filesystem::path& folder,
                                                         const std::vector<proof::Address>& rich,
                                                         proof::Wei each = kWealth);

/// The slow one, whatever the environment says.
[[nodiscard]] std::shared_ptr<TestChain> make_slow_chain(const std::filesystem::path& folder,
                                                         const std::vector<proof::Address>& rich,
                                                         proof::Wei each = kWealth);

}  // namespace tally::test
