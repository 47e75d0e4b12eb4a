// The contracts on a node, asked everything that a MemoryChain is asked: at the same block number, time and base fee,
// by the same senders, under the same chain id and contract address. Results, reasons, events and what the contract
// holds must be equal; a difference is a failure of the test that runs.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/anvil.h"
#include "tests/support/memory_chain.h"

namespace tally::test {

class EvmMirror final : public ChainWatcher {
 public:
  EvmMirror();

  /// Forgets all that it was asked.
  void reset();
  [[nodiscard]] std::uint64_t block() const { return x_block; }
  [[nodiscard]] std::uint64_t time_s() const { return x_time_s; }

  /// What tests do there for themselves is not compared, and nothing can be after it.
  [[nodiscard]] Anvil& node() { return x_anvil; }

  /// From now on whatever is taken, and of whose kind (of transaction, move or proof) `kinds` has none yet, is tried
  /// with less and less gas before: it happens as a whole, or not at all.
  void starve(std::set<std::string>& kinds) { x_starved = &kinds; }

  void watch(Asked asked, const proof::StateReader& state, const proof::BlockContext& block,
             const proof::Message& message, const proof::OrRefused<proof::Effects>& result) override;
  [[nodiscard]] proof::Digest block_hash(std::uint64_t number) override;

  /// What the contract says to these bytes and headers, from anyone, without money; "taken" where it takes them.
  [[nodiscard]] std::string refusal_of(math::Bytes transaction, std::span<const proof::BatchHeader> shown = {},
                                       const std::optional<proof::Digest>& seed = std::nullopt,
                                       const proof::Wei& value = {});
  /// What it says where it refuses for this reason.
  [[nodiscard]] static std::string error_of(proof::Reason reason);

  [[nodiscard]] std::uint64_t compared() const { return x_compared; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& refusals() const { return x_refusals; }
  /// Gas of each kind of transaction: the most, and how many.
  struct Gas {
    std::uint64_t most = 0;
    std::uint64_t count = 0;
  };
  [[nodiscard]] const std::map<std::string, Gas>& gas() const { return x_gas; }

  /// The block that comes next, for machines that are driven without a MemoryChain.
  [[nodiscard]] proof::BlockContext next_block() const;

 private:
  void deploy();
  void begin();
  void mine_to(std::uint64_t number);
  /// Of a message, with the headers that it needs.
  enum class Form : std::uint8_t { kShort, kWhole };
  [[nodiscard]] std::string data_of(const proof::StateReader& state, const proof::Message& message, Form form) const;
  void simulate(const std::string& data, const proof::BlockContext& block, const proof::Message& message,
                const proof::OrRefused<proof::Effects>& result);
  [[nodiscard]] std::string call(boost::json::array parameters);
  void send(const std::string& data, const proof::BlockContext& block, const proof::Message& message,
            const proof::Effects& effects);
  void starve(const std::string& data, const proof::BlockContext& block, const proof::Message& message,
              const proof::Effects& effects);
  [[nodiscard]] boost::json::value mine(const std::string& data, const proof::BlockContext& block,
                                        const proof::Message& message, std::uint64_t gas);
  /// Of a transaction that was taken, with events and money.
  void compare(const proof::Message& message, const proof::Effects& effects, const boost::json::value& receipt,
               const proof::Wei& held);
  void differ(const proof::Message& message, const std::string& what);

  Anvil x_anvil;
  std::string x_snapshot;
  std::uint64_t x_block = 0;
  std::uint64_t x_time_s = 0;
  proof::Wei x_held{};
  std::uint64_t x_compared = 0;
  std::set<std::string>* x_starved = nullptr;
  std::map<std::string, std::uint64_t> x_refusals;
  std::map<std::string, Gas> x_gas;
  std::map<proof::BatchId, proof::BatchHeader> x_headers;  // of all that was posted
};

/// For a chain in memory that begins where the node stands, and that this watches.
[[nodiscard]] MemoryChainOptions mirrored(const std::shared_ptr<EvmMirror>& mirror);

/// From now on every world's chain has a mirror: one node, or another where that is in use. It starves what it is sent.
/// A test fails of whose transactions none could be compared. Gives all that was starved, which grows as tests run.
[[nodiscard]] const std::set<std::string>& mirror_all_chains();

}  // namespace tally::test
