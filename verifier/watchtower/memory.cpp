#include "verifier/watchtower/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/watchtower/verdict_codec.h"

namespace tally::verifier {

namespace {

constexpr std::array<std::string_view, 4> kMigrations = {R"(
CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), chain BLOB NOT NULL, owner BLOB NOT NULL,
                       cursor INTEGER NOT NULL) STRICT;
CREATE TABLE batch (id BLOB PRIMARY KEY, position INTEGER NOT NULL, posted BLOB NOT NULL, verdict BLOB, data TEXT,
                    closed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX batch_in_order ON batch (closed, position);
CREATE TABLE game (id BLOB PRIMARY KEY, batch BLOB NOT NULL) STRICT;
CREATE TABLE event (position INTEGER PRIMARY KEY, batch BLOB NOT NULL, block INTEGER NOT NULL,
                    time_s INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE INDEX event_of_batch ON event (batch, position);
CREATE TABLE salt (batch BLOB NOT NULL, game INTEGER NOT NULL, salt BLOB NOT NULL, PRIMARY KEY (batch, game)) STRICT;
CREATE TABLE proof (batch BLOB PRIMARY KEY, commitment BLOB NOT NULL, show BLOB NOT NULL) STRICT;
CREATE TABLE alarm (id INTEGER PRIMARY KEY, batch BLOB NOT NULL, message TEXT NOT NULL, time_s INTEGER NOT NULL) STRICT;
)",
                                                         R"(
ALTER TABLE identity ADD COLUMN last_event BLOB;
UPDATE identity SET cursor = 0;
DELETE FROM event;
DELETE FROM game;
DELETE FROM batch;
)",
                                                         R"(
CREATE TABLE demand (position INTEGER PRIMARY KEY, batch BLOB NOT NULL, returned INTEGER NOT NULL) STRICT;
UPDATE identity SET cursor = 0, last_event = NULL;
DELETE FROM event;
DELETE FROM game;
DELETE FROM batch;
)",
                                                         R"(
CREATE TABLE expected_demand (request BLOB PRIMARY KEY, batch BLOB NOT NULL) STRICT;
)"};

constexpr chain::DatabaseSchema kSchema{.kind = "watchtower's memory",
                                        .how_to_make = "`tally watch --memory FILE` makes one",
                                        .application_id = 0x54574d31,  // TWM1
                                        .migrations = kMigrations};

math::Bytes bytes_of(const proof::BatchId& batch) { return batch.digest.bytes; }

template <class Id>
Id id_from(math::Bytes bytes) {
  Id id{};
  std::ranges::copy(bytes, id.digest.bytes.begin());
  return id;
}

std::vector<std::uint8_t> encode_identity(const chain::ChainIdentity& chain) {
  math::ByteWriter writer;
  writer.u64be(chain.chain_id);
  writer.raw(chain.contract.bytes);
  return writer.take();
}

/// Only who has the key can make it.
math::Digest secret_of(const proof::PrivateKey& key) {
  constexpr std::string_view kPurpose = "Tallystick: a watchtower's memory";
  math::ByteWriter writer;
  writer.raw(math::unsigned_bytes(kPurpose));
  writer.raw(key.bytes());
  std::vector<std::uint8_t> bytes = writer.take();
  const math::Digest secret = math::sha256(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

}  // namespace

proof::Salt random_salt() {
  proof::Salt salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    throw std::runtime_error("the system gives no random numbers");
  }
  return salt;
}

Memory::Memory(const std::filesystem::path& file, const chain::ChainIdentity& chain, const proof::PrivateKey& key,
               std::function<proof::Salt()> draw_salt)
    : x_database(file, kSchema,
                 {.mode = chain::OpenMode::kEither,
                  .fill =
                      [&](chain::Database& database) {
                        chain::Statement(database,
                                         "INSERT INTO identity (id, chain, owner, cursor) VALUES (1, ?, ?, 0)")
                            .run(encode_identity(chain), math::Bytes(key.address().bytes));
                      }}),
      x_owner(key.address()),
      x_secret(secret_of(key)),
      x_draw_salt(std::move(draw_salt)) {
  chain::Statement identity(x_database, "SELECT chain, owner FROM identity");
  chain::Rows rows = identity.query();
  if (!rows.next()) throw std::runtime_error(file.string() + ": the memory does not say whose it is");
  if (!std::ranges::equal(rows.blob(0), encode_identity(chain))) {
    throw std::invalid_argument(file.string() + ": the memory is of another chain; give each chain its own file");
  }
  if (!std::ranges::equal(rows.blob(1), x_owner.bytes)) {
    throw std::invalid_argument(file.string() + ": the memory is of another key; give each key its own file");
  }
}

