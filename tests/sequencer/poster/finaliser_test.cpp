#include "sequencer/poster/finaliser.h"

#include <gtest/gtest.h>

#include <string>

#include "fraud_proof/settlement/tree.h"
#include "sequencer/task/extend.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/altered_state.h"
#include "tests/support/temporary_folder.h"

namespace tally::sequencer {
namespace {

using test::AlteredState;
using test::ChainedRounds;
using test::RoundWorld;
using test::TemporaryFolder;

proof::BatchId id_of(const BuiltBatch& batch) { return proof::batch_id(batch.manifest.header); }

TEST(Finaliser, finalises_a_line_once_its_periods_are_over) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch first = rounds.posted(rounds.world().genesis(), 1);
  rounds.advance(400);
  const BuiltBatch second = rounds.posted(RoundWorld::after(first), 2);
  chain::BatchIndex index;
  const proof::PrivateKey& key = rounds.world().key(0);
  FinaliserReport report = do_due(rounds.chain(), key, index, rounds.task());
  EXPECT_TRUE(report.finalised.empty());
  ASSERT_EQ(report.waiting.size(), 2U);
  EXPECT_EQ(report.waiting[0].reason, "its challenge period ends in 600 s");

  rounds.advance(600);
  report = do_due(rounds.chain(), key, index, rounds.task());
  EXPECT_EQ(report.finalised, std::vector{id_of(first)});
  EXPECT_EQ(rounds.status(first), proof::BatchStatus::kFinal);
  EXPECT_EQ(rounds.status(second), proof::BatchStatus::kPending);

  rounds.advance(400);
  report = do_due(rounds.chain(), key, index, rounds.task());
  EXPECT_EQ(report.finalised, std::vector{id_of(second)});
  EXPECT_TRUE(report.waiting.empty());
  EXPECT_EQ(proof::read_credit(rounds.chain().state(), rounds.world().poster().address()).value,
            2 * rounds.settings().sequencer_bond.value);
  EXPECT_EQ(latest_batch(rounds.chain().state(), rounds.world().store(), rounds.task()).value(), id_of(second));
}

TEST(Finaliser, gives_back_the_bonds_of_what_was_superseded) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch first = rounds.posted(rounds.world().genesis(), 1);
  const BuiltBatch sibling = rounds.posted(rounds.world().genesis(), 2);
  const BuiltBatch nephew = rounds.posted(RoundWorld::after(sibling), 3);
  rounds.advance(1'000);
  const FinaliserReport report = do_due(rounds.chain(), rounds.world().poster(), rounds.index(), rounds.task());
  EXPECT_EQ(report.finalised, std::vector{id_of(first)});
  EXPECT_EQ(report.released, (std::vector{id_of(sibling), id_of(nephew)}));
  EXPECT_EQ(report.transactions, 3U);
  EXPECT_EQ(rounds.status(sibling), proof::BatchStatus::kSuperseded);
  const auto dead = extend(rounds.chain().state(), rounds.index(), rounds.task(), id_of(sibling));
  ASSERT_FALSE(dead.has_value());
  EXPECT_EQ(dead.error().reason, ExtendReason::kDead);
  const auto posted = proof::read_credit(rounds.chain().state(), rounds.world().poster().address());
  EXPECT_EQ(posted.value, 3 * rounds.settings().sequencer_bond.value);
}

TEST(Finaliser, waits_for_an_earlier_sibling) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch first = rounds.posted(rounds.world().genesis(), 1);
  const BuiltBatch sibling = rounds.posted(rounds.world().genesis(), 2);
  rounds.advance(1'000);
  // The earlier one has a game open: the later one may not pass it.
  proof::NodeRecord node = *proof::read_node(rounds.chain().state(), rounds.task(), id_of(first));
  AlteredState patched(rounds.chain().state());
  node.open_games = 2;
  patched.put_node(id_of(first), node);
  const DuePlan plan = plan_due(patched, rounds.chain().head().time_s, rounds.index(), rounds.task());
  EXPECT_FALSE(plan.action.has_value());
  ASSERT_EQ(plan.waiting.size(), 2U);
  EXPECT_EQ(plan.waiting[0].reason, "2 games are open");
  EXPECT_EQ(plan.waiting[1].reason, "an earlier sibling is not invalid");
  EXPECT_EQ(plan.waiting[1].batch, id_of(sibling));
}

// Sham games: both sides are one, and leave the game for ever.
TEST(Finaliser, ends_games_of_others_that_nobody_else_ends) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch first = rounds.posted(rounds.world().genesis(), 1);
  const BuiltBatch sibling = rounds.posted(rounds.world().genesis(), 2);
  rounds.open(first, "next_model", 0);
  const proof::PrivateKey& anyone = rounds.world().key(0);
  const auto due = [&] { return do_due(rounds.chain(), anyone, rounds.index(), rounds.task()); };
  rounds.advance(rounds.settings().game_clock_s);
  FinaliserReport report = due();
  EXPECT_EQ(report.transactions, 0U) << "the last second is in time";
  ASSERT_EQ(report.waiting.size(), 2U);
  EXPECT_EQ(report.waiting[0].reason, "1 games are open");
  rounds.advance(1);
  report = due();
  EXPECT_EQ(report.claims, 1U);
  EXPECT_EQ(rounds.status(first), proof::BatchStatus::kInvalid);
  EXPECT_EQ(report.finalised, std::vector{id_of(sibling)});
  EXPECT_TRUE(report.waiting.empty());
  EXPECT_EQ(proof::read_credit(rounds.chain().state(), anyone.address()).value, 0U) << "the winner is paid";
}

