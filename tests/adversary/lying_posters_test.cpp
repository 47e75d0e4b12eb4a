// Posters of false batches, and what they may try to save them, to have somebody else win their bonds, or to make a
// watchtower lose its own. The watchtower is the real one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "tests/adversary/library_trials.h"
#include "tests/support/dispute_world.h"
#include "tests/support/everything_program.h"
#include "tests/support/forger.h"
#include "tests/support/lying_poster.h"
#include "tests/support/posted_batch.h"
#include "tests/support/refused.h"
#include "tests/support/test_batch.h"

namespace tally::test {
namespace {

namespace fs = std::filesystem;
using proof::BatchStatus;

TrialOptions everything(std::uint16_t arity = 3) {
  return {.program = std::string(kEverything), .dims = {4, 9}, .arity = arity};
}

Forgery forge(TrialWorld& world, ForgeryKind kind, std::uint64_t seed = 1) {
  Forger forger(world, seed);
  for (;;) {
    auto forgery = forger.make(kind);
    if (forgery && !forgery->may_be_true) return *std::move(forgery);
  }
}

/// Of a table whose entries are folds that no single move disproves.
Forgery false_first_element(const std::string& table) {
  return {.name = table + " 0", .data = [table](const fs::path& directory) {
            const fs::path file = chain::BatchPaths(directory).table(table);
            std::vector<std::uint8_t> bytes = read_bytes(file);
            bytes.front() ^= 1;
            write_bytes(file, bytes);
          }};
}

/// Ends everything that may still end by itself.
void let_time_pass(TrialWorld& world, const TrialWorld::Poster& poster) {
  for (int step = 0; step < 2; ++step) {
    world.chain().advance(world.settings().game_clock_s + world.settings().challenge_period_s);
    world.play(poster);
  }
}

TEST(LyingPosters, save_no_false_batch_and_cost_no_watchtower_its_bond) {
  constexpr std::array kKinds = {ForgeryKind::kElement, ForgeryKind::kOffByOne, ForgeryKind::kWithheld,
                                 ForgeryKind::kOtherData, ForgeryKind::kColluder};
  const std::size_t liars = [] {
    TrialWorld world(everything());
    return lying_posters(world, 0).size();
  }();
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < liars; ++i) {
    TrialWorld world(everything(i % 2 == 0 ? 2 : 3));
    for (std::size_t turn = 0; turn < 2 * kKinds.size(); ++turn) {
      const auto liar = std::move(lying_posters(world, 10 * turn)[i]);
      Forger forger(world, 100 * i + turn);
      const auto forgery = forger.make(kKinds[turn % kKinds.size()]);
      SCOPED_TRACE(std::string(liar->name()) + ", turn " + std::to_string(turn) + ", " + forgery->name);
      const proof::Wei before = world.owns(world.watcher());
      const auto trial = world.post(*forgery);
      if (!trial && trial.error().reason == proof::Reason::kBatchExists) continue;  // the same change as before
      ASSERT_TRUE(accepted(trial));
      if (forgery->may_be_true && world.is_true(*trial)) continue;
      Siege siege(world, *trial, turn);
      world.play_to_the_end(*trial, [&] { liar->act(siege); });
      ASSERT_EQ(world.status(*trial), BatchStatus::kInvalid);
      ASSERT_GE(world.owns(world.watcher()), before);
      ASSERT_TRUE(liar->slashes_itself() || world.owns(world.watcher()) > before);
      ++lost;
    }
  }
  EXPECT_GE(lost, liars * kKinds.size());
}

TEST(LyingPosters, who_copy_a_false_batch_lose_with_it) {
  TrialWorld world(everything());
  const proof::PrivateKey copier = world.person(0);
  const Forgery forgery = forge(world, ForgeryKind::kWithheld);
  const auto original = world.post(forgery);
  const auto copy = world.post(forgery, &copier);
  ASSERT_TRUE(original && copy);
  const proof::Wei before = world.owns(world.watcher());
  world.play_to_the_end(*original, [&] { world.defend(); });
  world.play_to_the_end(*copy, [&] { world.defend(); });
  EXPECT_EQ(world.status(*original), BatchStatus::kInvalid);
  EXPECT_EQ(world.status(*copy), BatchStatus::kInvalid);
  EXPECT_GT(world.owns(world.watcher()), before);
}

TEST(LyingPosters, who_copy_a_true_batch_gain_nothing_and_stop_nobody) {
  TrialWorld world(everything());
  const proof::PrivateKey copier = world.person(0);
  const auto original = world.post();
  const auto copy = world.post({}, &copier);
  ASSERT_TRUE(original && copy);
  const proof::Wei before = world.owns(copier);
  EXPECT_EQ(sent(world.play([&] { world.defend(); })), 0U);
  world.chain().advance(world.settings().challenge_period_s);
  world.must(world.poster(), {}, proof::Finalize{.header = world.posted(*original).posted.header});
  EXPECT_EQ(world.status(*original), BatchStatus::kFinal);
  EXPECT_EQ(world.status(*copy), BatchStatus::kSuperseded);
  world.must(copier, {}, proof::ReleaseBond{.header = world.posted(*copy).posted.header});
  EXPECT_EQ(world.owns(copier), (proof::Wei{before.value + world.settings().sequencer_bond.value}));
}

TEST(LyingPosters, who_post_decoys_beside_a_false_batch_lose_each_of_them) {
  TrialWorld world(everything());
  std::vector<Trial> trials;
  constexpr std::array kKinds = {ForgeryKind::kOffByOne,    ForgeryKind::kReplayed,    ForgeryKind::kWithheld,
                                 ForgeryKind::kExchanged,   ForgeryKind::kGarbageRoot, ForgeryKind::kRowBehind,
                                 ForgeryKind::kAdviceRange, ForgeryKind::kOtherLeaves, ForgeryKind::kGarbageRecords};
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const auto trial = world.post(forge(world, kKinds[i], i + 1));
    ASSERT_TRUE(accepted(trial)) << to_string(kKinds[i]);
    trials.push_back(*trial);
  }
  const auto honest = world.person(0);
  const auto valid = world.post({}, &honest);
  ASSERT_TRUE(valid.has_value());
  const proof::Wei before = world.owns(world.watcher());
  world.play([&] { world.defend(); });
  world.chain().advance(world.settings().window_s + 1);
  world.play([&] { world.defend(); });
  world.chain().advance(world.settings().game_clock_s + 1);
  world.play([&] { world.defend(); });
  for (std::size_t i = 0; i < trials.size(); ++i) {
    EXPECT_EQ(world.status(trials[i]), BatchStatus::kInvalid) << to_string(kKinds[i]);
  }
  EXPECT_GT(world.owns(world.watcher()), before);
  world.must(honest, {}, proof::Finalize{.header = world.posted(*valid).posted.header});
  EXPECT_EQ(world.status(*valid), BatchStatus::kFinal);
}