std::filesystem::path Memory::scratch_folder() const {
  std::filesystem::path folder = file();
  folder += ".scratch";
  return folder;
}

std::filesystem::path Memory::scratch(const proof::BatchId& batch) const { return scratch_folder() / to_hex(batch); }

void Memory::sweep_scratch() {
  std::set<std::string> open;
  for (const proof::BatchId& batch : batches()) open.insert(to_hex(batch));
  std::error_code error;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(scratch_folder(), error)) {
    std::error_code ignored;
    if (!open.contains(entry.path().filename().string())) std::filesystem::remove_all(entry.path(), ignored);
  }
}

chain::EventCursor Memory::cursor() {
  chain::Statement statement(x_database, "SELECT cursor, last_event FROM identity");
  chain::Rows rows = statement.query();
  TALLY_ASSERT(rows.next());
  if (rows.is_null(1)) return {rows.natural(0), std::nullopt};
  math::Digest mark;
  std::ranges::copy(rows.blob(1, mark.bytes.size()), mark.bytes.begin());
  return {rows.natural(0), mark};
}

bool Memory::is_own_game(const proof::GameId& game) {
  chain::Statement statement(x_database, "SELECT 1 FROM game WHERE id = ?");
  return statement.query(math::Bytes(game.digest.bytes)).next();
}

void Memory::keep_event(const chain::LoggedEvent& logged) {
  const auto store = [&](const proof::BatchId& batch) {
    chain::Statement(x_database, "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)")
        .run(logged.position, bytes_of(batch), logged.block, logged.time_s, proof::encode(logged.event));
  };
  const auto count = [&](const proof::BatchId& batch, bool is_returned) {
    chain::Statement(x_database, "INSERT OR IGNORE INTO demand VALUES (?, ?, ?)")
        .run(logged.position, bytes_of(batch), is_returned ? 1 : 0);
  };
  if (const auto* posted = std::get_if<proof::Posted>(&logged.event)) {
    chain::Statement(x_database, "INSERT OR IGNORE INTO batch (id, position, posted) VALUES (?, ?, ?)")
        .run(bytes_of(posted->batch), logged.position, proof::encode(logged.event));
  } else if (const auto* opened = std::get_if<proof::GameOpened>(&logged.event)) {
    if (opened->game.challenger != x_owner) return;
    chain::Statement(x_database, "INSERT OR IGNORE INTO game VALUES (?, ?)")
        .run(math::Bytes(opened->game.id.digest.bytes), bytes_of(opened->game.batch));
    store(opened->game.batch);
  } else if (const auto* moved = std::get_if<proof::GameMoved>(&logged.event)) {
    if (moved->game.challenger == x_owner) store(moved->game.batch);
  } else if (const auto* ended = std::get_if<proof::GameEnded>(&logged.event)) {
    if (is_own_game(ended->game)) store(ended->batch);
  } else if (const auto* requested = std::get_if<proof::LeafRequested>(&logged.event)) {
    store(requested->batch);
    if (requested->by != x_owner) return;
    count(requested->batch, false);
    forget_expected_demand(requested->batch, requested->leaf);
  } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&logged.event)) {
    store(answered->batch);
  } else if (const auto* withheld = std::get_if<proof::RequestWithheld>(&logged.event)) {
    store(withheld->batch);
    if (withheld->by == x_owner) count(withheld->batch, true);
  }
}

void Memory::keep(std::span<const chain::LoggedEvent> events) {
  chain::Transaction transaction(x_database, chain::Transaction::Kind::kWrite);
  for (const chain::LoggedEvent& event : events) keep_event(event);
  chain::Statement(x_database, "UPDATE identity SET cursor = ?, last_event = ?")
      .run(events.back().position + 1, math::Bytes(chain::mark_of(events.back()).bytes));
  transaction.commit();
}

