#include "verifier/watchtower/memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "tests/support/dispute_world.h"
#include "tests/support/test_batch.h"
#include "tests/verifier/watchtower/watching.h"
#include "verifier/watchtower/judging.h"
#include "verifier/watchtower/verdict_codec.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using Kind = WatchEvent::Kind;
using test::count;
using test::DisputedBatch;
using test::DisputeWorld;
using test::sent;
using test::told;

Verdict full_verdict() {
  return {.kind = VerdictKind::kDescent,
          .entry = EntryTarget{.item = 1, .entry = 2},
          .item = 3,
          .descend = {4, 5},
          .check = CheckTarget{.cause = proof::LossCause::kAdviceRange, .object = 6, .index = 7},
          .missing = {{.object = 8, .first_record = 9, .records = 10, .leaves = 11}},
          .computed = {{.table = 11, .commitment = {{12}}}},
          .message = "a sentence"};
}

TEST(VerdictCodec, gives_back_what_was_stored) {
  const Verdict verdict = full_verdict();
  const auto read = decode_verdict(encode_verdict(verdict));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->kind, verdict.kind);
  EXPECT_EQ(read->entry, verdict.entry);
  EXPECT_EQ(read->item, verdict.item);
  EXPECT_EQ(read->descend, verdict.descend);
  EXPECT_EQ(read->check, verdict.check);
  EXPECT_EQ(read->missing, verdict.missing);
  EXPECT_EQ(read->computed, verdict.computed);
  EXPECT_EQ(read->message, verdict.message);
}

TEST(VerdictCodec, takes_another_layout_for_no_verdict) {
  const std::vector<std::uint8_t> bytes = encode_verdict(full_verdict());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_verdict(math::Bytes(bytes).first(length)).has_value()) << length;
  }
  std::vector<std::uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_verdict(longer).has_value());
  // After the archive's own byte: the number of the layout, then the kind.
  for (const std::size_t place : {1U, 4U, 5U}) {
    std::vector<std::uint8_t> other = bytes;
    other.at(place) ^= 0x40;
    EXPECT_FALSE(decode_verdict(other).has_value()) << place;
  }
}

/// What a memory file has in a column of a batch.
std::vector<std::uint8_t> stored(const fs::path& memory, const proof::BatchId& batch, const std::string& column) {
  chain::Database database = test::open_memory(memory);
  chain::Statement statement(database, "SELECT " + column + " FROM batch WHERE id = ?");
  chain::Rows rows = statement.query(math::Bytes(batch.digest.bytes));
  EXPECT_TRUE(rows.next());
  const math::Bytes blob = rows.blob(0);
  return {blob.begin(), blob.end()};
}

void store(const fs::path& memory, const proof::BatchId& batch, const std::string& column, math::Bytes bytes) {
  chain::Database database = test::open_memory(memory);
  chain::Statement(database, "UPDATE batch SET " + column + " = ? WHERE id = ?")
      .run(bytes, math::Bytes(batch.digest.bytes));
}

TEST(Memory, believes_no_verdict_of_another_batch_or_key) {
  DisputeWorld world;
  const proof::BatchId first = world.post({}, 1).id;
  const proof::BatchId second = world.post({}, 2).id;
  const fs::path file = world.folder() / "watchtower.sqlite";
  static_cast<void>(world.watch());
  WatchSettings other = world.watch_settings();
  other.memory = world.folder() / "other.sqlite";
  static_cast<void>(watch_once(world.chain(), world.rounds().key(0), other));
  const std::vector<std::uint8_t> own = stored(file, first, "verdict");
  const std::vector<std::uint8_t> of_second = stored(file, second, "verdict");
  const std::vector<std::uint8_t> of_other = stored(other.memory, first, "verdict");
  for (const auto& [bytes, is_believed] : {std::pair(own, true), {of_second, false}, {of_other, false}}) {
    store(file, first, "verdict", bytes);
    Memory memory(file, world.chain().identity(), world.watcher());
    EXPECT_EQ(memory.verdict(first).has_value(), is_believed);
  }
}

// Who can write to the memory and what lies beside it would have the watchtower descend into a table of a valid batch.
TEST(Memory, opens_no_descent_by_a_verdict_that_the_watchtower_did_not_make) {
  DisputeWorld world;
  const DisputedBatch batch = world.post();
  const fs::path file = world.folder() / "watchtower.sqlite";
  static_cast<void>(world.watch());
  const proof::Wei before = world.watcher_owns();

  const math::Program& program = world.program().program;
  const math::ObjectId table = proof::table_objects(program).back();
  const fs::path tables = scratch_tables(fs::path(file.string() + ".scratch") / to_hex(batch.id));
  const chain::BatchPaths paths(batch.watcher);
  std::vector<std::uint8_t> bytes = test::read_bytes(paths.table(world.program().names.objects.at(table)));
  bytes.at(0) ^= 1;
  fs::create_directories(tables);
  test::write_bytes(scratch_table(tables, table), bytes);
  test::write_bytes(scratch_row_roots(tables), {});
  const math::BatchValues values = proof::batch_values({3, 5}, 1, {});
  const proof::TableShape shape = proof::table_shape(program.objects[table], values);
  math::ThreadPool pool(1);
  const math::Digest commitment =
      chain::commit_table(shape, world.settings().leaf_bytes, std::as_bytes(std::span(bytes)), pool);
  const Verdict forged{.kind = VerdictKind::kDescent, .descend = {table}, .computed = {{table, commitment}}};

  WatchSettings other = world.watch_settings();
  other.memory = world.folder() / "other.sqlite";
  static_cast<void>(watch_once(world.chain(), world.rounds().key(0), other));
  Memory(other.memory, world.chain().identity(), world.rounds().key(0)).keep(batch.id, forged, batch.watcher);
  store(file, batch.id, "verdict", stored(other.memory, batch.id, "verdict"));

  const WatchReport report = world.watch();
  EXPECT_EQ(sent(report.events), 0U) << told(report.events);
  EXPECT_EQ(count(report.events, Kind::kJudged, "valid"), 1U) << told(report.events);
  EXPECT_EQ(world.watcher_owns(), before);
}

// What a post says of the seed is in no header.
TEST(Memory, counts_a_post_only_as_the_chain_tells_it) {
  DisputeWorld world;
  const DisputedBatch batch = world.post();
  const fs::path file = world.folder() / "watchtower.sqlite";
  static_cast<void>(world.watch());
  auto event = proof::decode_event(stored(file, batch.id, "posted")).value();
  std::get<proof::Posted>(event).seed.bytes[0] ^= 1;
  store(file, batch.id, "posted", proof::encode(event));
  const WatchReport report = world.watch();
  ASSERT_EQ(report.events.size(), 1U) << told(report.events);
  EXPECT_EQ(report.events.front().kind, Kind::kFailed);
  EXPECT_EQ(report.events.front().message, file.string() + ": the post of batch " + to_hex(batch.id) +
                                               " is not the chain's; remove the file, and the watchtower begins anew");
}

}  // namespace
}  // namespace tally::verifier
