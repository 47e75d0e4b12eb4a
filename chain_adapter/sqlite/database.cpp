#include "chain_adapter/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace fs = std::filesystem;

namespace {

/// Frames after which the log is copied into the file: 16 MiB of 4 KiB pages.
constexpr int kCheckpointPages = 4096;

/// Where SQLite only knows of an I/O error, the operating system knows more.
DatabaseFault fault_of_system(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return DatabaseFault::kFull;
    case EROFS:
    case EACCES:
    case EPERM:
      return DatabaseFault::kReadOnly;
    default:
      return DatabaseFault::kOther;
  }
}

DatabaseFault fault_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return DatabaseFault::kBusy;
    case SQLITE_FULL:
      return DatabaseFault::kFull;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return DatabaseFault::kReadOnly;
    case SQLITE_NOTADB:
      return DatabaseFault::kForeign;
    case SQLITE_CORRUPT:
      return DatabaseFault::kDamaged;
    default:
      return DatabaseFault::kOther;
  }
}

std::string advice_for(DatabaseFault fault) {
  switch (fault) {
    case DatabaseFault::kBusy:
      return "another process keeps it locked; try again, or end that process";
    case DatabaseFault::kFull:
      return "there is no space left on the disk; nothing of the last transaction was written: free some space and try "
             "again";
    case DatabaseFault::kReadOnly:
      return "the file and its folder must be readable and writable, also for the files NAME-wal and NAME-shm beside "
             "it";
    case DatabaseFault::kDamaged:
      return "the file is damaged: stop all that use it and restore a backup (`sqlite3 FILE .recover` salvages rows)";
    case DatabaseFault::kMissing:
    case DatabaseFault::kExists:
    case DatabaseFault::kForeign:
    case DatabaseFault::kNewer:
    case DatabaseFault::kOther:
      return "";
  }
  return "";
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Database

Database::Database(fs::path path, const DatabaseSchema& schema, const DatabaseSettings& settings)
    : x_path(std::move(path)), x_schema(schema), x_busy_timeout(settings.busy_timeout) {
  try {
    open(settings);
    set_up(settings);
  } catch (...) {
    sqlite3_close(x_handle);
    throw;
  }
}

Database::~Database() { sqlite3_close(x_handle); }

void Database::open(const DatabaseSettings& settings) {
  std::error_code error;
  const fs::file_status status = fs::status(x_path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) fail(DatabaseFault::kForeign, "is no regular file");
  if (!fs::exists(status) && settings.mode == OpenMode::kExisting) {
    fail(DatabaseFault::kMissing, "no such file; " + std::string(x_schema.how_to_make));
  }
  const int create = settings.mode == OpenMode::kExisting ? 0 : SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(
      x_path.c_str(), &x_handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | create, nullptr);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(x_handle, static_cast<int>(x_busy_timeout.count()));
  sqlite3_db_config(x_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(x_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

void Database::set_up(const DatabaseSettings& settings) {
  if (is_empty()) {
    if (settings.mode == OpenMode::kExisting) {
      fail(DatabaseFault::kForeign, "has nothing in it; " + std::string(x_schema.how_to_make));
    }
  } else {
    refuse_unless_ours();
    if (settings.mode == OpenMode::kNew) fail(DatabaseFault::kExists, "exists, and is not replaced");
  }
  write_ahead();
  execute("PRAGMA synchronous = FULL");
  execute("PRAGMA foreign_keys = ON");
  sqlite3_wal_autocheckpoint(x_handle, kCheckpointPages);
  if (std::cmp_less(integer("PRAGMA user_version"), x_schema.migrations.size())) migrate(settings);
}

/// SQLite does not wait for other processes here, which a file that several make at once would run into.
void Database::write_ahead() {
  const auto deadline = std::chrono::steady_clock::now() + x_busy_timeout;
  for (;;) {
    const int code = sqlite3_exec(x_handle, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    if (fault_of(code) != DatabaseFault::kBusy || std::chrono::steady_clock::now() >= deadline) fail(code);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool Database::is_empty() {
  return integer("PRAGMA application_id") == 0 && integer("SELECT count(*) FROM sqlite_schema") == 0;
}

void Database::refuse_unless_ours() {
  if (integer("PRAGMA application_id") != x_schema.application_id) {
    fail(DatabaseFault::kForeign, "is a file of another program, not of the kind " + std::string(x_schema.kind));
  }
  const std::int64_t version = integer("PRAGMA user_version");
  if (std::cmp_greater(version, x_schema.migrations.size())) {
    fail(DatabaseFault::kNewer, "has version " + std::to_string(version) + ", and this program knows versions up to " +
                                    std::to_string(x_schema.migrations.size()) + ": use a newer one");
  }
}

/// Under the writer's lock everything is looked at again: another process may have been faster.
void Database::migrate(const DatabaseSettings& settings) {
  Transaction transaction(*this, Transaction::Kind::kWrite);
  const bool fresh = is_empty();
  if (!fresh) {
    refuse_unless_ours();
    if (settings.mode == OpenMode::kNew) fail(DatabaseFault::kExists, "exists, and is not replaced");
  }
  const auto version = static_cast<std::size_t>(integer("PRAGMA user_version"));
  for (const std::string_view migration : x_schema.migrations.subspan(version)) execute(std::string(migration));
  execute("PRAGMA application_id = " + std::to_string(x_schema.application_id));
  execute("PRAGMA user_version = " + std::to_string(x_schema.migrations.size()));
  if (fresh && settings.fill) settings.fill(*this);
  transaction.commit();
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(x_handle) == 0; }

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(x_handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::changes() const { return sqlite3_changes64(x_handle); }

std::int64_t Database::integer(std::string_view sql) {
  Statement statement(*this, sql);
  Rows rows = statement.query();
  const bool any = rows.next();
  TALLY_ASSERT(any);
  return rows.integer(0);
}

void Database::fail(int code) const {
  const int system = x_handle == nullptr ? 0 : sqlite3_system_errno(x_handle);
  DatabaseFault fault = fault_of(code);
  if (fault == DatabaseFault::kForeign) fail(fault, "is no SQLite file, or a damaged one");
  if ((code & 0xff) == SQLITE_IOERR) fault = fault_of_system(system);
  std::string what = sqlite3_errstr(code);
  if (x_handle != nullptr && sqlite3_extended_errcode(x_handle) == code) what = sqlite3_errmsg(x_handle);
  if (system != 0 && (fault == DatabaseFault::kOther || fault == DatabaseFault::kReadOnly)) {
    what += " (" + std::generic_category().message(system) + ")";
  }
  const std::string advice = advice_for(fault);
  fail(fault, advice.empty() ? what : what + "; " + advice);
}

void Database::fail(DatabaseFault fault, const std::string& what) const {
  throw DatabaseError(fault, x_path.string() + ": " + what);
}

// ---------------------------------------------------------------------------------------------------------------------
// Statement

Statement::Statement(Database& database, std::string_view sql) : x_database(&database) {
  const int code = sqlite3_prepare_v3(database.x_handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &x_statement, nullptr);
  if (code != SQLITE_OK) database.fail(code);
}

Statement::Statement(Statement&& other) noexcept
    : x_database(other.x_database), x_statement(std::exchange(other.x_statement, nullptr)) {}

Statement::~Statement() { sqlite3_finalize(x_statement); }

void Statement::expect_parameters(std::size_t count) const {
  TALLY_ASSERT(std::cmp_equal(sqlite3_bind_parameter_count(x_statement), count));
  TALLY_ASSERT(sqlite3_stmt_busy(x_statement) == 0);
}

void Statement::refuse_integer() const {
  throw std::out_of_range("a number of 2^63 or more cannot be kept in " + x_database->x_path.string());
}

/// An empty span may have no address, which SQLite would take for NULL.
void Statement::bind(int index, math::Bytes value) {
  const int code = value.empty()
                       ? sqlite3_bind_zeroblob(x_statement, index, 0)
                       : sqlite3_bind_blob64(x_statement, index, value.data(), value.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) x_database->fail(code);
}

void Statement::bind(int index, std::string_view value) {
  const int code = sqlite3_bind_text64(x_statement, index, value.empty() ? "" : value.data(), value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) x_database->fail(code);
}

void Statement::bind_integer(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(x_statement, index, value);
  if (code != SQLITE_OK) x_database->fail(code);
}

void Statement::bind_null(int index) {
  const int code = sqlite3_bind_null(x_statement, index);
  if (code != SQLITE_OK) x_database->fail(code);
}

void Statement::run_bound() {
  const int code = sqlite3_step(x_statement);
  sqlite3_reset(x_statement);
  TALLY_ASSERT(code != SQLITE_ROW);
  if (code != SQLITE_DONE) x_database->fail(code);
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows

Rows::~Rows() { sqlite3_reset(x_statement); }

bool Rows::next() {
  const int code = sqlite3_step(x_statement);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) x_database.fail(code);
  return false;
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(x_statement, column); }

std::uint64_t Rows::natural(int column) const {
  const std::int64_t value = integer(column);
  if (value < 0) x_database.fail(SQLITE_CORRUPT);
  return static_cast<std::uint64_t>(value);
}

math::Bytes Rows::blob(int column) const {
  const void* data = sqlite3_column_blob(x_statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(x_statement, column));
  return {static_cast<const std::uint8_t*>(data), size};
}

math::Bytes Rows::blob(int column, std::size_t size) const {
  const math::Bytes bytes = blob(column);
  if (bytes.size() != size) x_database.fail(SQLITE_CORRUPT);
  return bytes;
}

std::string_view Rows::text(int column) const {
  const unsigned char* data = sqlite3_column_text(x_statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(x_statement, column));
  return data == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

bool Rows::is_null(int column) const { return sqlite3_column_type(x_statement, column) == SQLITE_NULL; }

// ---------------------------------------------------------------------------------------------------------------------
// Transaction

Transaction::Transaction(Database& database, Kind kind) : x_database(database) {
  database.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

/// Some failures have rolled the transaction back already.
Transaction::~Transaction() {
  if (x_database.in_transaction()) sqlite3_exec(x_database.x_handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { x_database.execute("COMMIT"); }

}  // namespace tally::chain
