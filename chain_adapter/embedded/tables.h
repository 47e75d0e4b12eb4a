// What the embedded chain keeps in its file, table by table. Nothing here knows the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/embedded/block.h"
#include "chain_adapter/sqlite/database.h"
#include "fraud_proof/settlement/state.h"

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

struct StoredEvent {
  std::uint64_t position = 0;
  std::uint64_t transaction = 0;
  std::string_view kind{};  // for people who look into the file
  math::Bytes bytes{};
};

/// Fills the tables of a new file.
void write_genesis(Database& database, const Genesis& genesis);

class Tables final : public proof::StateReader {
 public:
  explicit Tables(Database& database);

  [[nodiscard]] Genesis genesis();
  [[nodiscard]] Block head();
  [[nodiscard]] std::optional<Block> block(std::uint64_t number);
  void append(const Block& block);

  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;
  void write(math::Bytes key, math::Bytes record);
  void each_record(const std::function<void(math::Bytes key, math::Bytes record)>& visit);

  [[nodiscard]] Account account(const proof::Address& address);
  void write(const proof::Address& address, const Account& account);
  /// Ascending by address.
  [[nodiscard]] std::vector<StoredAccount> accounts();

  [[nodiscard]] std::uint64_t transaction_count();
  void append(const StoredTransaction& transaction);
  /// What `visit` is given ends with the call; false where there is none.
  bool find(const TransactionId& id, const std::function<void(const StoredTransaction&)>& visit);
  void each_transaction(const std::function<void(const StoredTransaction&)>& visit);

  [[nodiscard]] std::uint64_t event_count();
  void append(const StoredEvent& event);
  [[nodiscard]] std::vector<LoggedEvent> events(std::uint64_t from, std::uint64_t limit);

  /// Something that was never written so.
  [[noreturn]] void damaged(const std::string& what) const;

 private:
  [[nodiscard]] proof::Wei wei(const Rows& rows, int column) const;

  Database& x_database;
  mutable Statement x_read_record;
  Statement x_write_record;
  Statement x_head;
  Statement x_block;
  Statement x_append_block;
  Statement x_read_account;
  Statement x_write_account;
  Statement x_transaction_count;
  Statement x_append_transaction;
  Statement x_find_transaction;
  Statement x_event_count;
  Statement x_append_event;
  Statement x_events;
};

}  // namespace tally::chain
