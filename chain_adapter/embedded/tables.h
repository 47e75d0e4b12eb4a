// What the embedded chain keeps in its file, table by table: beside the ledger, accounts and signed transactions.
// Nothing here knows the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "chain_adapter/embedded/block.h"
#include "chain_adapter/ledger/ledger_tables.h"

namespace tally::chain {

[[nodiscard]] const DatabaseSchema& embedded_schema();

struct Account {
  proof::Wei balance{};
  std::uint64_t nonce = 0;
  bool operator==(const Account&) const = default;
};

struct StoredAccount {
  proof::Address address{};
  Account account{};
};

struct StoredTransaction {
  std::uint64_t number = 0;  // over all blocks, from 0
  TransactionId id{};
  std::uint64_t block = 0;
  std::uint64_t position = 0;  // in its block
  std::uint64_t first_event = 0;
  std::uint64_t events = 0;
  proof::Address sender{};
  std::uint64_t nonce = 0;
  std::string_view kind{};  // for people who look into the file
  math::Bytes bytes{};
};

/// Fills the tables of a new file.
void write_genesis(Database& database, const Genesis& genesis);

class Tables final : public LedgerTables {
 public:
  explicit Tables(Database& database);

  [[nodiscard]] Genesis genesis();

  using LedgerTables::append;
  using LedgerTables::write;

  [[nodiscard]] Account account(const proof::Address& address);
  void write(const proof::Address& address, const Account& account);
  /// Ascending by address.
  [[nodiscard]] std::vector<StoredAccount> accounts();

  void append(const StoredTransaction& transaction);
  /// What `visit` is given ends with the call; false where there is none.
  bool find(const TransactionId& id, const std::function<void(const StoredTransaction&)>& visit);
  void each_transaction(const std::function<void(const StoredTransaction&)>& visit);

 private:
  [[nodiscard]] proof::Wei wei(const Rows& rows, int column) const;

  Statement x_read_account;
  Statement x_write_account;
  Statement x_append_transaction;
  Statement x_find_transaction;
};

}  // namespace tally::chain
