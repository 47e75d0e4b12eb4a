#include "verifier/challenger/player.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_leaves.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/commitments/roots.h"
#include "tests/support/posted_batch.h"
#include "tests/support/test_batch.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::TestBatch;

constexpr proof::Address kChallenger{{7}};

// A loop with two tables that read each other's earlier rounds, a scan, a check, and two results of one body.
constexpr std::string_view kLoopProgram = R"(
program rounds
dim K in 1..64
dim D in 1..64
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D]
loop t in 3 {
  table a[d in D]: i64 in -1000000000000..1000000000000 {
    fold k in K { n = n + min(max(x[k, d], -1000), 1000) * w[k] } from n = 0
    return n + min(max(s[d], -1000), 1000) + min(max(b[t - 1, d], -1000), 1000)
  }
  table b[d in D]: i64 in -9000000000000..9000000000000 {
    return a[t, d] * 3 + t
  }
}
table lo: i64 in -1000000000000..0, hi: i64 in 0..1000000000000 {
  fold d in D { u = min(u, a[2, d])  v = max(v, a[2, d]) } from u = 0, v = 0
  return u, v
}
check {
  require lo <= hi
}
table total: i64 {
  fold d in D { n = n + min(max(b[2, d], -1000000), 1000000) } from n = 0
  return n
}
)";

struct Played {
  bool won = false;
  std::size_t moves = 0;  // opening included
  std::string silence;
};

/// A batch on disk, and two copies of it: the poster's, and what the watchtower is given.
class Dispute {
 public:
  explicit Dispute(std::string_view program, test::TestBatchOptions options = {})
      : x_batch(program, std::move(options)) {
    const auto built = test::build(x_batch.inputs(), x_poster);
    EXPECT_TRUE(built.has_value()) << built.error().message;
  }

  void forge(const std::string& table, std::uint64_t index, math::i128 change = 1) {
    test::forge_table(x_poster, x_batch.program(), table, index, change);
  }
  /// Ends the poster's changes.
  void post() {
    x_posted = test::posted_batch(x_poster, x_batch.program());
    fs::copy(x_poster, x_watcher, fs::copy_options::recursive);
  }
  void withhold(const std::string& table) const { fs::remove(chain::BatchPaths(x_watcher).table(table)); }

  [[nodiscard]] const fs::path& watcher() const { return x_watcher; }
  [[nodiscard]] const fs::path& scratch() const { return x_scratch; }
  [[nodiscard]] PostedBatch& posted() { return x_posted; }
  [[nodiscard]] Verdict judged(const EntryEvaluator& scalar = math::evaluate_entry, std::stop_token stop = {}) const {
    math::ThreadPool pool(2);
    const chain::BatchPaths paths(x_watcher);
    const Description description = describe_posted(x_posted, paths);
    JudgeOptions options;
    options.pool = &pool;
    options.scratch = x_scratch;
    options.scalar = scalar;
    options.stop = std::move(stop);
    return judge(x_posted, description, paths, options);
  }

  [[nodiscard]] Played play(const Verdict& verdict, std::uint16_t arity,
                            const test::Claim& claim = test::claim_the_truth) const {
    PlayedBatch challenger(x_posted, chain::BatchPaths(x_watcher), x_scratch, verdict);
    PlayedBatch poster(x_posted, chain::BatchPaths(x_poster), {}, {});
    Played played;
    const auto opening = open_dispute(challenger, verdict, kChallenger, {});
    if (!opening) return {.won = false, .moves = 0, .silence = opening.error()};
    std::vector<GameStep> history = {{.move = {}, .game = start(poster, *opening)}};
    for (played.moves = 1; played.moves < 100; ++played.moves) {
      const proof::Game& game = history.back().game;
      const bool ours = proof::to_move(game.phase) == proof::Side::kChallenger;
      OrSilence<proof::Move> move = ours ? next_move(challenger, verdict, history, arity)
                                         : OrSilence<proof::Move>(test::poster_answer(poster, game, arity, claim));
      if (!move) {
        played.silence = move.error();
        return played;
      }
      const proof::MoveContext context{.batch = poster.committed(),
                                       .arity = arity,
                                       .sender = ours ? game.challenger : game.poster,
                                       .now_s = game.moved_at_s + 1};
      const auto result = proof::apply_move(context, game, *move);
      EXPECT_TRUE(result.has_value()) << proof::to_string(result.error().reason) << ": " << result.error().message;
      if (!result) return played;
      if (std::holds_alternative<proof::PosterLost>(*result)) {
        played.won = true;
        return played;
      }
      history.push_back({.move = *move, .game = std::get<proof::Game>(*result)});
    }
    return played;
  }

