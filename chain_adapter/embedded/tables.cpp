#include "chain_adapter/embedded/tables.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "chain_adapter/chain/wei_text.h"

namespace tally::chain {

namespace {

constexpr std::array<std::string_view, 1> kMigrations = {R"sql(
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  chain_id INTEGER NOT NULL,
  contract BLOB NOT NULL,
  clock INTEGER NOT NULL CHECK (clock IN (1, 2)),  -- 1: the host's, 2: driven
  base_fee TEXT NOT NULL
);
CREATE TABLE genesis (address BLOB PRIMARY KEY, balance TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (address BLOB PRIMARY KEY, balance TEXT NOT NULL, nonce INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (
  number INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  parent BLOB NOT NULL,
  hash BLOB NOT NULL
);
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
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  transaction_number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  bytes BLOB NOT NULL
);
)sql"};

// "Taly"
constexpr DatabaseSchema kSchema = {"embedded chain", "`tally chain init FILE` makes one", 0x5461'6c79, kMigrations};

constexpr auto kMaxInteger = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

constexpr std::string_view kTransactionColumns =
    "SELECT number, id, block, position, first_event, events, sender, nonce, kind, bytes FROM transactions ";

template <class Fixed>
Fixed fixed(const Rows& rows, int column) {
  Fixed value;
  std::ranges::copy(rows.blob(column, value.bytes.size()), value.bytes.begin());
  return value;
}

Block block_of(const Rows& rows) {
  return {.number = rows.natural(0),
          .time_s = rows.natural(1),
          .parent = fixed<proof::Digest>(rows, 2),
          .hash = fixed<proof::Digest>(rows, 3)};
}

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

const DatabaseSchema& embedded_schema() { return kSchema; }

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
    : x_database(database),
      x_read_record(database, "SELECT record FROM records WHERE key = ?"),
      x_write_record(database, "INSERT OR REPLACE INTO records VALUES (?, ?)"),
      x_head(database, "SELECT number, time, parent, hash FROM blocks ORDER BY number DESC LIMIT 1"),
      x_block(database, "SELECT number, time, parent, hash FROM blocks WHERE number = ?"),
      x_append_block(database, "INSERT INTO blocks VALUES (?, ?, ?, ?)"),
      x_read_account(database, "SELECT balance, nonce FROM accounts WHERE address = ?"),
      x_write_account(database, "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)"),
      x_transaction_count(database, "SELECT ifnull(max(number) + 1, 0) FROM transactions"),
      x_append_transaction(database, "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      x_find_transaction(database, std::string(kTransactionColumns) + "WHERE id = ?"),
      x_event_count(database, "SELECT ifnull(max(position) + 1, 0) FROM events"),
      x_append_event(database, "INSERT INTO events VALUES (?, ?, ?, ?)"),
      x_events(database,
               "SELECT events.position, block, time, id, events.bytes FROM events "
               "JOIN transactions ON transactions.number = transaction_number "
               "JOIN blocks ON blocks.number = block WHERE events.position >= ? ORDER BY events.position LIMIT ?") {}

Genesis Tables::genesis() {
  Statement meta(x_database, "SELECT chain_id, clock, base_fee, time FROM meta, blocks WHERE number = 0");
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
  Statement accounts(x_database, "SELECT address, balance FROM genesis ORDER BY address");
  Rows rows = accounts.query();
  while (rows.next()) genesis.accounts.push_back({fixed<proof::Address>(rows, 0), wei(rows, 1)});
  return genesis;
}

Block Tables::head() {
  Rows rows = x_head.query();
  if (!rows.next()) damaged("no blocks");
  return block_of(rows);
}

std::optional<Block> Tables::block(std::uint64_t number) {
  if (number > kMaxInteger) return std::nullopt;
  Rows rows = x_block.query(number);
  return rows.next() ? std::optional(block_of(rows)) : std::nullopt;
}

void Tables::append(const Block& block) {
  x_append_block.run(block.number, block.time_s, block.parent.bytes, block.hash.bytes);
}

std::optional<std::vector<std::uint8_t>> Tables::read(math::Bytes key) const {
  Rows rows = x_read_record.query(key);
  if (!rows.next()) return std::nullopt;
  const math::Bytes record = rows.blob(0);
  return std::vector<std::uint8_t>(record.begin(), record.end());
}

void Tables::write(math::Bytes key, math::Bytes record) { x_write_record.run(key, record); }

void Tables::each_record(const std::function<void(math::Bytes, math::Bytes)>& visit) {
  Statement all(x_database, "SELECT key, record FROM records ORDER BY key");
  Rows rows = all.query();
  while (rows.next()) visit(rows.blob(0), rows.blob(1));
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
  Statement all(x_database, "SELECT address, balance, nonce FROM accounts ORDER BY address");
  Rows rows = all.query();
  std::vector<StoredAccount> accounts;
  while (rows.next()) {
    accounts.push_back({fixed<proof::Address>(rows, 0), {.balance = wei(rows, 1), .nonce = rows.natural(2)}});
  }
  return accounts;
}

std::uint64_t Tables::transaction_count() {
  Rows rows = x_transaction_count.query();
  return rows.next() ? rows.natural(0) : 0;
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
  Statement all(x_database, std::string(kTransactionColumns) + "ORDER BY number");
  Rows rows = all.query();
  while (rows.next()) visit(transaction_of(rows));
}

std::uint64_t Tables::event_count() {
  Rows rows = x_event_count.query();
  return rows.next() ? rows.natural(0) : 0;
}

void Tables::append(const StoredEvent& event) {
  x_append_event.run(event.position, event.transaction, event.kind, event.bytes);
}

std::vector<LoggedEvent> Tables::events(std::uint64_t from, std::uint64_t limit) {
  std::vector<LoggedEvent> events;
  if (from > kMaxInteger) return events;
  Rows rows = x_events.query(from, std::min(limit, kMaxInteger));
  while (rows.next()) {
    const std::uint64_t position = rows.natural(0);
    auto event = proof::decode_event(rows.blob(4));
    if (!event) damaged("event " + std::to_string(position) + ": " + event.error().message);
    events.push_back({.position = position,
                      .block = rows.natural(1),
                      .time_s = rows.natural(2),
                      .transaction = {fixed<proof::Digest>(rows, 3)},
                      .event = *std::move(event)});
  }
  return events;
}

void Tables::damaged(const std::string& what) const {
  throw DatabaseError(DatabaseFault::kDamaged,
                      x_database.path().string() + ": " + what + "; the file is damaged: restore a backup");
}

proof::Wei Tables::wei(const Rows& rows, int column) const {
  const auto amount = parse_wei(rows.text(column));
  if (!amount) damaged(std::string(rows.text(column)) + ": " + amount.error());
  return *amount;
}

}  // namespace tally::chain