void Memory::begin_anew() {
  chain::Transaction transaction(x_database, chain::Transaction::Kind::kWrite);
  chain::Statement(x_database, "UPDATE identity SET cursor = 0, last_event = NULL").run();
  for (const char* const table : {"event", "game", "batch", "demand"})
    x_database.execute(std::string("DELETE FROM ") + table);
  transaction.commit();
}

std::vector<proof::BatchId> Memory::batches() {
  chain::Statement statement(x_database, "SELECT id FROM batch WHERE closed = 0 ORDER BY position");
  chain::Rows rows = statement.query();
  std::vector<proof::BatchId> batches;
  while (rows.next()) batches.push_back(id_from<proof::BatchId>(rows.blob(0, 32)));
  return batches;
}

std::optional<RememberedPost> Memory::post(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT position, posted FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next()) return std::nullopt;
  auto event = proof::decode_event(rows.blob(1));
  if (!event || !std::holds_alternative<proof::Posted>(*event)) {
    throw std::runtime_error(file().string() + ": damaged; remove it, and the watchtower begins anew");
  }
  return RememberedPost{.position = rows.natural(0), .posted = std::get<proof::Posted>(*std::move(event))};
}

std::vector<OwnDemand> Memory::own_demands(std::uint64_t from) {
  chain::Statement statement(x_database,
                             "SELECT position, batch, returned FROM demand WHERE position >= ? ORDER BY position");
  chain::Rows rows = statement.query(from);
  std::vector<OwnDemand> demands;
  while (rows.next()) {
    demands.push_back({.position = rows.natural(0),
                       .batch = id_from<proof::BatchId>(rows.blob(1, 32)),
                       .is_returned = rows.integer(2) != 0});
  }
  return demands;
}

void Memory::expect_demand(const proof::BatchId& batch, const proof::OpeningKey& leaf) {
  chain::Statement(x_database, "INSERT OR IGNORE INTO expected_demand VALUES (?, ?)")
      .run(proof::request_key(batch, leaf), bytes_of(batch));
}

void Memory::forget_expected_demand(const proof::BatchId& batch, const proof::OpeningKey& leaf) {
  chain::Statement(x_database, "DELETE FROM expected_demand WHERE request = ?").run(proof::request_key(batch, leaf));
}

std::vector<proof::BatchId> Memory::expected_demands_but(const proof::BatchId& batch, const proof::OpeningKey& leaf) {
  chain::Statement statement(x_database, "SELECT batch FROM expected_demand WHERE request != ?");
  chain::Rows rows = statement.query(proof::request_key(batch, leaf));
  std::vector<proof::BatchId> batches;
  while (rows.next()) batches.push_back(id_from<proof::BatchId>(rows.blob(0, 32)));
  return batches;
}

std::vector<chain::LoggedEvent> Memory::history(const proof::BatchId& batch, std::uint64_t from) {
  chain::Statement statement(
      x_database,
      "SELECT position, block, time_s, bytes FROM event WHERE batch = ? AND position >= ? ORDER BY position");
  chain::Rows rows = statement.query(bytes_of(batch), from);
  std::vector<chain::LoggedEvent> events;
  while (rows.next()) {
    auto event = proof::decode_event(rows.blob(3));
    if (!event) throw std::runtime_error(file().string() + ": damaged; remove it, and the watchtower begins anew");
    events.push_back({.position = rows.natural(0),
                      .block = rows.natural(1),
                      .time_s = rows.natural(2),
                      .transaction = {},
                      .event = *std::move(event)});
  }
  return events;
}

void Memory::close(const proof::BatchId& batch) {
  chain::Transaction transaction(x_database, chain::Transaction::Kind::kWrite);
  chain::Statement(x_database, "UPDATE batch SET closed = 1 WHERE id = ?").run(bytes_of(batch));
  chain::Statement(x_database, "DELETE FROM expected_demand WHERE batch = ?").run(bytes_of(batch));
  transaction.commit();
}

math::Digest Memory::code_of(const proof::BatchId& batch, math::Bytes verdict) const {
  math::ByteWriter writer;
  writer.raw(batch.digest.bytes);
  writer.raw(verdict);
  const std::vector<std::uint8_t> bytes = writer.take();
  math::Digest code;
  const auto* const done = HMAC(EVP_sha256(), x_secret.bytes.data(), static_cast<int>(x_secret.bytes.size()),
                                bytes.data(), bytes.size(), code.bytes.data(), nullptr);
  TALLY_ASSERT(done != nullptr);
  return code;
}