 private:
  [[nodiscard]] proof::Game start(const PlayedBatch& poster, const proof::Transaction& opening) const {
    const proof::GameStart start{.id = {},
                                 .batch = x_posted.posted.batch,
                                 .poster = x_posted.posted.header.poster,
                                 .delegate = {},
                                 .challenger = kChallenger,
                                 .bond = {},
                                 .clock_s = 1000,
                                 .now_s = 0};
    if (const auto* open = std::get_if<proof::OpenGame>(&opening)) {
      return proof::open_game(poster.committed(), start, open->item, open->entry, open->openings).value();
    }
    const auto& open = std::get<proof::OpenDescent>(opening);
    return proof::open_descent(poster.committed(), start, open.item, open.tables, open.roots).value();
  }

  TemporaryFolder x_folder;
  TestBatch x_batch;
  fs::path x_poster = x_folder.path() / "poster";
  fs::path x_watcher = x_folder.path() / "watcher";
  fs::path x_scratch = x_folder.path() / "scratch";
  PostedBatch x_posted;
};

TEST(Player, has_nothing_to_say_about_a_valid_batch) {
  Dispute dispute("fedavg");
  dispute.post();
  const Verdict verdict = dispute.judged();
  EXPECT_EQ(verdict.kind, VerdictKind::kValid) << verdict.message;
  EXPECT_TRUE(verdict.alarms.empty());
}

TEST(Player, finds_a_valid_batch_valid_whose_tables_are_withheld) {
  for (const std::string_view program : {std::string_view("fedavg"), kLoopProgram}) {
    Dispute dispute(program);
    dispute.post();
    fs::remove_all(dispute.watcher() / "tables");
    const Verdict verdict = dispute.judged();
    EXPECT_EQ(verdict.kind, VerdictKind::kValid) << verdict.message;
    EXPECT_FALSE(verdict.computed.empty());
  }
}

TEST(Player, wins_against_each_forged_entry) {
  for (const std::uint64_t index : {0U, 1U, 4U}) {
    for (const std::uint16_t arity : std::initializer_list<std::uint16_t>{2, 3, 32}) {
      Dispute dispute("fedavg", {.dims = {7, 5}});
      dispute.forge("next_model", index);
      dispute.post();
      const Verdict verdict = dispute.judged();
      ASSERT_EQ(verdict.kind, VerdictKind::kEntry) << verdict.message;
      EXPECT_EQ(verdict.entry->entry, index);
      const Played played = dispute.play(verdict, arity);
      EXPECT_TRUE(played.won) << played.silence;
    }
  }
}

TEST(Player, wins_wherever_the_poster_begins_to_lie) {
  Dispute dispute("fedavg", {.dims = {7, 5}});
  dispute.forge("next_model", 3, -1);
  dispute.post();
  const Verdict verdict = dispute.judged();
  for (std::uint64_t from = 0; from <= 8; ++from) {
    const test::Claim claim = [from](std::uint64_t state, math::Accumulators right) {
      if (state >= from) right[0] += 1;
      return right;
    };
    for (const std::uint16_t arity : std::initializer_list<std::uint16_t>{2, 4, 64}) {
      const Played played = dispute.play(verdict, arity, claim);
      EXPECT_TRUE(played.won) << from << " " << played.silence;
    }
  }
}

TEST(Player, descends_into_withheld_tables) {
  for (const std::uint64_t index : {0U, 17U, 39U}) {
    Dispute dispute("fedavg", {.dims = {3, 40}});
    dispute.forge("next_model", index);
    dispute.post();
    dispute.withhold("next_model");
    const Verdict verdict = dispute.judged();
    ASSERT_EQ(verdict.kind, VerdictKind::kDescent) << verdict.message;
    const Played played = dispute.play(verdict, 32);
    EXPECT_TRUE(played.won) << played.silence;
  }
}

