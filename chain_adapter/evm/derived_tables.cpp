#include "chain_adapter/evm/derived_tables.h"

#include <algorithm>
#include <array>

namespace tally::chain {

namespace {

constexpr std::string_view kOwnTables = R"sql(
CREATE TABLE meta (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  chain_id INTEGER NOT NULL,
  contract BLOB NOT NULL,
  beginning INTEGER NOT NULL
);
CREATE TABLE left_out (task BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE transactions (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  block INTEGER NOT NULL,
  sender BLOB NOT NULL
);
CREATE TABLE headers (batch BLOB PRIMARY KEY, header BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX transactions_of_block ON transactions (block);
)sql";

constexpr std::string_view kIndices = R"sql(
CREATE INDEX events_of_transaction ON events (transaction_number);
)sql";

constexpr unsigned kPositionBits = 40;

}  // namespace

const DatabaseSchema& derived_schema() {
  static const std::string kTables = std::string(kOwnTables) + std::string(ledger_tables_sql()) + std::string(kIndices);
  static const std::array<std::string_view, 1> kMigrations = {kTables};
  static const DatabaseSchema kSchema = {.kind = "cache of an EVM chain",
                                         .how_to_make = "every command with --chain URL makes one",
                                         .application_id = 0x5461'4556,  // "TaEV"
                                         .migrations = kMigrations};
  return kSchema;
}

void begin_derived(Database& database, const ChainIdentity& identity, const Block& start) {
  Statement(database, "INSERT INTO meta VALUES (1, ?, ?, 0)").run(identity.chain_id, identity.contract.bytes);
  DerivedTables(database).append(start);
}

DerivedTables::DerivedTables(Database& database)
    : LedgerTables(database, "delete it, and it is made anew from the chain"),
      x_append_transaction(database, "INSERT INTO transactions VALUES (?, ?, ?, ?)"),
      x_forget_block(database,
                     "DELETE FROM blocks WHERE number = ? AND NOT EXISTS "
                     "(SELECT 1 FROM transactions WHERE block = blocks.number)"),
      x_find_left_out(database, "SELECT 1 FROM left_out WHERE task = ?"),
      x_leave_out(database, "INSERT OR IGNORE INTO left_out VALUES (?)"),
      x_find_header(database, "SELECT header FROM headers WHERE batch = ?"),
      x_append_header(database, "INSERT INTO headers VALUES (?, ?)"),
      x_events_of(database,
                  "SELECT events.position, events.bytes FROM transactions "
                  "LEFT JOIN events ON transactions.number = transaction_number "
                  "WHERE block = ? AND id = ? ORDER BY events.position") {}

void DerivedTables::expect(const ChainIdentity& identity) {
  Statement meta(database(), "SELECT chain_id, contract FROM meta");
  Rows rows = meta.query();
  if (!rows.next()) damaged("it does not say what it is of");
  if (rows.natural(0) == identity.chain_id && fixed<proof::Address>(rows, 1) == identity.contract) return;
  throw DatabaseError(DatabaseFault::kForeign,
                      database().path().string() + ": of chain " + std::to_string(rows.natural(0)) + ", not of chain " +
                          std::to_string(identity.chain_id) + "; give another folder, or delete it");
}

std::uint64_t DerivedTables::next_position() {
  const auto beginning = static_cast<std::uint64_t>(database().integer("SELECT beginning FROM meta"));
  return std::max(next_event(), beginning << kPositionBits);
}

void DerivedTables::append(const SettlementCall& call, const proof::Effects& effects) {
  for (const proof::Write& each : effects.writes) write(each.key, each.record);
  const std::uint64_t number = transaction_count();
  x_append_transaction.run(number, call.transaction.digest.bytes, call.block, call.sender.bytes);
  std::uint64_t position = next_position();
  for (const proof::Event& event : effects.events) {
    const std::vector<std::uint8_t> bytes = proof::encode(event);
    if (const auto* const posted = std::get_if<proof::Posted>(&event))
      x_append_header.run(posted->batch.digest.bytes, proof::encode(posted->header));
    append(StoredEvent{.position = position++, .transaction = number, .kind = proof::name_of(event), .bytes = bytes});
  }
}

void DerivedTables::forget_if_empty(const Block& block) { x_forget_block.run(block.number); }

void DerivedTables::begin_anew(const Block& start) {
  for (const char* const table : {"records", "blocks", "events", "transactions", "headers", "left_out"})
    database().execute(std::string("DELETE FROM ") + table);
  database().execute("UPDATE meta SET beginning = beginning + 1");
  append(start);
}

std::optional<std::vector<proof::Event>> DerivedTables::events_of(const TransactionId& transaction,
                                                                  std::uint64_t block) {
  Rows rows = x_events_of.query(block, transaction.digest.bytes);
  if (!rows.next()) return std::nullopt;
  std::vector<proof::Event> events;
  do {
    if (rows.is_null(0)) continue;  // a call about what is left out
    auto event = proof::decode_event(rows.blob(1));
    if (!event) damaged("event " + std::to_string(rows.natural(0)) + ": " + event.error().message);
    events.push_back(*std::move(event));
  } while (rows.next());
  return events;
}

std::optional<proof::BatchHeader> DerivedTables::header(const proof::BatchId& batch) {
  Rows rows = x_find_header.query(batch.digest.bytes);
  if (!rows.next()) return std::nullopt;
  auto header = proof::decode_header(rows.blob(0));
  if (!header) damaged("the header of batch " + to_hex(batch) + " is none");
  return *std::move(header);
}

bool DerivedTables::any() const { return database().integer("SELECT count(*) FROM left_out") != 0; }

bool DerivedTables::has(const proof::TaskId& task) const { return x_find_left_out.query(task.digest.bytes).next(); }

void DerivedTables::add(const proof::TaskId& task) { x_leave_out.run(task.digest.bytes); }

}  // namespace tally::chain