// The false child would be safe behind its orphaning if that ended the game over it.
TEST(LyingPosters, who_kill_their_own_ancestor_do_not_escape_a_game_that_is_open) {
  TrialWorld world(everything());
  const proof::PrivateKey sybil = world.person(0);
  const auto parent = world.post(false_first_element("a"));
  ASSERT_TRUE(accepted(parent));
  const auto child = world.post_on(*parent, false_first_element("hi"));
  ASSERT_TRUE(accepted(child));
  const proof::Wei before = world.owns(world.watcher());
  const auto events = world.watch().events;
  ASSERT_EQ(sent(events, "open_game"), 2U) << told(events);
  // Its friend is faster with the parent; the poster answers no other game.
  Siege siege(world, *parent, 1);
  for (int turn = 0; turn < 20 && world.status(*parent) == BatchStatus::kPending; ++turn) {
    static_cast<void>(world.watch_as(sybil, world.posters_data()));
    siege.follow();
    for (const proof::Game& game : siege.games_of(sybil.address())) {
      if (proof::to_move(game.phase) != proof::Side::kPoster) continue;
      static_cast<void>(siege.move(world.poster(), game, poster_answer(siege.data(), game, world.settings().arity)));
    }
  }
  ASSERT_EQ(world.status(*parent), BatchStatus::kInvalid);
  ASSERT_EQ(world.status(*child), BatchStatus::kOrphaned);
  let_time_pass(world, [] {});
  EXPECT_EQ(world.status(*child), BatchStatus::kInvalid);
  EXPECT_GT(world.owns(world.watcher()), before);
}

// Data.

/// What only the poster has: nothing of the batch is in the watchtower's folder.
Trial serve_nothing(TrialWorld& world, const Forgery& forgery) {
  const Trial trial = world.post(forgery).value();
  for (const std::string_view part : {"rows", "state", "tables"}) fs::remove_all(trial.watcher / part);
  fs::remove(trial.watcher / chain::kRecordsFile);
  return trial;
}

TEST(LyingPosters, who_answer_every_request_but_serve_nothing_are_judged_by_their_answers) {
  for (const bool is_false : {true, false}) {
    TrialWorld world(everything());
    const proof::Wei before = world.owns(world.watcher());
    const Trial trial = serve_nothing(world, is_false ? forge(world, ForgeryKind::kOffByOne) : Forgery{});
    const auto events = world.play_to_the_end(trial, [&] { world.defend(); });
    EXPECT_GT(sent(events, "request_leaf"), 10U);
    EXPECT_EQ(world.status(trial), is_false ? BatchStatus::kInvalid : BatchStatus::kPending);
    if (is_false) {
      EXPECT_GT(world.owns(world.watcher()), before);
    } else {
      EXPECT_EQ(sent(events, "open_game") + sent(events, "open_descent") + sent(events, "commit"), 0U);
    }
  }
}