TEST(Player, descends_in_a_loop_to_the_first_entry_of_all_its_tables) {
  const std::vector<std::vector<std::string>> withheld = {{"a"}, {"b"}, {"a", "b"}, {}};
  for (const auto& tables : withheld) {
    for (const std::uint64_t a : {0U, 25U, 59U}) {
      for (const std::uint64_t b : {1U, 26U, 41U, 58U}) {
        Dispute dispute(kLoopProgram, {.dims = {3, 20}});
        dispute.forge("a", a);
        dispute.forge("b", b);
        dispute.post();
        for (const std::string& table : tables) dispute.withhold(table);
        const Verdict verdict = dispute.judged();
        EXPECT_EQ(verdict.kind, tables.empty() ? VerdictKind::kEntry : VerdictKind::kDescent) << verdict.message;
        const Played played = dispute.play(verdict, 4);
        EXPECT_TRUE(played.won) << a << " " << b << " " << played.silence;
      }
    }
  }
}

TEST(Player, takes_a_file_of_other_contents_for_a_withheld_table) {
  Dispute dispute(kLoopProgram);
  dispute.forge("hi", 0);
  dispute.post();
  test::write_byte(chain::BatchPaths(dispute.watcher()).table("hi"), 3, 0x55);
  const Verdict verdict = dispute.judged();
  ASSERT_EQ(verdict.kind, VerdictKind::kDescent) << verdict.message;
  EXPECT_TRUE(dispute.play(verdict, 32).won);
}

TEST(Player, never_believes_a_directory_about_itself) {
  Dispute dispute("fedavg");
  dispute.forge("next_model", 2);
  dispute.post();
  // Without its descriptions the directory is data under unknown names: as good as missing.
  for (const std::string_view name : {chain::kManifestFile, chain::kHeaderFile, chain::kProgramFile}) {
    fs::remove(dispute.watcher() / name);
  }
  EXPECT_EQ(dispute.judged().kind, VerdictKind::kEntry);
  test::write_bytes(dispute.watcher() / chain::kProgramTextFile, {'x'});
  EXPECT_EQ(dispute.judged().kind, VerdictKind::kMissing);
}

TEST(Player, says_nothing_where_an_input_is_missing) {
  const std::vector<std::string> inputs = {"records.bin", "rows/updates/1.bin", "state/model.bin"};
  for (const std::string& input : inputs) {
    Dispute dispute("fedavg");
    dispute.forge("next_model", 2);
    dispute.post();
    const std::vector<std::uint8_t> bytes = test::read_bytes(dispute.watcher() / input);
    fs::remove(dispute.watcher() / input);
    const Verdict missing = dispute.judged();
    EXPECT_EQ(missing.kind, VerdictKind::kMissing) << input;
    EXPECT_FALSE(missing.missing.empty());
    std::vector<std::uint8_t> changed = bytes;
    changed.at(changed.size() / 2) ^= 1;
    test::write_bytes(dispute.watcher() / input, changed);
    const Verdict other = dispute.judged();
    EXPECT_EQ(other.kind, VerdictKind::kMissing) << input;
    EXPECT_EQ(other.missing, missing.missing);
    test::write_bytes(dispute.watcher() / input, bytes);
    EXPECT_EQ(dispute.judged().kind, VerdictKind::kEntry);
  }
}

