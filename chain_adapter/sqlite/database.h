// An SQLite file that survives a crash at any instant and is shared by several processes of one host: write-ahead log,
// every commit synced to the disk, one writer at a time, readers who see committed state only.
//
// A file says what it is: its application id names the kind, its user version the number of migrations it has been
// through. A file of another kind, or of a newer program, is refused and left as it is.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deterministic_math/numbers/digest.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tally::chain {

/// What stands in the way of a database.
enum class DatabaseFault : std::uint8_t {
  kMissing,   // no such file
  kExists,    // a file that was to be made has something in it
  kForeign,   // no SQLite file, or one of another kind
  kNewer,     // written by a newer program
  kBusy,      // another process kept writing for longer than the busy timeout
  kFull,      // no space on the disk
  kReadOnly,  // the file or its folder cannot be written
  kDamaged,
  kOther,
};

/// The message names the file and what to do.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(DatabaseFault fault, const std::string& message) : std::runtime_error(message), x_fault(fault) {}
  [[nodiscard]] DatabaseFault fault() const { return x_fault; }

 private:
  DatabaseFault x_fault;
};

/// A kind of file. Migrations are only ever appended to: the i-th leads from version i to version i + 1.
struct DatabaseSchema {
  std::string_view kind;         // "embedded chain", for messages
  std::string_view how_to_make;  // "`tally chain init FILE` makes one"
  std::int32_t application_id = 0;
  std::span<const std::string_view> migrations{};
};

class Database;

/// The rows of a query, and the end of it when they go. Columns count from 0; blobs and texts live until the next row.
class Rows {
 public:
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Goes to the first, then to each next row; false behind the last.
  [[nodiscard]] bool next();

  [[nodiscard]] std::int64_t integer(int column) const;
  /// A damaged file may hold what was never written: a negative number is kDamaged.
  [[nodiscard]] std::uint64_t natural(int column) const;
  [[nodiscard]] math::Bytes blob(int column) const;
  /// A blob of another size is kDamaged.
  [[nodiscard]] math::Bytes blob(int column, std::size_t size) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Statement;
  Rows(Database& database, sqlite3_stmt* statement) : x_database(database), x_statement(statement) {}

  Database& x_database;
  sqlite3_stmt* x_statement;
};

/// A prepared statement, to be run many times; one run at a time. Arguments are integers up to 2^63 - 1, byte spans,
/// texts, and empty optionals for NULL.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// For statements without rows.
  template <class... Arguments>
  void run(const Arguments&... arguments) {
    bind_all(arguments...);
    run_bound();
  }

  template <class... Arguments>
  [[nodiscard]] Rows query(const Arguments&... arguments) {
    bind_all(arguments...);
    return Rows(*x_database, x_statement);
  }

 private:
  template <class... Arguments>
  void bind_all(const Arguments&... arguments) {
    expect_parameters(sizeof...(arguments));
    int index = 0;
    (bind(++index, arguments), ...);
  }
  template <std::integral Integer>
  void bind(int index, Integer value) {
    bind_integer(index, checked(value));
  }
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      bind_null(index);
    }
  }
  void bind(int index, math::Bytes value);
  void bind(int index, std::string_view value);
  void bind(int index, const char* value) { bind(index, std::string_view(value)); }
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  void bind(int index, const std::vector<std::uint8_t>& value) { bind(index, math::Bytes(value)); }
  void bind_integer(int index, std::int64_t value);
  void bind_null(int index);
  template <std::integral Integer>
  std::int64_t checked(Integer value) const {
    if (!std::in_range<std::int64_t>(value)) refuse_integer();
    return static_cast<std::int64_t>(value);
  }
  [[noreturn]] void refuse_integer() const;
  void expect_parameters(std::size_t count) const;
  void run_bound();

  Database* x_database;
  sqlite3_stmt* x_statement = nullptr;
};

enum class OpenMode : std::uint8_t {
  kExisting,  // kMissing where there is none
  kNew,       // kExists unless the file is missing or has nothing in it
  kEither,
};

struct DatabaseSettings {
  OpenMode mode = OpenMode::kExisting;
  std::chrono::milliseconds busy_timeout{30'000};
  /// Fills a new file, in the very transaction that makes its tables: a file is never seen half made.
  std::function<void(Database&)> fill{};
};

class Database {
 public:
  /// Opens or makes the file, and brings an older one up to date. `schema` must outlive the database.
  Database(std::filesystem::path path, const DatabaseSchema& schema, const DatabaseSettings& settings = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return x_path; }
  [[nodiscard]] bool in_transaction() const;
  /// Statements without rows and parameters.
  void execute(const std::string& sql);
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const;
  /// The first column of the first row.
  [[nodiscard]] std::int64_t integer(std::string_view sql);

 private:
  friend class Rows;
  friend class Statement;
  friend class Transaction;

  void open(const DatabaseSettings& settings);
  void set_up(const DatabaseSettings& settings);
  void write_ahead();
  [[nodiscard]] bool is_empty();
  void refuse_unless_ours();
  void migrate(const DatabaseSettings& settings);
  [[noreturn]] void fail(int code) const;
  [[noreturn]] void fail(DatabaseFault fault, const std::string& what) const;

  std::filesystem::path x_path;
  const DatabaseSchema& x_schema;
  std::chrono::milliseconds x_busy_timeout;
  sqlite3* x_handle = nullptr;
};

/// Everything between its making and commit() happens wholly or not at all. Without commit() it is undone.
class Transaction {
 public:
  enum class Kind : std::uint8_t {
    kRead,   // one state of the file for all that is read
    kWrite,  // waits for other writers at once, so that it cannot fail for them later
  };
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// On the disk when it returns. If it throws, nothing was changed.
  void commit();

 private:
  Database& x_database;
};

}  // namespace tally::chain
