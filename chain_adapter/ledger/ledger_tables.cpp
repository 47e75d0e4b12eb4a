#include "chain_adapter/ledger/ledger_tables.h"

#include <limits>

namespace tally::chain {

namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE records (key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (
  number INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  parent BLOB NOT NULL,
  hash BLOB NOT NULL
);
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  transaction_number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  bytes BLOB NOT NULL
);
)sql";

constexpr auto kMaxInteger = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

Block block_of(const Rows& rows) {
  return {.number = rows.natural(0),
          .time_s = rows.natural(1),
          .parent = fixed<proof::Digest>(rows, 2),
          .hash = fixed<proof::Digest>(rows, 3)};
}

}  // namespace

std::string_view ledger_tables_sql() { return kTables; }

LedgerTables::LedgerTables(Database& database, std::string_view remedy)
    : x_database(database),
      x_remedy(remedy),
      x_read_record(database, "SELECT record FROM records WHERE key = ?"),
      x_write_record(database, "INSERT OR REPLACE INTO records VALUES (?, ?)"),
      x_head(database, "SELECT number, time, parent, hash FROM blocks ORDER BY number DESC LIMIT 1"),
      x_block(database, "SELECT number, time, parent, hash FROM blocks WHERE number = ?"),
      x_append_block(database, "INSERT INTO blocks VALUES (?, ?, ?, ?)"),
      x_transaction_count(database, "SELECT ifnull(max(number) + 1, 0) FROM transactions"),
      x_next_event(database, "SELECT ifnull(max(position) + 1, 0) FROM events"),
      x_append_event(database, "INSERT INTO events VALUES (?, ?, ?, ?)"),
      x_events(database,
               "SELECT events.position, block, time, id, events.bytes FROM events "
               "JOIN transactions ON transactions.number = transaction_number "
               "JOIN blocks ON blocks.number = block WHERE events.position >= ? ORDER BY events.position LIMIT ?") {}

Block LedgerTables::head() {
  Rows rows = x_head.query();
  if (!rows.next()) damaged("no blocks");
  return block_of(rows);
}

std::optional<Block> LedgerTables::block(std::uint64_t number) {
  if (number > kMaxInteger) return std::nullopt;
  Rows rows = x_block.query(number);
  return rows.next() ? std::optional(block_of(rows)) : std::nullopt;
}

void LedgerTables::append(const Block& block) {
  x_append_block.run(block.number, block.time_s, block.parent.bytes, block.hash.bytes);
}

std::optional<std::vector<std::uint8_t>> LedgerTables::read(math::Bytes key) const {
  Rows rows = x_read_record.query(key);
  if (!rows.next()) return std::nullopt;
  const math::Bytes record = rows.blob(0);
  return std::vector<std::uint8_t>(record.begin(), record.end());
}

void LedgerTables::write(math::Bytes key, math::Bytes record) { x_write_record.run(key, record); }

void LedgerTables::each_record(const std::function<void(math::Bytes, math::Bytes)>& visit) {
  Statement all(x_database, "SELECT key, record FROM records ORDER BY key");
  Rows rows = all.query();
  while (rows.next()) visit(rows.blob(0), rows.blob(1));
}

std::uint64_t LedgerTables::transaction_count() {
  Rows rows = x_transaction_count.query();
  return rows.next() ? rows.natural(0) : 0;
}

std::uint64_t LedgerTables::next_event() {
  Rows rows = x_next_event.query();
  return rows.next() ? rows.natural(0) : 0;
}

void LedgerTables::append(const StoredEvent& event) {
  x_append_event.run(event.position, event.transaction, event.kind, event.bytes);
}

std::vector<LoggedEvent> LedgerTables::events(std::uint64_t from, std::uint64_t limit) {
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

void LedgerTables::damaged(const std::string& what) const {
  throw DatabaseError(DatabaseFault::kDamaged,
                      x_database.path().string() + ": " + what + "; the file is damaged: " + std::string(x_remedy));
}

}  // namespace tally::chain
