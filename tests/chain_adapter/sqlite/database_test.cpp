#include "chain_adapter/sqlite/database.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 1> kFirst = {"CREATE TABLE numbers (n INTEGER PRIMARY KEY, name BLOB)"};
constexpr std::array<std::string_view, 2> kBoth = {kFirst[0], "ALTER TABLE numbers ADD COLUMN note TEXT"};
constexpr DatabaseSchema kVersion1 = {"list of numbers", "ask a test for one", 0x7465'7374, kFirst};
constexpr DatabaseSchema kVersion2 = {"list of numbers", "ask a test for one", 0x7465'7374, kBoth};

class DatabaseFile : public testing::Test {
 protected:
  test::TemporaryFolder folder;
  fs::path path = folder.path() / "numbers.db";

  void make() { const Database database(path, kVersion1, {.mode = OpenMode::kNew}); }
};

template <class Work>
DatabaseFault fault_of(const Work& work, std::string_view mentions) {
  try {
    work();
  } catch (const DatabaseError& error) {
    EXPECT_NE(std::string_view(error.what()).find(mentions), std::string_view::npos) << error.what();
    return error.fault();
  }
  ADD_FAILURE() << "nothing was refused";
  return DatabaseFault::kOther;
}

std::int64_t count(Database& database) { return database.integer("SELECT count(*) FROM numbers"); }

TEST_F(DatabaseFile, keeps_what_was_committed_and_nothing_else) {
  {
    Database database(path, kVersion1, {.mode = OpenMode::kNew});
    Statement insert(database, "INSERT INTO numbers VALUES (?, ?)");
    {
      Transaction transaction(database, Transaction::Kind::kWrite);
      insert.run(1, std::vector<std::uint8_t>{0, 255});
      insert.run(std::uint64_t{2}, std::vector<std::uint8_t>{});
      insert.run(3, std::optional<std::string>());
      transaction.commit();
    }
    Transaction transaction(database, Transaction::Kind::kWrite);
    insert.run(4, "never");
  }
  Database database(path, kVersion1);
  Statement find(database, "SELECT name FROM numbers WHERE n >= ? ORDER BY n");
  Rows rows = find.query(0);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(math::to_hex(rows.blob(0)), "0x00ff");
  ASSERT_TRUE(rows.next());
  EXPECT_FALSE(rows.is_null(0));
  EXPECT_TRUE(rows.blob(0).empty());
  ASSERT_TRUE(rows.next());
  EXPECT_TRUE(rows.is_null(0));
  EXPECT_FALSE(rows.next());
}

TEST_F(DatabaseFile, syncs_every_commit_through_a_write_ahead_log) {
  Database database(path, kVersion1, {.mode = OpenMode::kNew});
  Statement mode(database, "PRAGMA journal_mode");
  Rows rows = mode.query();
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.text(0), "wal");
  EXPECT_EQ(database.integer("PRAGMA synchronous"), 2);
}

TEST_F(DatabaseFile, refuses_numbers_that_sqlite_cannot_hold) {
  Database database(path, kVersion1, {.mode = OpenMode::kNew});
  Statement insert(database, "INSERT INTO numbers VALUES (?, NULL)");
  EXPECT_THROW(insert.run(std::uint64_t{1} << 63), std::out_of_range);
  insert.run((std::uint64_t{1} << 63) - 1);
  EXPECT_EQ(database.changes(), 1);
}

TEST_F(DatabaseFile, tells_damage_from_what_was_written) {
  Database database(path, kVersion1, {.mode = OpenMode::kNew});
  database.execute("INSERT INTO numbers VALUES (-1, x'00')");
  Statement all(database, "SELECT n, name FROM numbers");
  Rows rows = all.query();
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(fault_of([&] { (void)rows.natural(0); }, "backup"), DatabaseFault::kDamaged);
  EXPECT_EQ(fault_of([&] { (void)rows.blob(1, 2); }, "backup"), DatabaseFault::kDamaged);
}

TEST_F(DatabaseFile, is_missing_until_it_is_made_and_then_not_replaced) {
  const auto open = [&] { const Database database(path, kVersion1); };
  EXPECT_EQ(fault_of(open, "ask a test for one"), DatabaseFault::kMissing);
  EXPECT_FALSE(fs::exists(path));
  std::ofstream(path).flush();
  EXPECT_EQ(fault_of(open, "nothing in it"), DatabaseFault::kForeign);
  make();
  EXPECT_EQ(fault_of([&] { make(); }, "not replaced"), DatabaseFault::kExists);
  open();
  const Database either(path, kVersion1, {.mode = OpenMode::kEither});
}

TEST_F(DatabaseFile, is_filled_in_the_transaction_that_makes_it) {
  const auto fill = [](Database& database) {
    database.execute("INSERT INTO numbers VALUES (1, NULL)");
    throw std::runtime_error("no");
  };
  EXPECT_THROW(Database(path, kVersion1, {.mode = OpenMode::kNew, .fill = fill}), std::runtime_error);
  Database database(path, kVersion1, {.mode = OpenMode::kNew});
  EXPECT_EQ(count(database), 0);
}

TEST_F(DatabaseFile, of_another_kind_is_refused_and_left_as_it_is) {
  std::ofstream(path) << std::string(5000, 'x');
  const auto open = [&] { const Database database(path, kVersion1, {.mode = OpenMode::kEither}); };
  EXPECT_EQ(fault_of(open, "no SQLite file"), DatabaseFault::kForeign);
  EXPECT_EQ(fs::file_size(path), 5000U);
  fs::remove(path);

  constexpr DatabaseSchema kOther = {"list of names", "", 0x6e61'6d65, kFirst};
  {
    const Database database(path, kOther, {.mode = OpenMode::kNew});
  }
  EXPECT_EQ(fault_of(open, "another program"), DatabaseFault::kForeign);
  fs::remove(path);

  fs::create_directory(path);
  EXPECT_EQ(fault_of(open, "regular file"), DatabaseFault::kForeign);
}

TEST_F(DatabaseFile, is_migrated_forward_and_refused_by_an_older_program) {
  {
    Database database(path, kVersion1, {.mode = OpenMode::kNew});
    database.execute("INSERT INTO numbers VALUES (7, NULL)");
  }
  {
    Database database(path, kVersion2);
    EXPECT_EQ(database.integer("SELECT count(*) FROM numbers WHERE n = 7 AND note IS NULL"), 1);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 2);
  }
  EXPECT_EQ(fault_of([&] { const Database database(path, kVersion1); }, "newer"), DatabaseFault::kNewer);
}

TEST_F(DatabaseFile, shows_readers_committed_state_only) {
  Database writer(path, kVersion1, {.mode = OpenMode::kNew});
  Database reader(path, kVersion1);
  Transaction write(writer, Transaction::Kind::kWrite);
  writer.execute("INSERT INTO numbers VALUES (1, NULL)");
  EXPECT_EQ(count(reader), 0);
  Transaction read(reader, Transaction::Kind::kRead);
  EXPECT_EQ(count(reader), 0);
  write.commit();
  EXPECT_EQ(count(reader), 0) << "one state for a whole transaction";
  read.commit();
  EXPECT_EQ(count(reader), 1);
}

TEST_F(DatabaseFile, waits_for_another_writer_and_says_so_when_it_gives_up) {
  make();
  Database first(path, kVersion1);
  Database second(path, kVersion1, {.busy_timeout = 50ms});
  Transaction write(first, Transaction::Kind::kWrite);
  const auto begin = [&] { const Transaction transaction(second, Transaction::Kind::kWrite); };
  EXPECT_EQ(fault_of(begin, "another process"), DatabaseFault::kBusy);
  write.commit();
  begin();
}

TEST_F(DatabaseFile, that_cannot_be_written_is_named) {
  make();
  {
    // Root may write any file, except where its header asks for a newer SQLite to write it (file format, 1.3.3).
    constexpr std::streamoff kWriteVersion = 18;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kWriteVersion).put(3);
  }
  const auto write = [&] {
    Database database(path, kVersion1);
    database.execute("INSERT INTO numbers VALUES (1, NULL)");
  };
  EXPECT_EQ(fault_of(write, "writable"), DatabaseFault::kReadOnly);
}

