#include "verifier/watchtower/plan.h"

#include <gtest/gtest.h>

#include <variant>

namespace tally::verifier {
namespace {

constexpr proof::Address kSelf{{1}};
constexpr proof::Address kOther{{2}};
constexpr proof::OpeningKey kLeaf{.object = 3, .record = 1, .leaf = 0};
constexpr MissingPart kPart{.object = 3, .first_record = 1};

/// A batch of second 1000, at second 1100.
BatchView pending(VerdictKind verdict) {
  BatchView view;
  view.self = kSelf;
  view.posted_s = 1000;
  view.now_s = 1100;
  view.settings = {.challenge_period_s = 1000, .request_period_s = 500, .window_s = 50};
  view.settings.availability = proof::LeafRequests{};
  view.verdict = Verdict{.kind = verdict};
  view.judged_now = true;
  return view;
}

void ask(BatchView& view, const proof::Address& by, std::uint64_t time_s) {
  view.history.requested.insert(kLeaf);
  view.history.open_requests[kLeaf] = {.by = by, .requested_s = time_s};
}

proof::Game& add_game(BatchView& view, proof::Phase phase) {
  proof::Game game;
  game.phase = phase;
  game.moved_at_s = 1050;
  game.poster_clock_s = 40;
  game.challenger_clock_s = 40;
  view.history.games.push_back({.history = {{.move = {}, .game = game}}});
  return view.history.games.back().history.back().game;
}

TEST(Plan, claims_a_request_of_another_where_its_leaf_is_missing_here_and_the_window_is_over) {
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {kPart};
  ask(view, kOther, 1050);
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  ask(view, kOther, 1049);
  const Action action = plan(view);
  ASSERT_TRUE(std::holds_alternative<TakeWithheld>(action));
  EXPECT_EQ(std::get<TakeWithheld>(action).leaf, kLeaf);
}

TEST(Plan, leaves_requests_of_others_alone_where_nothing_is_missing) {
  BatchView view = pending(VerdictKind::kValid);
  ask(view, kOther, 1000);
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  ask(view, kSelf, 1000);
  EXPECT_TRUE(std::holds_alternative<TakeWithheld>(plan(view)));
}

TEST(Plan, asks_for_each_missing_leaf_that_nobody_asked_for) {
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {{.object = 3, .first_record = 1, .records = 2}};
  ask(view, kOther, 1090);
  const Action action = plan(view);
  ASSERT_TRUE(std::holds_alternative<DemandLeaf>(action));
  EXPECT_EQ(std::get<DemandLeaf>(action).leaf.record, 2U);
}

TEST(Plan, asks_for_no_leaf_whose_demand_is_not_told_yet) {
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {{.object = 3, .first_record = 1, .records = 2}};
  ask(view, kOther, 1090);
  view.awaited.demands.insert({.object = 3, .record = 2, .leaf = 0});
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  view.awaited = {};
  EXPECT_TRUE(std::holds_alternative<DemandLeaf>(plan(view)));
}

TEST(Plan, asks_for_nothing_where_demands_are_not_worth_their_bonds) {
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {kPart};
  view.spares_demands = true;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  // What was asked for before is claimed all the same.
  ask(view, kSelf, 1000);
  EXPECT_TRUE(std::holds_alternative<TakeWithheld>(plan(view)));
}

TEST(Plan, asks_for_any_number_of_missing_leaves_once_each) {
  constexpr std::uint64_t kLeaves = 10'000;
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {{.object = 4, .leaves = kLeaves}};
  // Others asked for some of them, and for what is not missing here.
  for (std::uint64_t leaf = 0; leaf < 100; ++leaf) {
    view.history.requested.insert({.object = 3, .record = 0, .leaf = leaf});
    view.history.requested.insert({.object = 4, .record = 0, .leaf = 7 * leaf});
  }
  std::uint64_t asked = 100;
  for (; asked < kLeaves; ++asked) {
    const Action action = plan(view);
    ASSERT_TRUE(std::holds_alternative<DemandLeaf>(action)) << asked;
    ASSERT_TRUE(view.history.requested.insert(std::get<DemandLeaf>(action).leaf).second) << asked;
  }
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
}

TEST(Plan, judges_again_once_all_that_was_asked_for_is_answered) {
  BatchView view = pending(VerdictKind::kMissing);
  view.verdict->missing = {kPart};
  ask(view, kSelf, 1090);
  view.history.answers = 5;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  view.history.open_requests.clear();
  EXPECT_TRUE(std::holds_alternative<JudgeBatch>(plan(view)));
  view.answers_judged = 5;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
}

TEST(Plan, judges_what_misses_data_once_in_a_run) {
  BatchView view = pending(VerdictKind::kMissing);
  view.settings.availability = proof::KeeperQuorum{};
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  view.judged_now = false;
  EXPECT_TRUE(std::holds_alternative<JudgeBatch>(plan(view)));
}

TEST(Plan, clears_its_own_expired_game_away_while_another_may_be_opened) {
  BatchView view = pending(VerdictKind::kEntry);
  add_game(view, proof::Phase::kNarrow);
  view.now_s = 1091;
  EXPECT_TRUE(std::holds_alternative<TakeTimeout>(plan(view)));
  // Behind the period nobody gains by it but the poster.
  view.now_s = 2000;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  view.history.games.clear();
  view.now_s = 1999;
  EXPECT_TRUE(std::holds_alternative<OpenDispute>(plan(view)));
}

TEST(Plan, claims_the_posters_timeout_at_any_time) {
  BatchView view = pending(VerdictKind::kEntry);
  add_game(view, proof::Phase::kRespond);
  view.now_s = 1090;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  view.now_s = 5000;
  EXPECT_TRUE(std::holds_alternative<TakeTimeout>(plan(view)));
}

TEST(Plan, passes_over_a_game_that_is_given_up_and_plays_the_next) {
  BatchView view = pending(VerdictKind::kEntry);
  proof::Game& first = add_game(view, proof::Phase::kNarrow);
  first.id.digest.bytes[0] = 1;
  view.silenced_games.insert(first.id);
  add_game(view, proof::Phase::kNarrow);
  view.now_s = 1060;
  const Action action = plan(view);
  ASSERT_TRUE(std::holds_alternative<MoveInGame>(action));
  EXPECT_EQ(std::get<MoveInGame>(action).game, 1U);
}

TEST(Plan, takes_bonds_back_where_another_brought_the_batch_down) {
  BatchView view = pending(VerdictKind::kEntry);
  view.status = proof::BatchStatus::kInvalid;
  add_game(view, proof::Phase::kRespond);
  EXPECT_TRUE(std::holds_alternative<TakeRefund>(plan(view)));
  view.history.games.clear();
  ask(view, kSelf, 1099);
  EXPECT_TRUE(std::holds_alternative<TakeWithheld>(plan(view)));
  ask(view, kOther, 1000);
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
}

// Pitfall 19.
TEST(Plan, looks_after_a_batch_that_fell_until_neither_a_late_event_nor_a_reorganisation_matters) {
  BatchView view = pending(VerdictKind::kValid);
  view.settings.game_clock_s = 300;
  view.status = proof::BatchStatus::kInvalid;
  for (const std::uint64_t now_s : {1100U, 2000U, 2299U, 2300U}) {
    view.now_s = now_s;
    EXPECT_EQ(std::get<Rest>(plan(view)).done, now_s == 2300U) << now_s;
  }
}

TEST(Plan, does_nothing_about_what_is_done_and_not_told_yet) {
  BatchView view = pending(VerdictKind::kEntry);
  view.awaited.opening = true;
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  add_game(view, proof::Phase::kNarrow).challenger_clock_s = 1000;
  EXPECT_TRUE(std::holds_alternative<MoveInGame>(plan(view)));
  view.awaited.games.insert(view.history.games.front().now().id);
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
  ask(view, kSelf, 1000);
  EXPECT_TRUE(std::holds_alternative<TakeWithheld>(plan(view)));
  view.awaited.requests.insert(kLeaf);
  EXPECT_TRUE(std::holds_alternative<Rest>(plan(view)));
}

}  // namespace
}  // namespace tally::verifier
