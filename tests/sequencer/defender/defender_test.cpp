#include "sequencer/defender/defender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "chain_adapter/data/batch_directory.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/step/one_step.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/hooked_chain.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using test::ChainedRounds;
using Kind = Defense::Kind;
using Outcome = Defense::Outcome;

proof::BatchId id_of(const BuiltBatch& batch) { return proof::batch_id(batch.manifest.header); }

class DefenderTest : public testing::Test {
 protected:
  explicit DefenderTest(test::RoundOptions options = {.settings = test::quick_settings()})
      : x_rounds(x_folder.path() / "data", std::move(options)) {}

  [[nodiscard]] chain::ChainAdapter& chain() { return x_rounds.chain(); }
  [[nodiscard]] Defender defender() { return {x_rounds.world().poster(), x_folder.path() / "data"}; }
  [[nodiscard]] std::uint16_t item_of(const std::string& table) { return x_rounds.item_of(table); }
  [[nodiscard]] std::unique_ptr<StoredBatch> stored(const BuiltBatch& batch) { return x_rounds.stored(batch); }
  proof::Game send(const proof::Wei& value, const proof::Transaction& transaction) {
    return x_rounds.send(value, transaction);
  }
  proof::Game open(const BuiltBatch& batch, const std::string& table, std::uint64_t entry, std::uint8_t salt = 0) {
    return x_rounds.open(batch, table, entry, salt);
  }
  proof::Game open_descent(const BuiltBatch& batch, const std::string& table) {
    const auto opened = stored(batch);
    const std::uint16_t item = item_of(table);
    const auto& tables = x_rounds.world().task().program.program.items[item].results;
    std::vector<math::Digest> roots;
    for (const math::ObjectId id : tables) {
      const auto digests = opened->data().leaf_digests(id);
      roots.push_back(proof::tree_root(digests));
    }
    return send(x_rounds.settings().challenger_bond,
                proof::OpenDescent{.header = batch.manifest.header,
                                   .item = item,
                                   .tables = tables,
                                   .salt = {},
                                   .roots = proof::make_roots(opened->batch(), tables, roots,
                                                              opened->data().leaves.table_commitments())});
  }
  /// A descent into a table whose first byte on disk is not what was posted any more.
  struct DamagedDescent {
    proof::Game game;
    std::filesystem::path table;
    std::vector<std::uint8_t> bytes;
    Defender defender;
  };
  [[nodiscard]] DamagedDescent damaged_descent() {
    const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
    proof::Game game = open_descent(batch, "next_model");
    std::filesystem::path table = chain::BatchPaths(batch.directory).table("next_model");
    std::vector<std::uint8_t> bytes = test::read_bytes(table);
    test::write_byte(table, 0, bytes[0] ^ 1U);
    return {.game = std::move(game), .table = std::move(table), .bytes = std::move(bytes), .defender = defender()};
  }
  /// The latest state, from the events.
  [[nodiscard]] proof::Game state_of(const proof::GameId& id) {
    proof::Game game;
    for (const chain::LoggedEvent& logged : chain().events(0, 100'000)) {
      if (const auto* opened = std::get_if<proof::GameOpened>(&logged.event); opened && opened->game.id == id)
        game = opened->game;
      if (const auto* moved = std::get_if<proof::GameMoved>(&logged.event); moved && moved->game.id == id)
        game = moved->game;
    }
    return game;
  }
  [[nodiscard]] std::vector<proof::OpeningKey> input_leaves(const BuiltBatch& batch) {
    const auto opened = stored(batch);
    std::vector<proof::OpeningKey> keys;
    for (math::ObjectId object = 0; object < opened->batch().program.objects.size(); ++object) {
      for (std::uint32_t record = 0; record < 4; ++record) {
        for (std::uint64_t leaf = 0; leaf < 8; ++leaf) {
          const proof::OpeningKey key{object, record, leaf};
          if (proof::is_input_leaf(opened->batch(), key)) keys.push_back(key);
        }
      }
    }
    return keys;
  }
  void request(const BuiltBatch& batch, const proof::OpeningKey& leaf) { x_rounds.request(batch, leaf); }

  test::TemporaryFolder x_folder;
  ChainedRounds x_rounds;
};

constexpr const char* kMaximum = R"(
program maximum
dim K in 1..8
dim D <= 1<<20
row updates: i32[D]
state model: i32[D]
table next_model[d in D]: i32 {
  fold k in K { m = max(m, updates[k, d]) } from m = 0
  return m
}
next model = next_model
)";

/// Wrong states inside a fold need not change how it ends.
class MaximumDefenderTest : public DefenderTest {
 protected:
  static constexpr std::uint64_t kEntries = 64;

