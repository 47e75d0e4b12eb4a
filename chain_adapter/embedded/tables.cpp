#include "chain_adapter/embedded/tables.h"

#include <array>
#include <string>

#include "chain_adapter/chain/wei_text.h"

namespace tally::chain {

namespace {

constexpr std::string_view kOwnTables = R"sql(
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  chain_id INTEGER NOT NULL,
  contract BLOB NOT NULL,
  clock INTEGER NOT NULL CHECK (clock IN (1, 2)),  -- 1: the host's, 2: driven
  base_fee TEXT NOT NULL
);
CREATE TABLE genesis (address BLOB PRIMARY KEY, balance TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (address BLOB PRIMARY KEY, balance TEXT NOT NULL, nonce INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE transactions (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  block INTEGER NOT NULL,
  position INTEGER NOT NULL,
  first_event INTEGER NOT NULL,
  events INTEGER NOT NULL,
  sender BLOB NOT NULL,
  nonce INTEGER NOT NULL,
  kind TEXT NOT NULL,
  bytes BLOB NOT NULL
);
)sql";

constexpr std::string_view kTransactionColumns =
    "SELECT number, id, block, position, first_event, events, sender, nonce, kind, bytes FROM transactions ";

StoredTransaction transaction_of(const Rows& rows) {
  return {.number = rows.natural(0),
          .id = {fixed<proof::Digest>(rows, 1)},
          .block = rows.natural(2),
          .position = rows.natural(3),
          .first_event = rows.natural(4),
          .events = rows.natural(5),
          .sender = fixed<proof::Address>(rows, 6),
          .nonce = rows.natural(7),
          .kind = rows.text(8),
          .bytes = rows.blob(9)};
}

}  // namespace

const DatabaseSchema& embedded_schema() {
  static const std::string kTables = std::string(kOwnTables) + std::string(ledger_tables_sql());
  static const std::array<std::string_view, 1> kMigrations = {kTables};
  static const DatabaseSchema kSchema = {
      .kind = "embedded chain",
      .how_to_make = "`tally chain init FILE` makes one (the URL of a node begins with http:// or https://)",
      .application_id = 0x5461'6c79,  // "Taly"
      .migrations = kMigrations};
  return kSchema;
}

void write_genesis(Database& database, const Genesis& genesis) {
  const Block block = genesis_block(genesis);
  Statement(database, "INSERT INTO meta VALUES (1, ?, ?, ?, ?)")
      .run(genesis.chain_id, contract_address(block).bytes, static_cast<int>(genesis.clock), to_text(genesis.base_fee));
  Statement funded(database, "INSERT INTO genesis VALUES (?, ?)");
  for (const GenesisAccount& account : genesis.accounts) funded.run(account.address.bytes, to_text(account.balance));
  Tables tables(database);
  for (const GenesisAccount& account : genesis.accounts) tables.write(account.address, {.balance = account.balance});
  tables.append(block);
}

Tables::Tables(Database& database)
    : LedgerTables(database, "restore a backup"),
      x_read_account(database, "SELECT balance, nonce FROM accounts WHERE address = ?"),
      x_write_account(database, "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)"),
      x_append_transaction(database, "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      x_find_transaction(database, std::string(kTransactionColumns) + "WHERE id = ?") {}

Genesis Tables::genesis() {
  Statement meta(database(), "SELECT chain_id, clock, base_fee, time FROM meta, blocks WHERE number = 0");
  Genesis genesis;
  {
    Rows rows = meta.query();
    if (!rows.next()) damaged("no genesis block");
    genesis.chain_id = rows.natural(0);
    const std::uint64_t clock = rows.natural(1);
    genesis.clock = clock == static_cast<std::uint64_t>(Clock::kWall) ? Clock::kWall : Clock::kDriven;
    if (clock != static_cast<std::uint64_t>(genesis.clock)) damaged("a clock of kind " + std::to_string(clock));
    genesis.base_fee = wei(rows, 2);
    genesis.time_s = rows.natural(3);
  }
  Statement accounts(database(), "SELECT address, balance FROM genesis ORDER BY address");
  Rows rows = accounts.query();
  while (rows.next()) genesis.accounts.push_back({fixed<proof::Address>(rows, 0), wei(rows, 1)});
  return genesis;
}

Account Tables::account(const proof::Address& address) {
  Rows rows = x_read_account.query(address.bytes);
  if (!rows.next()) return {};
  return {.balance = wei(rows, 0), .nonce = rows.natural(1)};
}

void Tables::write(const proof::Address& address, const Account& account) {
  x_write_account.run(address.bytes, to_text(account.balance), account.nonce);
}

std::vector<StoredAccount> Tables::accounts() {
  Statement all(database(), "SELECT address, balance, nonce FROM accounts ORDER BY address");
  Rows rows = all.query();
  std::vector<StoredAccount> accounts;
  while (rows.next()) {
    accounts.push_back({fixed<proof::Address>(rows, 0), {.balance = wei(rows, 1), .nonce = rows.natural(2)}});
  }
  return accounts;
}

void Tables::append(const StoredTransaction& transaction) {
  x_append_transaction.run(transaction.number, transaction.id.digest.bytes, transaction.block, transaction.position,
                           transaction.first_event, transaction.events, transaction.sender.bytes, transaction.nonce,
                           transaction.kind, transaction.bytes);
}

bool Tables::find(const TransactionId& id, const std::function<void(const StoredTransaction&)>& visit) {
  Rows rows = x_find_transaction.query(id.digest.bytes);
  if (!rows.next()) return false;
  visit(transaction_of(rows));
  return true;
}

void Tables::each_transaction(const std::function<void(const StoredTransaction&)>& visit) {
  Statement all(database(), std::string(kTransactionColumns) + "ORDER BY number");
  Rows rows = all.query();
  while (rows.next()) visit(transaction_of(rows));
}

proof::Wei Tables::wei(const Rows& rows, int column) const {
  const auto amount = parse_wei(rows.text(column));
  if (!amount) damaged(std::string(rows.text(column)) + ": " + amount.error());
  return *amount;
}

}  // namespace tally::chain