TEST_F(DatabaseFile, in_a_folder_that_is_missing_is_named) {
  EXPECT_EQ(
      fault_of([&] { const Database database(folder.path() / "no" / "x.db", kVersion1, {.mode = OpenMode::kNew}); },
               "folder"),
      DatabaseFault::kReadOnly);
}

// A limit on the size of files stands for a full disk: the write fails in the same place.
TEST_F(DatabaseFile, on_a_full_disk_keeps_what_it_had) {
  make();
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    Database database(path, kVersion1);
    const ::rlimit limit{.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Statement insert(database, "INSERT INTO numbers VALUES (?, zeroblob(4000))");
    int written = 0;
    try {
      for (;; ++written) insert.run(written);
    } catch (const DatabaseError&) {
      ::_exit(written);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_GT(WEXITSTATUS(status), 2);
  Database database(path, kVersion1);
  EXPECT_EQ(count(database), WEXITSTATUS(status));
}

TEST_F(DatabaseFile, is_full_where_sqlite_says_so) {
  Database database(path, kVersion1, {.mode = OpenMode::kNew});
  database.execute("PRAGMA max_page_count = 8");
  Statement insert(database, "INSERT INTO numbers VALUES (?, zeroblob(4000))");
  const auto fill = [&] {
    for (int n = 0; n < 100; ++n) insert.run(n);
  };
  EXPECT_EQ(fault_of(fill, "free some space"), DatabaseFault::kFull);
}

TEST_F(DatabaseFile, can_be_made_by_many_at_once) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Database database(path, kVersion2, {.mode = OpenMode::kEither, .fill = [](Database& fresh) {
                                            fresh.execute("INSERT INTO numbers VALUES (100, NULL, 'made once')");
                                          }});
      Statement insert(database, "INSERT INTO numbers VALUES (?, NULL, NULL)");
      insert.run(i);
    });
  }
  threads.clear();
  Database database(path, kVersion2);
  EXPECT_EQ(count(database), 9);
}

}  // namespace
}  // namespace tally::chain
