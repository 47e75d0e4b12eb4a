// One block in the making: transactions are applied one after another, each on what those before it left, and the whole
// is then appended to the tables. The caller holds the database's write transaction from before the first call to after
// the last.
#pragma once

#include <map>
#include <vector>

#include "chain_adapter/embedded/block.h"
#include "chain_adapter/embedded/signed_transaction.h"
#include "chain_adapter/embedded/tables.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::chain {

/// A signed transaction that was decoded, and whose signature was checked.
struct Arrived {
  SignedTransaction envelope{};
  std::vector<std::uint8_t> bytes{};
  proof::Address sender{};
  proof::Transaction transaction{};
};

/// Everything that can be refused without looking at the chain: kMalformed, kWrongChain, kBadSignature.
[[nodiscard]] proof::OrRefused<Arrived> arrive(const ChainIdentity& chain, math::Bytes signed_transaction);

class BlockBuilder {
 public:
  struct Settings {
    ChainIdentity chain{};
    proof::Wei base_fee{};
    std::uint64_t time_s = 0;
  };
  BlockBuilder(Tables& tables, proof::Settlement& machine, const Settings& settings);

  [[nodiscard]] Account& account(const proof::Address& address);

  /// kWrongNonce, kInsufficientFunds, and what the settlement refuses.
  [[nodiscard]] TransactionFate apply(const Arrived& arrived);

  [[nodiscard]] bool empty() const { return x_ids.empty(); }
  /// Writes what is not written yet. Nothing may be applied afterwards.
  void finish();

 private:
  [[nodiscard]] proof::OrRefused<proof::Effects> run(const Arrived& arrived);
  void move_money(const proof::Address& from, const proof::Address& to, const proof::Wei& amount);
  void store(const Arrived& arrived, const TransactionId& id, const proof::Effects& effects);

  Tables& x_tables;
  proof::Settlement& x_machine;
  Settings x_settings;
  Block x_parent;
  proof::BlockContext x_context;
  std::map<proof::Address, Account> x_accounts;
  std::vector<TransactionId> x_ids;
  std::uint64_t x_next_transaction;
  std::uint64_t x_next_event;
};

}  // namespace tally::chain
