// A chain in memory: the settlement machine over a map, accounts, a clock that only the test moves, and the interface
// that daemons see. Every transaction stands in a block of its own, made when it is sent; nothing is ever pending.
//
// After each transaction it asserts that what the settlement holds is what its records say, summed over all of them,
// and that an event tells of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::test {

class MemoryState final : public proof::StateReader {
 public:
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;
  void write(const proof::Effects& effects);
  /// Over all records.
  [[nodiscard]] proof::Wei money() const;
  [[nodiscard]] const std::map<std::string, std::vector<std::uint8_t>>& records() const { return x_records; }

 private:
  std::map<std::string, std::vector<std::uint8_t>> x_records;
};

/// Sees everything that is asked of a MemoryChain: another chain may be asked the same.
class ChainWatcher {
 public:
  enum class Asked : std::uint8_t { kSimulate, kSend };

  virtual ~ChainWatcher() = default;
  /// `state` is that before it.
  virtual void watch(Asked asked, const proof::StateReader& state, const proof::BlockContext& block,
                     const proof::Message& message, const proof::OrRefused<proof::Effects>& result) = 0;
  /// Of an earlier block, before that of the next transaction.
  [[nodiscard]] virtual proof::Digest block_hash(std::uint64_t number) = 0;
};

struct MemoryChainOptions {
  std::uint64_t chain_id = 31'337;
  proof::Address contract = {.bytes = {0x7a}};
  proof::Wei base_fee{1'000'000'000};
  std::uint64_t start_s = 1'700'000'000;
  std::uint64_t start_block = 1;
  std::shared_ptr<ChainWatcher> watcher{};
};

/// Makes the options of a world's chain where its test gives none: the tests of the contracts put a node beside each.
[[nodiscard]] std::function<MemoryChainOptions()>& default_chain();

class MemoryChain final : public chain::ChainAdapter {
 public:
  /// All that has happened on a chain.
  struct History {
    MemoryState state{};
    std::map<proof::Address, proof::Wei> accounts{};
    proof::Wei held{};
    std::uint64_t block = 0;
    std::uint64_t time_s = 0;
    std::uint64_t transactions = 0;
    std::vector<chain::LoggedEvent> events{};
    std::map<chain::TransactionId, chain::TransactionFate> fates{};
  };

  explicit MemoryChain(const MemoryChainOptions& options = {});

  [[nodiscard]] const History& history() const { return x_history; }
  /// Goes back to what it was; only programs that were validated since are still known.
  void restore(const History& history) { x_history = history; }

  [[nodiscard]] chain::ChainIdentity identity() override;
  [[nodiscard]] chain::Head head() override;
  [[nodiscard]] chain::TransactionId submit(const chain::Submission& submission) override;
  [[nodiscard]] chain::TransactionFate fate(const chain::TransactionId& transaction) override;
  [[nodiscard]] std::vector<chain::LoggedEvent> events(std::uint64_t from, std::size_t limit) override;
  [[nodiscard]] const proof::StateReader& state() override { return x_history.state; }
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override;

  /// Money from nowhere.
  void give(const proof::Address& account, const proof::Wei& amount);
  /// The blocks from now on are that much later.
  void advance(std::uint64_t seconds) { x_history.time_s += seconds; }
  /// Empty blocks.
  void mine(std::uint64_t blocks) { x_history.block += blocks; }

  /// Sends on behalf of an address, whose key is not needed. A refused transaction leaves no trace.
  proof::OrRefused<proof::Effects> send(const proof::Address& sender, const proof::Wei& value,
                                        const proof::Transaction& transaction);
  /// What sending would do, without doing it. Says nothing of the sender's funds.
  [[nodiscard]] proof::OrRefused<proof::Effects> simulate(const proof::Address& sender, const proof::Wei& value,
                                                          const proof::Transaction& transaction);

  [[nodiscard]] proof::BlockContext next_block() const;
  [[nodiscard]] proof::Settlement& settlement() { return x_settlement; }
  [[nodiscard]] const MemoryState& records() const { return x_history.state; }
  /// What the settlement holds.
  [[nodiscard]] proof::Wei held() const { return x_history.held; }

 private:
  proof::OrRefused<proof::Effects> ask(ChainWatcher::Asked asked, const proof::Address& sender, const proof::Wei& value,
                                       const proof::Transaction& transaction);
  chain::TransactionId next_id(const proof::Address& sender);
  proof::OrRefused<proof::Effects> execute(const chain::TransactionId& id, const proof::Address& sender,
                                           const proof::Wei& value, const proof::Transaction& transaction);

  MemoryChainOptions x_options;
  History x_history;
  proof::Settlement x_settlement;
};

}  // namespace tally::test