  MaximumDefenderTest() : DefenderTest({.program = kMaximum, .dims = {kEntries}, .settings = test::quick_settings()}) {}

  [[nodiscard]] static std::filesystem::path row(const BuiltBatch& batch, std::uint64_t record) {
    return chain::BatchPaths(batch.directory).row("updates", record);
  }
  [[nodiscard]] static std::int64_t update(const BuiltBatch& batch, std::uint64_t record, std::uint64_t entry) {
    const auto bytes = test::read_bytes(row(batch, record));
    return static_cast<std::int64_t>(
        math::read_element(std::as_bytes(std::span(bytes)), math::ElementType::kI32, entry));
  }
  /// An entry where record 0 is positive, and another record is larger.
  [[nodiscard]] static std::uint64_t hidden_entry(const BuiltBatch& batch) {
    for (std::uint64_t entry = 0; entry < kEntries; ++entry) {
      const std::int64_t first = update(batch, 0, entry);
      if (first > 1 && first + 1 < std::max(update(batch, 1, entry), update(batch, 2, entry))) return entry;
    }
    throw std::runtime_error("no such entry");
  }
};

TEST_F(DefenderTest, has_nothing_to_do_where_nothing_is_disputed) {
  Defender defender = this->defender();
  EXPECT_TRUE(defender.defend_once(chain()).defenses.empty());
  static_cast<void>(x_rounds.posted(x_rounds.world().genesis()));
  const DefenseReport report = defender.defend_once(chain());
  EXPECT_TRUE(report.defenses.empty());
  EXPECT_EQ(report.open_games, 0U);
}

TEST_F(DefenderTest, answers_until_the_challenger_has_nothing_to_prove_and_then_takes_its_bond) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  Defender defender = this->defender();
  proof::Game game = open(batch, "next_model", 3);
  while (game.phase != proof::Phase::kProve) {
    ASSERT_EQ(game.phase, proof::Phase::kRespond);
    const DefenseReport report = defender.defend_once(chain());
    ASSERT_EQ(report.defenses.size(), 1U);
    EXPECT_EQ(report.defenses[0].outcome, Outcome::kDone) << report.defenses[0].message;
    EXPECT_EQ(report.defenses[0].phase, proof::Phase::kRespond);
    EXPECT_GT(report.defenses[0].bytes, 0U);
    game = state_of(game.id);
    ASSERT_EQ(game.phase, proof::Phase::kNarrow);
    EXPECT_TRUE(defender.defend_once(chain()).defenses.empty()) << "it is the challenger's turn";
    game =
        send({}, proof::MakeMove{.header = batch.manifest.header, .game = game, .move = proof::Narrow{.segment = 0}});
  }
  x_rounds.advance(game.challenger_clock_s);
  EXPECT_TRUE(defender.defend_once(chain()).defenses.empty()) << "the last second is in time";
  x_rounds.advance(1);
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].kind, Kind::kTimeout);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kDone) << report.defenses[0].message;
  EXPECT_EQ(defender.defend_once(chain()).open_games, 0U);
  EXPECT_GT(proof::read_credit(chain().state(), x_rounds.world().poster().address()).value, 0U);
  EXPECT_EQ(x_rounds.status(batch), proof::BatchStatus::kPending);
}

TEST_F(DefenderTest, reveals_a_table_down_to_a_leaf_and_defends_the_entry_chosen_there) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  Defender defender = this->defender();
  proof::Game game = open_descent(batch, "next_model");
  while (game.phase == proof::Phase::kReveal) {
    const DefenseReport report = defender.defend_once(chain());
    ASSERT_EQ(report.defenses.size(), 1U);
    ASSERT_EQ(report.defenses[0].outcome, Outcome::kDone) << report.defenses[0].message;
    game = state_of(game.id);
    if (game.phase != proof::Phase::kDescend) break;
    proof::Descend descend;
    for (const proof::Descent& descent : game.descents) {
      if (!descent.located) descend.children.push_back(0);
    }
    game = send({}, proof::MakeMove{.header = batch.manifest.header, .game = game, .move = descend});
  }
  ASSERT_EQ(game.phase, proof::Phase::kChoose);
  const auto opened = stored(batch);
  const std::uint16_t item = item_of("next_model");
  game = send({}, proof::MakeMove{.header = batch.manifest.header,
                                  .game = game,
                                  .move = proof::Choose{.item = item,
                                                        .entry = 1,
                                                        .openings = proof::make_result_openings(
                                                            opened->batch(), item, 1, opened->data().leaves)}});
  ASSERT_EQ(game.phase, proof::Phase::kRespond);
  EXPECT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

