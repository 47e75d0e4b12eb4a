// What a file keeps of a settlement, whatever chain it is on: its records, its events with their positions, and the
// blocks and transactions that they are of. Nothing here knows the rules.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/ledger/block.h"
#include "chain_adapter/sqlite/database.h"
#include "fraud_proof/settlement/state.h"

namespace tally::chain {

/// SQL that makes the tables, but that of transactions, which each file gives columns of its own beside `number`, `id`
/// and `block`.
[[nodiscard]] std::string_view ledger_tables_sql();

struct StoredEvent {
  std::uint64_t position = 0;
  std::uint64_t transaction = 0;
  std::string_view kind{};  // for people who look into the file
  math::Bytes bytes{};
};

class LedgerTables : public proof::StateReader {
 public:
  /// What the message of a damaged file says is to be done.
  LedgerTables(Database& database, std::string_view remedy);

  /// The last block.
  [[nodiscard]] Block head();
  [[nodiscard]] std::optional<Block> block(std::uint64_t number);
  void append(const Block& block);

  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;
  void write(math::Bytes key, math::Bytes record);
  void each_record(const std::function<void(math::Bytes key, math::Bytes record)>& visit);

  [[nodiscard]] std::uint64_t transaction_count();

  /// Behind the last.
  [[nodiscard]] std::uint64_t next_event();
  void append(const StoredEvent& event);
  [[nodiscard]] std::vector<LoggedEvent> events(std::uint64_t from, std::uint64_t limit);

  /// Something that was never written so.
  [[noreturn]] void damaged(const std::string& what) const;

 protected:
  [[nodiscard]] Database& database() const { return x_database; }

 private:
  Database& x_database;
  std::string_view x_remedy;
  mutable Statement x_read_record;
  Statement x_write_record;
  Statement x_head;
  Statement x_block;
  Statement x_append_block;
  Statement x_transaction_count;
  Statement x_next_event;
  Statement x_append_event;
  Statement x_events;
};

/// A column of bytes of a fixed size.
template <class Fixed>
[[nodiscard]] Fixed fixed(const Rows& rows, int column) {
  Fixed value;
  const math::Bytes bytes = rows.blob(column, value.bytes.size());
  std::ranges::copy(bytes, value.bytes.begin());
  return value;
}

}  // namespace tally::chain
