// Processes that write to one chain are killed at random instants. What they had acknowledged is there afterwards,
// nothing is there by half, and others go on at once.
//
// TALLY_KILLS sets how many processes are killed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "chain_adapter/embedded/audit.h"
#include "tests/chain_adapter/embedded/chain_file.h"
#include "tests/support/wanted_count.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;
using test::ChainFile;

constexpr std::uint64_t kWriters = 3;
#ifdef TALLY_SANITIZED
constexpr int kDefaultKills = 40;
#else
constexpr int kDefaultKills = 200;
#endif
constexpr int kKillsPerFile = 20;

int kills_wanted() { return std::max(1, static_cast<int>(test::wanted_count("TALLY_KILLS", kDefaultKills))); }

/// A process of its own. It must be made while this process has no database open: SQLite's locks are of a process.
class Child {
 public:
  template <class Work>
  explicit Child(const Work& work) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    x_process = ::fork();
    if (x_process == 0) {
      ::close(ends[0]);
      work(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    x_read = ends[0];
  }
  Child(Child&& other) noexcept : x_process(std::exchange(other.x_process, -1)), x_read(other.x_read) {}
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (x_process > 0) (void)kill();
  }

  /// What it acknowledged until it died.
  std::vector<TransactionId> kill() {
    ::kill(x_process, SIGKILL);
    return finish();
  }