TEST(Player, lists_all_leaves_of_what_is_missing) {
  Dispute dispute("fedavg", {.dims = {3, 30'000}});
  dispute.post();
  fs::remove_all(dispute.watcher() / "rows");
  const Verdict verdict = dispute.judged();
  EXPECT_EQ(verdict.kind, VerdictKind::kMissing);
  EXPECT_TRUE(leaf_count(verdict.missing) == 3 * 30'000 * 4 / 64);
}

TEST(Player, notices_data_that_changed_after_it_was_judged) {
  Dispute dispute("fedavg");
  dispute.forge("next_model", 2);
  dispute.post();
  const Verdict verdict = dispute.judged();
  test::write_byte(dispute.watcher() / "rows/updates/0.bin", 8, 0x77);
  EXPECT_THROW(static_cast<void>(dispute.play(verdict, 32)), DataMissing);
}

// Pitfall 26: a memory from another time names an entry that is right.
TEST(Player, does_not_dispute_a_right_entry_whatever_the_verdict_says) {
  Dispute dispute("fedavg");
  dispute.post();
  Verdict verdict;
  verdict.kind = VerdictKind::kEntry;
  verdict.entry = EntryTarget{.item = 1, .entry = 2};
  const Played played = dispute.play(verdict, 32);
  EXPECT_EQ(played.moves, 0U);
  EXPECT_NE(played.silence.find("right"), std::string::npos) << played.silence;
}

TEST(Player, opens_no_game_that_a_transaction_may_not_end) {
  std::string source = "program many\ndim K in 1..8\nstate s: i8[4096]\ntable t: i64 { return s[0]";
  for (int i = 1; i < 60; ++i) source += " + s[" + std::to_string(i) + "]";
  Dispute dispute(source + " }\n", {.dims = {1}});
  dispute.forge("t", 0);
  dispute.post();
  const Verdict verdict = dispute.judged();
  ASSERT_EQ(verdict.kind, VerdictKind::kEntry) << verdict.message;
  EXPECT_TRUE(dispute.play(verdict, 32).won);
  // As on a chain that would take the program with leaves so large.
  PostedBatch& posted = dispute.posted();
  const Description description = describe_posted(posted, chain::BatchPaths(dispute.watcher()));
  proof::CommittedBatch committed = committed_batch(description);
  committed.leaf_bytes = posted.task.settings.leaf_bytes = 4096;
  posted.posted.header.tables_root = proof::tables_root(
      chain::posted_commitments(committed, posted.posted.state_commitments, posted.posted.table_roots).tables);
  posted.posted.batch = proof::batch_id(posted.posted.header);
  const Played played = dispute.play(verdict, 32);
  EXPECT_EQ(played.moves, 0U);
  EXPECT_NE(played.silence.find("longer than a transaction"), std::string::npos) << played.silence;
}

TEST(Player, replays_the_item_by_the_interpreter_where_the_executor_is_not_confirmed) {
  Dispute dispute("fedavg");
  dispute.forge("next_model", 2);
  dispute.post();
  // An interpreter that sees nothing wrong with the entry that the executor names, the first time.
  int calls = 0;
  const EntryEvaluator scalar = [&](const math::Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
    auto results = math::evaluate_entry(evaluation, item, entry);
    if (calls++ == 0) results->at(0) += 1;
    return results;
  };
  const Verdict verdict = dispute.judged(scalar);
  ASSERT_EQ(verdict.alarms.size(), 1U);
  EXPECT_NE(verdict.alarms.front().find("next_model"), std::string::npos);
  EXPECT_EQ(verdict.kind, VerdictKind::kEntry);
  EXPECT_TRUE(dispute.play(verdict, 32).won);
}

TEST(Player, needs_no_verdict_once_judging_was_stopped_in_the_fold_that_confirms_it) {
  Dispute dispute(kLoopProgram);
  dispute.forge("total", 0);  // whose fold reads no rows, which hear the stop themselves
  dispute.post();
  std::stop_source stop;
  const EntryEvaluator scalar = [&](const math::Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
    stop.request_stop();
    const auto results = math::evaluate_entry(evaluation, item, entry);
    ADD_FAILURE() << "the fold ran to its end";
    return results;
  };
  EXPECT_THROW(static_cast<void>(dispute.judged(scalar, stop.get_token())), chain::Stopped);
}

TEST(Player, can_be_ended_in_each_fold_that_a_move_replays) {
  struct Enough {};
  Dispute dispute("fedavg");
  dispute.forge("next_model", 2);
  dispute.post();
  const Verdict verdict = dispute.judged();
  const auto throws = [] { throw Enough{}; };
  PlayedBatch ended(dispute.posted(), chain::BatchPaths(dispute.watcher()), dispute.scratch(), verdict, throws);
  EXPECT_THROW(static_cast<void>(open_dispute(ended, verdict, kChallenger, {})), Enough);
  // A bisection of 3 steps, whose end and beginning are replayed.
  proof::Game game{
      .phase = proof::Phase::kNarrow, .item = verdict.entry->item, .entry = verdict.entry->entry, .high = 3};
  const std::vector<GameStep> history = {{.move = {}, .game = game}};
  EXPECT_THROW(static_cast<void>(next_move(ended, verdict, history, 2)), Enough);
}

}  // namespace
}  // namespace tally::verifier