TEST_F(DefenderTest, gives_every_leaf_that_is_asked_for) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const auto leaves = input_leaves(batch);
  ASSERT_GT(leaves.size(), 6U);
  for (const proof::OpeningKey& leaf : leaves) request(batch, leaf);
  Defender defender = this->defender();
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), leaves.size());
  for (const Defense& defense : report.defenses) EXPECT_EQ(defense.outcome, Outcome::kDone) << defense.message;
  EXPECT_EQ(defender.defend_once(chain()).open_requests, 0U);
  for (const proof::OpeningKey& leaf : leaves) {
    EXPECT_EQ(proof::read_request(chain().state(), id_of(batch), leaf)->state, proof::RequestState::kAnswered);
  }
}

// Pitfall 27: one game that fails leaves the others alone.
TEST_F(DefenderTest, answers_the_other_games_where_one_batch_has_lost_its_data) {
  const BuiltBatch first = x_rounds.posted(x_rounds.world().genesis(), 1);
  const BuiltBatch second = x_rounds.posted(x_rounds.world().genesis(), 2);
  open(first, "next_model", 0);
  open(first, "next_model", 1);
  open(second, "next_model", 0);
  std::filesystem::remove_all(first.directory);
  Defender defender = this->defender();
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 3U);
  for (const Defense& defense : report.defenses) {
    EXPECT_EQ(defense.outcome, defense.batch == id_of(second) ? Outcome::kDone : Outcome::kFailed);
    EXPECT_EQ(defense.message.empty(), defense.batch == id_of(second)) << defense.message;
  }
  EXPECT_EQ(report.open_games, 3U);
}

TEST_F(DefenderTest, sends_nothing_from_data_that_changed) {
  DamagedDescent damaged = damaged_descent();
  const DefenseReport report = damaged.defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kFailed);
  EXPECT_EQ(state_of(damaged.game.id), damaged.game);
  test::write_byte(damaged.table, 0, damaged.bytes[0]);
  EXPECT_EQ(damaged.defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

TEST_F(DefenderTest, reads_a_batch_again_after_an_answer_that_failed) {
  DamagedDescent damaged = damaged_descent();
  EXPECT_EQ(damaged.defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kFailed);
  // The right file in the place of the other, which may still be mapped.
  const std::filesystem::path restored = x_folder.path() / "restored";
  test::write_bytes(restored, damaged.bytes);
  std::filesystem::rename(restored, damaged.table);
  EXPECT_EQ(damaged.defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
  EXPECT_NE(state_of(damaged.game.id), damaged.game);
}

TEST_F(DefenderTest, outlives_a_file_that_is_cut_while_it_is_open_and_names_it) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  Defender defender = this->defender();
  const auto leaves = input_leaves(batch);
  request(batch, leaves.front());
  ASSERT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone) << "the batch is open now";
  const std::filesystem::path path = chain::BatchPaths(batch.directory).file(chain::kRecordsFile);
  const auto bytes = test::read_bytes(path);
  std::filesystem::resize_file(path, 0);
  request(batch, leaves.at(1));
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kFailed);
  EXPECT_NE(report.defenses[0].message.find("records.bin"), std::string::npos) << report.defenses[0].message;
  test::write_bytes(path, bytes);
  EXPECT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

// Pitfall 26: it moves on what it recomputed alone.
TEST_F(DefenderTest, stays_silent_where_its_data_contradict_what_it_posted_unless_told_otherwise) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const proof::Game game = open(batch, "next_model", 0);
  const std::filesystem::path path = chain::BatchPaths(batch.directory).row("updates", 1);
  const auto bytes = test::read_bytes(path);
  test::write_byte(path, 2, bytes[2] ^ 0x40U);
  Defender defender = this->defender();
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kFailed);
  EXPECT_EQ(state_of(game.id), game);
  Defender stubborn(x_rounds.world().poster(), x_folder.path() / "data", Doubt::kAnswer);
  EXPECT_EQ(stubborn.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

TEST_F(MaximumDefenderTest, says_nothing_from_a_damaged_row_that_the_end_of_the_fold_does_not_show) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const std::uint64_t entry = hidden_entry(batch);
  const proof::Game game = open(batch, "next_model", entry);
  const auto bytes = test::read_bytes(row(batch, 0));
  test::write_byte(row(batch, 0), 4 * entry, bytes[4 * entry] ^ 1U);
  Defender defender = this->defender();
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kFailed);
  EXPECT_NE(report.defenses[0].message.find("updates of record 0"), std::string::npos) << report.defenses[0].message;
  EXPECT_EQ(state_of(game.id), game);
  test::write_byte(row(batch, 0), 4 * entry, bytes[4 * entry]);
  EXPECT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

