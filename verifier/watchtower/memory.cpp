#include "verifier/watchtower/memory.h"

#include <openssl/rand.h>

#include <array>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>

namespace tally::proof {

// What verdicts hold, for cereal.
template <class Archive>
void serialize(Archive& archive, OpeningKey& key) {
  archive(key.object, key.record, key.leaf);
}

}  // namespace tally::proof

namespace tally::verifier {

template <class Archive>
void serialize(Archive& archive, ComputedTable& computed) {
  archive(computed.table, computed.commitment.bytes);
}
template <class Archive>
void serialize(Archive& archive, EntryTarget& target) {
  archive(target.item, target.entry);
}
template <class Archive>
void serialize(Archive& archive, CheckTarget& target) {
  archive(target.cause, target.object, target.index);
}
template <class Archive>
void serialize(Archive& archive, Verdict& verdict) {
  archive(verdict.kind, verdict.entry, verdict.item, verdict.descend, verdict.check, verdict.missing, verdict.computed,
          verdict.message);
}

namespace {

constexpr std::array<std::string_view, 2> kMigrations = {R"(
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

/// With its hash before it: a verdict decides what is read first, and must not be half of one.
std::vector<std::uint8_t> encode_verdict(const Verdict& verdict) {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive archive(stream);
  archive(verdict);
  const std::string text = stream.str();
  const math::Bytes body = math::unsigned_bytes(text);
  math::ByteWriter writer;
  writer.raw(math::sha256(body).bytes);
  writer.raw(body);
  return writer.take();
}

std::optional<Verdict> decode_verdict(math::Bytes bytes) {
  math::Digest hash;
  if (bytes.size() < hash.bytes.size()) return std::nullopt;
  const math::Bytes body = bytes.subspan(hash.bytes.size());
  std::ranges::copy(bytes.first(hash.bytes.size()), hash.bytes.begin());
  if (math::sha256(body) != hash) return std::nullopt;
  std::istringstream stream(std::string(body.begin(), body.end()));
  cereal::PortableBinaryInputArchive archive(stream);
  Verdict verdict;
  archive(verdict);
  return verdict;
}

}  // namespace

math::Digest mark_of(const chain::LoggedEvent& logged) {
  math::ByteWriter writer;
  writer.u64be(logged.position);
  writer.u64be(logged.block);
  writer.u64be(logged.time_s);
  writer.raw(logged.transaction.digest.bytes);
  writer.raw(proof::encode(logged.event));
  return math::sha256(writer.take());
}

proof::Salt random_salt() {
  proof::Salt salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    throw std::runtime_error("the system gives no random numbers");
  }
  return salt;
}

Memory::Memory(const std::filesystem::path& file, const chain::ChainIdentity& chain, const proof::Address& owner)
    : x_database(file, kSchema,
                 {.mode = chain::OpenMode::kEither,
                  .fill =
                      [&](chain::Database& database) {
                        chain::Statement(database,
                                         "INSERT INTO identity (id, chain, owner, cursor) VALUES (1, ?, ?, 0)")
                            .run(encode_identity(chain), math::Bytes(owner.bytes));
                      }}),
      x_owner(owner) {
  chain::Statement identity(x_database, "SELECT chain, owner FROM identity");
  chain::Rows rows = identity.query();
  if (!rows.next()) throw std::runtime_error(file.string() + ": the memory does not say whose it is");
  if (!std::ranges::equal(rows.blob(0), encode_identity(chain))) {
    throw std::runtime_error(file.string() + ": the memory is of another chain; give each chain its own file");
  }
  if (!std::ranges::equal(rows.blob(1), owner.bytes)) {
    throw std::runtime_error(file.string() + ": the memory is of another key; give each key its own file");
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

std::uint64_t Memory::cursor() { return static_cast<std::uint64_t>(x_database.integer("SELECT cursor FROM identity")); }

bool Memory::is_own_game(const proof::GameId& game) {
  chain::Statement statement(x_database, "SELECT 1 FROM game WHERE id = ?");
  return statement.query(math::Bytes(game.digest.bytes)).next();
}

void Memory::keep_event(const chain::LoggedEvent& logged) {
  const auto store = [&](const proof::BatchId& batch) {
    chain::Statement(x_database, "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)")
        .run(logged.position, bytes_of(batch), logged.block, logged.time_s, proof::encode(logged.event));
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
  } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&logged.event)) {
    store(answered->batch);
  } else if (const auto* withheld = std::get_if<proof::RequestWithheld>(&logged.event)) {
    store(withheld->batch);
  }
}

std::optional<math::Digest> Memory::last_event() {
  chain::Statement statement(x_database, "SELECT last_event FROM identity");
  chain::Rows rows = statement.query();
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  math::Digest mark;
  std::ranges::copy(rows.blob(0, mark.bytes.size()), mark.bytes.begin());
  return mark;
}

void Memory::keep(std::span<const chain::LoggedEvent> events) {
  chain::Transaction transaction(x_database, chain::Transaction::Kind::kWrite);
  for (const chain::LoggedEvent& event : events) keep_event(event);
  chain::Statement(x_database, "UPDATE identity SET cursor = ?, last_event = ?")
      .run(events.back().position + 1, math::Bytes(mark_of(events.back()).bytes));
  transaction.commit();
}

void Memory::begin_anew() {
  chain::Transaction transaction(x_database, chain::Transaction::Kind::kWrite);
  chain::Statement(x_database, "UPDATE identity SET cursor = 0, last_event = NULL").run();
  for (const char* const table : {"event", "game", "batch"}) x_database.execute(std::string("DELETE FROM ") + table);
  transaction.commit();
}

std::vector<proof::BatchId> Memory::batches() {
  chain::Statement statement(x_database, "SELECT id FROM batch WHERE closed = 0 ORDER BY position");
  chain::Rows rows = statement.query();
  std::vector<proof::BatchId> batches;
  while (rows.next()) batches.push_back(id_from<proof::BatchId>(rows.blob(0, 32)));
  return batches;
}

std::optional<proof::Posted> Memory::posted(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT posted FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next()) return std::nullopt;
  const auto event = proof::decode_event(rows.blob(0));
  if (!event || !std::holds_alternative<proof::Posted>(*event)) {
    throw std::runtime_error(file().string() + ": damaged; remove it, and the watchtower begins anew");
  }
  return std::get<proof::Posted>(*event);
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
  chain::Statement(x_database, "UPDATE batch SET closed = 1 WHERE id = ?").run(bytes_of(batch));
}

std::optional<Verdict> Memory::verdict(const proof::BatchId& batch) {
  chain::Statement statement(x_database, "SELECT verdict FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(bytes_of(batch));
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  return decode_verdict(rows.blob(0));
}

void Memory::keep(const proof::BatchId& batch, const Verdict& verdict, const std::filesystem::path& data) {
  chain::Statement(x_database, "UPDATE batch SET verdict = ?, data = ? WHERE id = ?")
      .run(encode_verdict(verdict), data.string(), bytes_of(batch));
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
      .run(bytes_of(batch), game, math::Bytes(random_salt()));
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
