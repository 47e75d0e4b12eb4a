#include "chain_adapter/evm/outbox.h"

#include <array>
#include <string>

#include "chain_adapter/ledger/ledger_tables.h"

namespace tally::chain {

namespace {

namespace fs = std::filesystem;

/// What ended is kept for so many nonces, for those who ask for its fate.
constexpr std::uint64_t kKeptNonces = 256;

constexpr std::string_view kTables = R"sql(
CREATE TABLE transactions (
  id BLOB PRIMARY KEY,
  sender BLOB NOT NULL,
  nonce INTEGER NOT NULL,
  purpose BLOB NOT NULL,
  recipient BLOB NOT NULL,
  value BLOB NOT NULL,
  gas INTEGER NOT NULL,
  tip BLOB NOT NULL,
  fee BLOB NOT NULL,
  data BLOB NOT NULL,
  block INTEGER NOT NULL,
  time_s INTEGER NOT NULL,
  ended INTEGER NOT NULL
);
CREATE INDEX transactions_of_sender ON transactions (sender, nonce);
CREATE TABLE attempts (hash BLOB PRIMARY KEY, id BLOB NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX attempts_of_transaction ON attempts (id);
)sql";

constexpr std::string_view kColumns =
    "SELECT id, sender, nonce, purpose, recipient, value, gas, tip, fee, data, block, time_s FROM transactions ";

const DatabaseSchema& schema() {
  static constexpr std::array<std::string_view, 1> kMigrations = {kTables};
  static const DatabaseSchema kSchema = {.kind = "list of what is on its way to an EVM chain",
                                         .how_to_make = "every command with --chain URL makes one",
                                         .application_id = 0x5461'4F42,  // "TaOB"
                                         .migrations = kMigrations};
  return kSchema;
}

fs::path file_in(const fs::path& folder, std::uint64_t chain_id, const proof::Digest& first_block) {
  constexpr std::size_t kShown = 2 + 16;
  if (folder.empty()) return ":memory:";
  fs::create_directories(folder);
  return folder /
         ("sent-" + std::to_string(chain_id) + "-" + math::to_hex(first_block.bytes).substr(0, kShown) + ".sqlite");
}

std::string all_of(std::string_view condition) { return std::string(kColumns) + std::string(condition); }

math::Bytes bytes_of(std::array<std::uint8_t, 16>& room, const proof::Wei& amount) {
  for (std::size_t i = 0; i < room.size(); ++i)
    room[room.size() - 1 - i] = static_cast<std::uint8_t>(amount.value >> (8 * i));
  return room;
}

proof::Wei amount_of(const Rows& rows, int column) {
  proof::Wei amount;
  for (const std::uint8_t byte : rows.blob(column, sizeof(amount.value))) amount.value = amount.value << 8 | byte;
  return amount;
}

}  // namespace

Outbox::Outbox(const fs::path& folder, std::uint64_t chain_id, const proof::Digest& first_block)
    : x_chain_id(chain_id),
      x_database(file_in(folder, chain_id, first_block), schema(), {.mode = OpenMode::kEither}),
      x_add(x_database, "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"),
      x_add_attempt(x_database, "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)"),
      x_replace(x_database, "UPDATE transactions SET tip = ?, fee = ?, block = ?, time_s = ? WHERE id = ?"),
      x_forget(x_database, "DELETE FROM transactions WHERE id = ?"),
      x_forget_attempts(x_database, "DELETE FROM attempts WHERE id NOT IN (SELECT id FROM transactions)"),
      x_forget_old(x_database, "DELETE FROM transactions WHERE sender = ? AND nonce < ? AND ended = 1"),
      x_end(x_database, "UPDATE transactions SET ended = 1 WHERE id = ? AND ended = 0"),
      x_find(x_database, all_of("WHERE id = ?")),
      x_on_the_way(x_database, all_of("WHERE sender = ? AND ended = 0 ORDER BY nonce, rowid")),
      x_with_nonce(x_database, all_of("WHERE sender = ? AND nonce = ? ORDER BY rowid DESC LIMIT 1")),
      x_attempts(x_database, "SELECT hash, bytes FROM attempts WHERE id = ? ORDER BY rowid") {}

void Outbox::add(const SentTransaction& sent) {
  const FeeTransaction& transaction = sent.transaction;
  std::array<std::uint8_t, 16> value{};
  std::array<std::uint8_t, 16> tip{};
  std::array<std::uint8_t, 16> fee{};
  x_add.run(sent.id.digest.bytes, sent.sender.bytes, transaction.nonce, sent.purpose.bytes, transaction.to->bytes,
            bytes_of(value, transaction.value), transaction.gas, bytes_of(tip, transaction.priority_fee),
            bytes_of(fee, transaction.fee), transaction.data, sent.block, sent.time_s);
  append(sent, sent.attempts.back());
  if (transaction.nonce < kKeptNonces) return;
  x_forget_old.run(sent.sender.bytes, transaction.nonce - kKeptNonces);
  if (x_database.changes() > 0) x_forget_attempts.run();
}

void Outbox::append(const SentTransaction& sent, const Attempt& attempt) {
  x_add_attempt.run(attempt.hash.digest.bytes, sent.id.digest.bytes, attempt.bytes);
}

void Outbox::replace(const SentTransaction& sent) {
  std::array<std::uint8_t, 16> tip{};
  std::array<std::uint8_t, 16> fee{};
  x_replace.run(bytes_of(tip, sent.transaction.priority_fee), bytes_of(fee, sent.transaction.fee), sent.block,
                sent.time_s, sent.id.digest.bytes);
  append(sent, sent.attempts.back());
}

void Outbox::forget(const TransactionId& id) {
  x_forget.run(id.digest.bytes);
  x_forget_attempts.run();
}

void Outbox::end(const TransactionId& id) { x_end.run(id.digest.bytes); }

SentTransaction Outbox::sent_of(const Rows& rows) {
  const math::Bytes data = rows.blob(9);
  SentTransaction sent{.id = {fixed<proof::Digest>(rows, 0)},
                       .sender = fixed<proof::Address>(rows, 1),
                       .purpose = fixed<math::Digest>(rows, 3),
                       .transaction = {.chain_id = x_chain_id,
                                       .nonce = rows.natural(2),
                                       .priority_fee = amount_of(rows, 7),
                                       .fee = amount_of(rows, 8),
                                       .gas = rows.natural(6),
                                       .to = fixed<proof::Address>(rows, 4),
                                       .value = amount_of(rows, 5),
                                       .data = {data.begin(), data.end()}},
                       .block = rows.natural(10),
                       .time_s = rows.natural(11),
                       .attempts = {}};
  Rows attempts = x_attempts.query(sent.id.digest.bytes);
  while (attempts.next()) {
    const math::Bytes bytes = attempts.blob(1);
    sent.attempts.push_back({.hash = {fixed<proof::Digest>(attempts, 0)}, .bytes = {bytes.begin(), bytes.end()}});
  }
  return sent;
}

std::optional<SentTransaction> Outbox::find(const TransactionId& id) {
  Rows rows = x_find.query(id.digest.bytes);
  return rows.next() ? std::optional(sent_of(rows)) : std::nullopt;
}

std::vector<SentTransaction> Outbox::on_the_way(const proof::Address& sender) {
  std::vector<SentTransaction> all;
  Rows rows = x_on_the_way.query(sender.bytes);
  while (rows.next()) all.push_back(sent_of(rows));
  return all;
}

std::optional<SentTransaction> Outbox::with_nonce(const proof::Address& sender, std::uint64_t nonce) {
  Rows rows = x_with_nonce.query(sender.bytes, nonce);
  return rows.next() ? std::optional(sent_of(rows)) : std::nullopt;
}

}  // namespace tally::chain
