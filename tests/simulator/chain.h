// A chain with blocks at a steady pace, a mempool, and reorganisations of bounded depth, in virtual time. The
// settlement is the product's; everything else here is a double: accounts, no signatures, no gas, and no nonces, so
// that even transactions of one sender overtake each other and come twice.
//
// Every slot has a block; those without transactions are not stored. A reorganisation takes blocks back: their
// transactions, refused ones too, go back to the mempool or vanish, and the slots get other blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "fraud_proof/settlement/settlement.h"
#include "tests/simulator/random.h"

namespace tally::simulator {

/// By key.
using Records = std::map<std::string, std::vector<std::uint8_t>, std::less<>>;

/// What a simulation begins with, and never changes: the tasks, and their members.
struct Genesis {
  chain::ChainIdentity identity{};
  std::uint64_t start_s = 0;
  std::uint64_t block = 0;
  proof::Wei base_fee{};
  Records records;
  proof::Wei held{};
};

struct PendingTransaction {
  chain::TransactionId id{};
  proof::Address sender{};
  proof::Wei value{};
  std::shared_ptr<const proof::Transaction> transaction;
  std::uint64_t ready_s = 0;  // not in a block before
  bool goes_first = false;    // its sender pays for the first place
  unsigned passed_over = 0;
};

class Chain {
 public:
  struct Executed {
    const PendingTransaction& transaction;
    std::uint64_t time_s;
    /// Null: refused.
    const proof::Effects* effects;
    const proof::ChainRefusal* refusal;
  };

  Chain(const Genesis& genesis, proof::Settlement& settlement, Random& random, std::uint64_t slot_s);

  void give(const proof::Address& account, const proof::Wei& amount) { x_accounts[account].value += amount.value; }
  [[nodiscard]] proof::Wei balance(const proof::Address& account) const;
  [[nodiscard]] const std::map<proof::Address, proof::Wei>& accounts() const { return x_accounts; }
  [[nodiscard]] proof::Wei held() const { return x_held; }

  [[nodiscard]] const Genesis& genesis() const { return x_genesis; }
  [[nodiscard]] std::uint64_t slot_s() const { return x_slot_s; }
  /// Slots count from the genesis.
  [[nodiscard]] std::uint64_t slot_at(std::uint64_t time_s) const { return (time_s - x_genesis.start_s) / x_slot_s; }
  [[nodiscard]] std::uint64_t time_of(std::uint64_t slot) const { return x_genesis.start_s + slot * x_slot_s; }

  [[nodiscard]] chain::TransactionId new_id();
  void submit(PendingTransaction transaction) { x_mempool.push_back(std::move(transaction)); }
  [[nodiscard]] bool mempool_is_empty() const { return x_mempool.empty(); }
  /// The block of a slot, later than that of every other block: of what is ready, most, in any order.
  void mine(std::uint64_t slot, const std::function<void(const Executed&)>& visit);
  struct TakenBack {
    std::uint64_t blocks = 0;
    std::uint64_t vanished = 0;  // transactions that come in no other block
  };
  /// The blocks of the last `depth` slots up to `slot` are made anew.
  TakenBack reorganise(std::uint64_t slot, std::uint64_t depth, const std::function<void(const Executed&)>& visit);

  [[nodiscard]] chain::TransactionFate fate(const chain::TransactionId& id) const;
  [[nodiscard]] const std::vector<chain::LoggedEvent>& log() const { return x_log; }
  /// Of the log, what stands in blocks up to that slot.
  [[nodiscard]] std::size_t events_until(std::uint64_t slot) const;

  /// All that there are at the tip.
  [[nodiscard]] Records records() const;
  /// Null: no such record. As of the end of a slot.
  [[nodiscard]] const std::vector<std::uint8_t>* record(std::string_view key, std::uint64_t slot) const;

 private:
  struct Block {
    std::uint64_t slot = 0;
    std::vector<PendingTransaction> transactions;
    Records::size_type log_before = 0;
    std::map<std::string, std::optional<std::vector<std::uint8_t>>, std::less<>> records_before;
    std::map<proof::Address, proof::Wei> accounts_before;
    proof::Wei held_before{};
  };

  [[nodiscard]] const std::vector<std::uint8_t>* tip_record(std::string_view key) const;
  [[nodiscard]] proof::BlockContext context(std::uint64_t slot) const;
  [[nodiscard]] std::vector<PendingTransaction> choose(std::uint64_t time_s);
  void execute(Block& block, const PendingTransaction& pending, const std::function<void(const Executed&)>& visit);
  [[nodiscard]] proof::OrRefused<proof::Effects> apply(const Block& block, const PendingTransaction& pending);
  void commit(Block& block, const PendingTransaction& pending, const proof::Effects& effects);
  void set_account(Block& block, const proof::Address& account, const proof::Wei& amount);
  [[nodiscard]] std::uint64_t undo(Block& block);

  const Genesis& x_genesis;
  proof::Settlement& x_settlement;
  Random& x_random;
  std::uint64_t x_slot_s;
  Records x_records;  // that changed since the genesis
  std::map<proof::Address, proof::Wei> x_accounts;
  proof::Wei x_held{};
  std::vector<PendingTransaction> x_mempool;
  std::vector<Block> x_blocks;
  std::vector<chain::LoggedEvent> x_log;
  std::map<chain::TransactionId, chain::TransactionFate> x_fates;
  std::uint64_t x_ids = 0;
};

/// Of a chain, as of the end of a slot.
class StateAt final : public proof::StateReader {
 public:
  StateAt(const Chain& chain, std::uint64_t slot) : x_chain(chain), x_slot(slot) {}
  void set_slot(std::uint64_t slot) { x_slot = slot; }
  [[nodiscard]] std::uint64_t slot() const { return x_slot; }
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;

 private:
  const Chain& x_chain;
  std::uint64_t x_slot;
};

}  // namespace tally::simulator
