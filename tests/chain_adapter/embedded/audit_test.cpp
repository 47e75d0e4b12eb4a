#include "chain_adapter/embedded/audit.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "tests/chain_adapter/embedded/chain_file.h"

namespace tally::chain {
namespace {

struct Damage {
  std::string_view sql;
  std::string_view mentions;
};

/// Two accounts fund a task and one of them joins it, in blocks of one and of two transactions.
void write_history(const std::filesystem::path& file) {
  EmbeddedChain chain(file);
  const proof::TaskId task = test::create_task(chain, development_key(0));
  (void)chain.advance(10);
  const std::vector<std::vector<std::uint8_t>> block = {
      test::signed_bytes(chain.identity(), development_key(1), 0, {7}, proof::Fund{task}),
      test::signed_bytes(chain.identity(), development_key(2), 0, {8}, proof::Fund{task})};
  (void)chain.submit_signed(block);
  (void)test::send(chain, development_key(1), test::some_task().settings.min_stake, proof::Register{task});
}

TEST(Audit, counts_what_a_sound_chain_holds) {
  const test::ChainFile file;
  write_history(file.path());
  const auto report = audit(file.path());
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->blocks, 5U);
  EXPECT_EQ(report->transactions, 4U);
  EXPECT_EQ(report->events, 4U);
}

TEST(Audit, finds_whatever_was_changed_in_the_file) {
  const Damage damages[] = {
      {"UPDATE meta SET chain_id = 78", "block 0"},
      {"UPDATE meta SET base_fee = '2'", "block 0"},
      {"UPDATE genesis SET balance = '1' WHERE address = (SELECT min(address) FROM genesis)", "block 0"},
      {"UPDATE blocks SET time = time + 1 WHERE number = 2", "block 2"},
      {"UPDATE blocks SET hash = zeroblob(32) WHERE number = 3", "block 3"},
      {"UPDATE blocks SET parent = zeroblob(32) WHERE number = 3", "block 3: not on top"},
      {"UPDATE blocks SET hash = zeroblob(31) WHERE number = 3", "damaged"},
      {"UPDATE blocks SET time = 5 WHERE number = 4", "block 4: before"},
      {"UPDATE blocks SET time = time + 1 WHERE number = 4", "block 4: its hash"},
      {"INSERT INTO blocks SELECT 5, time, hash, zeroblob(32) FROM blocks WHERE number = 4", "block 5: its hash"},
      {"DELETE FROM blocks WHERE number = 2", "block 2: missing"},
      {"DELETE FROM blocks", "damaged"},
      {"DELETE FROM transactions WHERE number = 3", "block 4: its hash"},
      {"DELETE FROM transactions WHERE number = 1", "transaction 1: missing"},
      {"UPDATE transactions SET id = zeroblob(32) WHERE number = 1", "transaction 1: not the one of its id"},
      {"UPDATE transactions SET position = 1 WHERE number = 1", "transaction 1: out of place"},
      {"UPDATE transactions SET block = 4 WHERE number = 2", "block 3: its hash"},
      {"UPDATE transactions SET position = 2 WHERE number = 2", "transaction 2: out of place"},
      {"UPDATE transactions SET block = 1 WHERE number = 2", "transaction 2: in an earlier block"},
      {"UPDATE transactions SET sender = zeroblob(20) WHERE number = 1", "transaction 1: from another sender"},
      {"UPDATE transactions SET nonce = 1 WHERE number = 1", "transaction 1: out of the order"},
      {"UPDATE transactions SET kind = 'post' WHERE number = 1", "transaction 1: of another kind"},
      {"UPDATE transactions SET events = 0 WHERE number = 1", "transaction 1: with other events"},
      {"UPDATE transactions SET first_event = 0 WHERE number = 1", "transaction 1: with other events"},
      {"UPDATE transactions SET bytes = x'00' WHERE number = 1", "transaction 1: not the one of its id"},
      {"UPDATE events SET bytes = x'00' WHERE position = 2", "event 2: not what the settlement said"},
      {"UPDATE events SET kind = 'Posted' WHERE position = 2", "event 2: not what the settlement said"},
      {"UPDATE events SET transaction_number = 3 WHERE position = 2", "event 2: of another transaction"},
      {"DELETE FROM events WHERE position = 1", "event 1: missing"},
      {"INSERT INTO events VALUES (4, 3, 'Funded', x'00')", "event 4: of no transaction"},
      {"UPDATE accounts SET nonce = nonce + 1", "account"},
      {"UPDATE accounts SET balance = '0' WHERE address = (SELECT min(address) FROM accounts)", "account"},
      {"UPDATE accounts SET balance = 'much'", "damaged"},
      {"INSERT INTO accounts VALUES (zeroblob(20), '0', 0)", "account 0x0000"},
      {"DELETE FROM accounts WHERE address = (SELECT min(address) FROM genesis)", "missing"},
      {"UPDATE records SET record = x'00' WHERE key = (SELECT max(key) FROM records)", "record 0x"},
      {"INSERT INTO records VALUES (x'ff', x'00')", "record 0xff"},
      {"DELETE FROM records WHERE key = (SELECT max(key) FROM records)", "a record of the settlement is missing"},
      {"DELETE FROM records WHERE key = (SELECT min(key) FROM records)", "record 0x"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.sql);
    const test::ChainFile file(test::genesis_for(4), test::Where::kMemory);
    write_history(file.path());
    {
      Database database(file.path(), embedded_schema());
      database.execute(std::string(damage.sql));
      ASSERT_GT(database.changes(), 0);
    }
    const auto report = audit(file.path());
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().find(damage.mentions), std::string::npos) << report.error();
  }
}

TEST(Audit, finds_pages_that_were_overwritten) {
  const test::ChainFile file;
  write_history(file.path());
  {
    std::FILE* raw = std::fopen(file.path().c_str(), "r+b");
    ASSERT_NE(raw, nullptr);
    ASSERT_EQ(std::fseek(raw, 5 * 4096, SEEK_SET), 0);
    const std::string noise(200, '\x5a');
    ASSERT_EQ(std::fwrite(noise.data(), 1, noise.size(), raw), noise.size());
    std::fclose(raw);
  }
  const auto report = audit(file.path());
  EXPECT_FALSE(report);
}

}  // namespace
}  // namespace tally::chain