TEST(Finaliser, claims_what_others_demanded_and_did_not_get) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch batch = rounds.posted(rounds.world().genesis(), 1);
  rounds.advance(rounds.settings().request_period_s - 1);
  rounds.request(batch, {.object = math::kMemberObject, .record = 0, .leaf = 0});
  const auto due = [&] { return do_due(rounds.chain(), rounds.world().key(0), rounds.index(), rounds.task()); };
  rounds.advance(rounds.settings().window_s + 1);
  EXPECT_EQ(due().transactions, 0U) << "the requester has until the period is over to claim it itself";
  rounds.advance(rounds.settings().challenge_period_s);
  EXPECT_EQ(due().claims, 1U);
  EXPECT_EQ(rounds.status(batch), proof::BatchStatus::kInvalid);
}

// The period of the first is over, the child's is not: what ran out in the child's disputes is nobody's to claim yet.
class TwoBatchesDisputed : public ::testing::Test {
 protected:
  TwoBatchesDisputed() : x_rounds(x_folder.path() / "data", {.settings = short_clocks()}) {
    x_rounds.advance(400);
    x_child = x_rounds.posted(RoundWorld::after(x_first), 2);
  }
  [[nodiscard]] static proof::TaskSettings short_clocks() {
    proof::TaskSettings settings = test::quick_settings();
    settings.game_clock_s = 900;
    return settings;
  }
  [[nodiscard]] DuePlan plan() {
    const std::uint64_t now_s = x_rounds.chain().head().time_s;
    return plan_due(x_rounds.chain().state(), now_s, x_rounds.index(), x_rounds.task());
  }
  /// At the end of the first batch's period, with a game about it that is still in time.
  void expect_nothing_due_but_in_the_child() {
    x_rounds.advance(599);
    x_rounds.open(x_first, "next_model", 0, 7);
    x_rounds.advance(302);
    const DuePlan early = plan();
    EXPECT_FALSE(early.action.has_value());
    ASSERT_EQ(early.waiting.size(), 2U);
    EXPECT_EQ(early.waiting[0].reason, "1 games are open");
    EXPECT_EQ(early.waiting[1].reason, "its challenge period ends in 99 s");
    x_rounds.advance(99);
  }

  const TemporaryFolder x_folder;
  ChainedRounds x_rounds;
  const BuiltBatch x_first = x_rounds.posted(x_rounds.world().genesis(), 1);
  BuiltBatch x_child;
};

TEST_F(TwoBatchesDisputed, have_a_timeout_claimed_in_the_batch_that_it_is_about) {
  const proof::Game game = x_rounds.open(x_child, "next_model", 0);
  expect_nothing_due_but_in_the_child();
  const DuePlan late = plan();
  ASSERT_TRUE(late.action.has_value());
  EXPECT_EQ(late.action->kind, DueAction::Kind::kClaimTimeout);
  EXPECT_EQ(late.action->batch, id_of(x_child));
  EXPECT_EQ(std::get<proof::ClaimTimeout>(late.action->transaction).game, game);
}

TEST_F(TwoBatchesDisputed, have_a_withheld_leaf_claimed_in_the_batch_that_it_is_about) {
  const proof::OpeningKey leaf{.object = math::kMemberObject, .record = 0, .leaf = 0};
  x_rounds.request(x_child, leaf);
  expect_nothing_due_but_in_the_child();
  const DuePlan late = plan();
  ASSERT_TRUE(late.action.has_value());
  EXPECT_EQ(late.action->kind, DueAction::Kind::kClaimWithheld);
  EXPECT_EQ(late.action->batch, id_of(x_child));
  EXPECT_EQ(std::get<proof::ClaimWithheld>(late.action->transaction).header, x_child.manifest.header);
}

TEST(Finaliser, passes_many_invalid_siblings) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  std::vector<BuiltBatch> batches;
  for (std::uint64_t i = 1; i <= 20; ++i) batches.push_back(rounds.posted(rounds.world().genesis(), i));
  rounds.advance(1'000);
  AlteredState patched(rounds.chain().state());
  for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
    proof::NodeRecord node = *proof::read_node(patched, rounds.task(), id_of(batches[i]));
    node.state = proof::NodeState::kLost;
    patched.put_node(id_of(batches[i]), node);
  }
  const auto plan = [&] { return plan_due(patched, rounds.chain().head().time_s, rounds.index(), rounds.task()); };
  const DuePlan skip = plan();
  ASSERT_TRUE(skip.action.has_value());
  EXPECT_EQ(skip.action->kind, DueAction::Kind::kSkipInvalid);
  proof::NodeRecord genesis = *proof::read_node(patched, rounds.task(), proof::kGenesisParent);
  EXPECT_EQ(proof::skip_invalid_children(patched, proof::kGenesisParent, genesis), proof::kMaxSkipped);
  patched.put_node(proof::kGenesisParent, genesis);
  const DuePlan end = plan();
  ASSERT_TRUE(end.action.has_value());
  EXPECT_EQ(end.action->kind, DueAction::Kind::kFinalize);
  EXPECT_EQ(end.action->batch, id_of(batches.back()));
}

}  // namespace
}  // namespace tally::sequencer
