// The file of what was derived from an EVM chain: a cache, which may be deleted at any time. Beside the ledger it keeps
// what it is of, the tasks that are left out, and how often it was begun anew.
//
// Positions of events are strictly ascending over all that. The n-th beginning gives positions from n · 2^40 on, so
// that a position never names another event than the one that it was given to: whoever comes back with one finds that
// it is gone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chain_adapter/evm/derivation.h"
#include "chain_adapter/ledger/ledger_tables.h"

namespace tally::chain {

[[nodiscard]] const DatabaseSchema& derived_schema();

/// Fills the tables of a new file; `start` is a block before the first event.
void begin_derived(Database& database, const ChainIdentity& identity, const Block& start);

class DerivedTables final : public LedgerTables, public LeftOut {
 public:
  explicit DerivedTables(Database& database);

  /// Throws DatabaseError (kForeign) where the file is of another chain or contract.
  void expect(const ChainIdentity& identity);

  using LedgerTables::append;

  /// What a call did, as the next transaction. Its block is there already.
  void append(const SettlementCall& call, const proof::Effects& effects);
  /// Forgets a block that no transaction is in.
  void forget_if_empty(const Block& block);
  /// Forgets all.
  void begin_anew(const Block& start);

  /// Of a transaction, in order; absent where it is not in this block.
  [[nodiscard]] std::optional<std::vector<proof::Event>> events_of(const TransactionId& transaction,
                                                                   std::uint64_t block);
  /// Of a batch that was posted.
  [[nodiscard]] std::optional<proof::BatchHeader> header(const proof::BatchId& batch);

  [[nodiscard]] bool any() const override;
  [[nodiscard]] bool has(const proof::TaskId& task) const override;
  void add(const proof::TaskId& task) override;

 private:
  [[nodiscard]] std::uint64_t next_position();

  Statement x_append_transaction;
  Statement x_forget_block;
  mutable Statement x_find_left_out;
  Statement x_leave_out;
  Statement x_find_header;
  Statement x_append_header;
  Statement x_events_of;
};

}  // namespace tally::chain