std::optional<Verdict> Memory::verdict(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT verdict FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  const math::Bytes stored = rows.blob(0);
  constexpr std::size_t kCode = sizeof(math::Digest::bytes);
  if (stored.size() < kCode) return std::nullopt;
  const math::Bytes verdict = stored.subspan(kCode);
  if (CRYPTO_memcmp(stored.data(), code_of(batch, verdict).bytes.data(), kCode) != 0) return std::nullopt;
  return decode_verdict(verdict);
}

void Memory::keep(const proof::BatchId& batch, const Verdict& verdict, const std::filesystem::path& data) {
  const std::vector<std::uint8_t> bytes = encode_verdict(verdict);
  math::ByteWriter writer;
  writer.raw(code_of(batch, bytes).bytes);
  writer.raw(bytes);
  chain::Statement(x_database, "UPDATE batch SET verdict = ?, data = ? WHERE id = ?")
      .run(writer.take(), data.string(), bytes_of(batch));
}

std::filesystem::path Memory::data(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT data FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next() || rows.is_null(0)) return {};
  return std::string(rows.text(0));
}

void Memory::forget_verdict(const proof::BatchId& batch) {
  chain::Statement(x_database, "UPDATE batch SET verdict = NULL WHERE id = ?").run(bytes_of(batch));
}

proof::Salt Memory::salt(const proof::BatchId& batch, std::uint64_t game) {
  chain::Statement(x_database, "INSERT OR IGNORE INTO salt VALUES (?, ?, ?)")
      .run(bytes_of(batch), game, math::Bytes(x_draw_salt()));
  chain::Statement statement(x_database, "SELECT salt FROM salt WHERE batch = ? AND game = ?");
  chain::Rows rows = statement.query(bytes_of(batch), game);
  proof::Salt salt{};
  if (!rows.next()) throw std::runtime_error(file().string() + ": a salt was not stored");
  std::ranges::copy(rows.blob(0, salt.size()), salt.begin());
  return salt;
}

std::optional<RememberedProof> Memory::proof(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT commitment, show FROM proof WHERE batch = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next()) return std::nullopt;
  const auto transaction = proof::decode_transaction(rows.blob(1));
  if (!transaction || !std::holds_alternative<proof::ShowProof>(*transaction)) {
    throw std::runtime_error(file().string() + ": damaged; remove it, and the watchtower begins anew");
  }
  RememberedProof proof;
  std::ranges::copy(rows.blob(0, proof.commitment.bytes.size()), proof.commitment.bytes.begin());
  proof.show = std::get<proof::ShowProof>(*transaction);
  return proof;
}

void Memory::keep(const proof::BatchId& batch, const RememberedProof& proof) {
  chain::Statement(x_database, "INSERT OR REPLACE INTO proof VALUES (?, ?, ?)")
      .run(bytes_of(batch), math::Bytes(proof.commitment.bytes), proof::encode(proof::Transaction(proof.show)));
}

void Memory::forget_proof(const proof::BatchId& batch) {
  chain::Statement(x_database, "DELETE FROM proof WHERE batch = ?").run(bytes_of(batch));
}

void Memory::raise(const proof::BatchId& batch, const std::string& alarm, std::uint64_t time_s) {
  chain::Statement(x_database,
                   "INSERT INTO alarm (batch, message, time_s) SELECT ?1, ?2, ?3 "
                   "WHERE NOT EXISTS (SELECT 1 FROM alarm WHERE batch = ?1 AND message = ?2)")
      .run(bytes_of(batch), alarm, time_s);
}

std::vector<Memory::Alarm> Memory::alarms() {
  chain::Statement statement(x_database, "SELECT batch, message, time_s FROM alarm ORDER BY id");
  chain::Rows rows = statement.query();
  std::vector<Alarm> alarms;
  while (rows.next()) {
    alarms.push_back({.batch = id_from<proof::BatchId>(rows.blob(0, 32)),
                      .message = std::string(rows.text(1)),
                      .time_s = rows.natural(2)});
  }
  return alarms;
}

}  // namespace tally::verifier