TEST(LyingPosters, who_serve_all_but_one_leaf_lose_by_it) {
  TrialWorld world(everything());
  const proof::Wei before = world.owns(world.watcher());
  const Trial trial = serve_nothing(world, {});
  world.play_to_the_end(trial, [&] {
    // The poster's row is gone: all others are answered.
    fs::remove(chain::BatchPaths(trial.poster).row("x", 2));
    world.defend();
  });
  EXPECT_EQ(world.status(trial), BatchStatus::kInvalid);
  EXPECT_EQ(world.cause_of_loss(trial), proof::LossCause::kWithheld);
  EXPECT_GT(world.owns(world.watcher()), before);
}

TEST(LyingPosters, who_answer_a_request_a_second_late_lose_by_it) {
  TrialWorld world(everything());
  const proof::Wei before = world.owns(world.watcher());
  const Trial trial = serve_nothing(world, {});
  static_cast<void>(world.watch());
  world.chain().advance(world.settings().window_s + 1);
  const sequencer::DefenseReport defense = world.defend();
  EXPECT_TRUE(std::ranges::none_of(defense.defenses, [](const sequencer::Defense& one) {
    return one.outcome == sequencer::Defense::Outcome::kDone;
  }));
  world.play([&] { world.defend(); });
  EXPECT_EQ(world.status(trial), BatchStatus::kInvalid);
  EXPECT_EQ(world.cause_of_loss(trial), proof::LossCause::kWithheld);
  EXPECT_GT(world.owns(world.watcher()), before);
}

TEST(LyingPosters, who_post_roots_alone_lose_them) {
  for (const bool has_inputs : {true, false}) {
    TrialWorld world(everything());
    const proof::Wei before = world.owns(world.watcher());
    const auto trial = world.post({.name = "roots", .post = [&](proof::Post& post) {
                                     for (math::Digest& root : post.table_roots) root.bytes[7] ^= 0x55;
                                     if (!has_inputs) post.records_root.bytes[7] ^= 0x55;
                                   }});
    ASSERT_TRUE(accepted(trial));
    fs::remove_all(trial->watcher / "tables");
    if (!has_inputs) fs::remove_all(trial->watcher / "rows");
    world.play_to_the_end(*trial, [&] { world.defend(); });
    EXPECT_EQ(world.status(*trial), BatchStatus::kInvalid);
    EXPECT_GT(world.owns(world.watcher()), before);
  }
}

// Members.

TEST(LeavingMembers, who_ask_to_exit_before_a_post_cost_its_poster_nothing) {
  TrialWorld world(everything());
  for (std::uint64_t member = 0; member < 4; ++member) {
    world.must(world.rounds().key(member), {}, proof::RequestExit{.task = world.task_id(), .member = member});
  }
  const auto trial = world.post();
  ASSERT_TRUE(accepted(trial));
  EXPECT_EQ(sent(world.play([&] { world.defend(); })), 0U);

  Siege siege(world, *trial, 1);
  const proof::PrivateKey challenger = world.person(0);
  for (std::uint32_t k = 0; k < 4; ++k) {
    proof::OpeningWriter writer(siege.committed(), siege.data());
    writer.open({.object = math::kMemberObject, .record = k, .leaf = 0});
    const proof::LocalProof proof = proof::RecordSignerProof{.index = k, .openings = writer.take()};
    world.must(challenger, {},
               proof::Commit{.commitment = proof::proof_commitment(challenger.address(), trial->id, proof, {})});
    world.chain().mine(1);
    EXPECT_TRUE(refused(siege.send(challenger, {}, proof::ShowProof{.header = siege.header(), .proof = proof}),
                        proof::Reason::kSignerIsMember));
  }
  // Not at the last moment of the period either.
  world.chain().advance(world.settings().challenge_period_s - 1);
  proof::OpeningWriter writer(siege.committed(), siege.data());
  writer.open({.object = math::kMemberObject, .record = 0, .leaf = 0});
  EXPECT_TRUE(
      refused(siege.send(challenger, {},
                         proof::ShowProof{.header = siege.header(),
                                          .proof = proof::RecordSignerProof{.index = 0, .openings = writer.take()}}),
              proof::Reason::kSignerIsMember));
}

}  // namespace
}  // namespace tally::test