TEST_F(MaximumDefenderTest, reads_all_batches_again_after_a_mapped_file_was_cut_that_looks_whole) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const std::uint64_t entry = hidden_entry(batch);
  Defender defender = this->defender();
  open(batch, "next_model", entry);
  ASSERT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone) << "the batch is open now";
  const auto bytes = test::read_bytes(row(batch, 0));
  const std::filesystem::path mapped = x_folder.path() / "mapped";
  std::filesystem::rename(row(batch, 0), mapped);
  test::write_bytes(row(batch, 0), bytes);
  std::filesystem::resize_file(mapped, 0);
  const proof::Game game = open(batch, "next_model", entry, 1);
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kFailed);
  EXPECT_EQ(state_of(game.id), game);
  EXPECT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

TEST_F(MaximumDefenderTest, hashes_rows_up_to_a_number_of_bytes) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  test::write_byte(row(batch, 2), 0, test::read_bytes(row(batch, 2))[0] ^ 1U);
  const std::uint16_t item = item_of("next_model");
  constexpr std::uint64_t kAllRows = 3 * kEntries * 4;
  EXPECT_NO_THROW(stored(batch)->check_inputs(item, kAllRows - 1));
  EXPECT_THROW(stored(batch)->check_inputs(item, kAllRows), std::runtime_error);
}

TEST_F(DefenderTest, compares_records_states_and_tables_before_a_response) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const std::uint16_t item = item_of("next_model");
  EXPECT_NO_THROW(stored(batch)->check_inputs(item, 0));
  const chain::BatchPaths paths(batch.directory);
  for (const auto& path : {paths.state("model"), paths.table("total"), paths.file(chain::kRecordsFile)}) {
    const auto bytes = test::read_bytes(path);
    test::write_byte(path, bytes.size() - 1, bytes.back() ^ 1U);
    EXPECT_THROW(stored(batch)->check_inputs(item, 0), std::runtime_error) << path;
    test::write_byte(path, bytes.size() - 1, bytes.back());
  }
}

// Pitfall 16: who copied the move made it for the defender, whether an event tells of it by then or not.
TEST_F(DefenderTest, takes_a_move_that_somebody_else_made_for_done) {
  for (const bool is_told : {true, false}) {
    const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis(), is_told ? 1 : 2);
    open(batch, "next_model", 0);
    request(batch, input_leaves(batch).front());
    Defender first = this->defender();
    Defender second = this->defender();
    bool raced = false;
    test::HookedChain late(chain(), [&](proof::Transaction&) {
      if (!std::exchange(raced, true)) static_cast<void>(first.defend_once(chain()));
    });
    if (!is_told) late.told_until() = chain().events(0, 100'000).back().position + 1;
    const DefenseReport report = second.defend_once(late);
    ASSERT_EQ(report.defenses.size(), 2U);
    for (const Defense& defense : report.defenses) EXPECT_EQ(defense.outcome, Outcome::kOvertaken) << defense.message;
  }
}

// Pitfall 25: every event is read, however long ago.
TEST_F(DefenderTest, finds_games_that_were_opened_while_it_was_away) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  for (std::uint8_t salt = 0; salt < 20; ++salt) open(batch, "next_model", salt % 5, salt);
  Defender defender = this->defender();
  EXPECT_EQ(defender.defend_once(chain()).defenses.size(), 20U);
  EXPECT_TRUE(defender.defend_once(chain()).defenses.empty());
}

TEST_F(DefenderTest, says_so_where_its_own_clock_has_run_out) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  const proof::Game game = open(batch, "next_model", 0);
  x_rounds.advance(game.poster_clock_s + 1);
  Defender defender = this->defender();
  const DefenseReport report = defender.defend_once(chain());
  ASSERT_EQ(report.defenses.size(), 1U);
  EXPECT_EQ(report.defenses[0].outcome, Outcome::kRefused);
  EXPECT_TRUE(report.defenses[0].message.starts_with("ClockExpired")) << report.defenses[0].message;
}

TEST_F(DefenderTest, finds_a_batch_under_any_name) {
  const BuiltBatch batch = x_rounds.posted(x_rounds.world().genesis());
  open(batch, "next_model", 0);
  const std::filesystem::path other = x_folder.path() / "data" / "kept" / "elsewhere";
  std::filesystem::create_directories(other.parent_path());
  std::filesystem::rename(batch.directory, other);
  Defender defender = this->defender();
  EXPECT_EQ(defender.defend_once(chain()).defenses.at(0).outcome, Outcome::kDone);
}

}  // namespace
}  // namespace tally::sequencer