  /// What it acknowledged until its end.
  std::vector<TransactionId> finish() {
    std::vector<TransactionId> ids;
    TransactionId id{};
    while (::read(x_read, id.digest.bytes.data(), id.digest.bytes.size()) ==
           static_cast<::ssize_t>(id.digest.bytes.size())) {
      ids.push_back(id);
    }
    ::close(x_read);
    int status = 0;
    ::waitpid(std::exchange(x_process, -1), &status, 0);
    EXPECT_TRUE((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        << "it ended by itself";
    return ids;
  }

 private:
  ::pid_t x_process = -1;
  int x_read = -1;
};

void acknowledge(int pipe, const TransactionId& id) {
  if (::write(pipe, id.digest.bytes.data(), id.digest.bytes.size()) != 32) ::_exit(1);
}

/// Opens the chain, submits some transactions, one by one or several in a block, closes it, and again.
void write_for_ever(const fs::path& file, std::uint64_t account, const proof::TaskId& task, int pipe) {
  std::minstd_rand random(static_cast<unsigned>(::getpid()));
  const proof::PrivateKey key = development_key(account);
  for (;;) {
    EmbeddedChain chain(file);
    for (auto rounds = random() % 6; rounds > 0; --rounds) {
      if (random() % 2 == 0) {
        acknowledge(pipe, chain.submit({.key = key, .value = {1}, .transaction = proof::Fund{task}}));
        continue;
      }
      std::vector<std::vector<std::uint8_t>> block;
      const std::uint64_t nonce = chain.next_nonce(key.address());
      for (unsigned i = 0; i < 1 + random() % 8; ++i) {
        block.push_back(test::signed_bytes(chain.identity(), key, nonce + i, {1}, proof::Fund{task}));
      }
      for (const Submitted& submitted : chain.submit_signed(block)) acknowledge(pipe, submitted.id);
    }
  }
}

void expect_all_there(const fs::path& file, const std::vector<TransactionId>& acknowledged) {
  const auto report = audit(file);
  ASSERT_TRUE(report) << report.error();
  EXPECT_GE(report->transactions, acknowledged.size());
  EmbeddedChain chain(file);
  for (const TransactionId& id : acknowledged) ASSERT_EQ(chain.fate(id).kind, TransactionFate::Kind::kApplied);
}

proof::TaskId create_task_in(const fs::path& file) {
  EmbeddedChain chain(file);
  return test::create_task(chain, development_key(0));
}

TEST(KilledWriters, lose_nothing_that_was_acknowledged) {
  std::mt19937 random(std::random_device{}());
  const int wanted = kills_wanted();
  int kills = 0;
  std::size_t acknowledged_in_all = 0;
  while (kills < wanted) {
    const ChainFile file(test::genesis_for(kWriters + 1));
    const proof::TaskId task = create_task_in(file.path());
    std::vector<TransactionId> acknowledged;
    for (int here = 0; here < kKillsPerFile;) {
      std::vector<Child> writers;
      for (std::uint64_t account = 1; account <= 1 + random() % kWriters; ++account) {
        writers.emplace_back([&](int pipe) { write_for_ever(file.path(), account, task, pipe); });
      }
      for (Child& writer : writers) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
        const auto ids = writer.kill();
        acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
        ++here;
      }
      // Now and then a log is left to the next writers, unread.
      if (random() % 3 == 0) continue;
      ASSERT_NO_FATAL_FAILURE(expect_all_there(file.path(), acknowledged));
    }
    ASSERT_NO_FATAL_FAILURE(expect_all_there(file.path(), acknowledged));
    kills += kKillsPerFile;
    acknowledged_in_all += acknowledged.size();
  }
  EXPECT_GT(acknowledged_in_all, static_cast<std::size_t>(kills) / 2) << "the writers must come to write";
}

TEST(KilledWriters, leave_a_chain_that_is_made_whole_or_not_begun) {
  std::mt19937 random(std::random_device{}());
  int whole = 0;
  for (int i = 0; i < kills_wanted() / 8; ++i) {
    const test::TemporaryFolder folder;
    const fs::path path = folder.path() / "chain.db";
    const Genesis genesis = test::genesis_for(3);
    Child maker([&](int) { EmbeddedChain::create(path, genesis); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    (void)maker.kill();
    try {
      const EmbeddedChain chain(path);
      ++whole;
    } catch (const DatabaseError& error) {
      ASSERT_TRUE(error.fault() == DatabaseFault::kMissing || error.fault() == DatabaseFault::kForeign) << error.what();
      EmbeddedChain::create(path, genesis);
    }
    const auto report = audit(path);
    ASSERT_TRUE(report) << report.error();
  }
  EXPECT_GT(whole, 0);
}

TEST(ConcurrentWriters, lose_no_transaction) {
  constexpr int kEach = 40;
  const ChainFile file(test::genesis_for(kWriters + 1));
  const proof::TaskId task = create_task_in(file.path());
  std::vector<Child> writers;
  for (std::uint64_t i = 0; i < 4; ++i) {
    // The first two share a key.
    const std::uint64_t account = std::max<std::uint64_t>(i, 1);
    writers.emplace_back([&file, &task, account](int pipe) {
      EmbeddedChain chain(file.path());
      const proof::PrivateKey key = development_key(account);
      for (int sent = 0; sent < kEach; ++sent) {
        acknowledge(pipe, chain.submit({.key = key, .value = {1}, .transaction = proof::Fund{task}}));
      }
    });
  }
  std::vector<TransactionId> acknowledged;
  std::uint64_t seen = 0;
  {
    // What a reader sees at any instant is committed, and in step.
    EmbeddedChain reader(file.path());
    while (seen < 1 + 4 * kEach) {
      const EmbeddedStatus status = reader.status();
      ASSERT_GE(status.transactions, seen);
      ASSERT_EQ(status.transactions, status.events);
      ASSERT_EQ(status.transactions, status.head.block);
      ASSERT_EQ(status.held.value, status.transactions - 1);
      seen = status.transactions;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  for (Child& writer : writers) {
    const auto ids = writer.finish();
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kEach));
    acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
  }
  expect_all_there(file.path(), acknowledged);
  EmbeddedChain chain(file.path());
  EXPECT_EQ(chain.status().held.value, 4U * kEach);
  EXPECT_EQ(chain.next_nonce(development_key(1).address()), 2U * kEach);
}

// A power cut may leave the log cut off anywhere behind the last sync: what remains is a shorter chain.
TEST(CutLog, gives_the_chain_as_it_was_before) {
  const ChainFile file;
  std::vector<TransactionId> ids;
  Child writer([&](int pipe) {
    EmbeddedChain chain(file.path());
    const proof::TaskId task = test::create_task(chain, development_key(0));
    for (int i = 0; i < 20; ++i) {
      acknowledge(pipe, chain.submit({.key = development_key(1), .value = {1}, .transaction = proof::Fund{task}}));
    }
    ::kill(::getpid(), SIGKILL);  // without closing, which would empty the log
  });
  ids = writer.finish();
  ASSERT_EQ(ids.size(), 20U);
  const fs::path log = file.path().string() + "-wal";
  const std::uintmax_t size = fs::file_size(log);
  std::mt19937 random(std::random_device{}());
  std::uint64_t longest = 0;
  for (int i = 0; i < 40; ++i) {
    const test::TemporaryFolder folder;
    const fs::path copy = folder.path() / "chain.db";
    fs::copy_file(file.path(), copy);
    fs::copy_file(log, copy.string() + "-wal");
    fs::resize_file(copy.string() + "-wal", random() % (size + 1));
    if (i % 2 == 0) std::ofstream(copy.string() + "-wal", std::ios::app) << std::string(random() % 9000, 'x');
    const auto report = audit(copy);
    ASSERT_TRUE(report) << report.error();
    EmbeddedChain chain(copy);
    for (std::size_t at = 0; at < ids.size(); ++at) {
      const bool there = chain.fate(ids[at]).kind == TransactionFate::Kind::kApplied;
      ASSERT_EQ(there, at + 1 < report->transactions) << "a prefix of what was submitted";
    }
    longest = std::max(longest, report->transactions);
  }
  EXPECT_GT(longest, 1U);
}

}  // namespace
}  // namespace tally::chain
