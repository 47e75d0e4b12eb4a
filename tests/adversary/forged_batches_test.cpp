// The main property of DESIGN section 6 over every program of the library: whatever a poster changes in a valid batch,
// the chain refuses the post by name, or the honest watchtower wins on chain; and what it leaves valid is left alone.
//
// TALLY_FORGERIES says how many changes are made to each program, in several shapes (./dev soak); a few by default.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/adversary/library_trials.h"
#include "tests/support/dispute_world.h"
#include "tests/support/forger.h"
#include "tests/support/wanted_count.h"

namespace tally::test {
namespace {

std::uint64_t forgeries_of_each_program() { return wanted_count("TALLY_FORGERIES", 8); }

/// One batch of each shape, forged again and again.
class ForgedBatches : public testing::TestWithParam<std::string> {
 protected:
  void try_shape(const TrialShape& shape, std::uint64_t count, std::uint64_t seed) {
    TrialWorld world(trial_options(GetParam(), shape));
    Forger forger(world, seed);
    const proof::PrivateKey honest = world.person(0);
    const auto valid = world.post({}, &honest);
    ASSERT_TRUE(valid.has_value()) << valid.error().message;
    ASSERT_EQ(sent(world.play([] {})), 0U);
    const auto kinds = all_forgery_kinds();
    const std::uint64_t end = x_all + count;
    for (std::uint64_t tries = 0; x_all < end && tries < 20 * count && !HasFatalFailure(); ++tries) {
      const auto forgery = forger.make(kinds[x_next++ % kinds.size()]);
      if (!forgery) continue;
      SCOPED_TRACE(GetParam() + ", seed " + std::to_string(seed) + ", try " + std::to_string(tries) + ": " +
                   forgery->name);
      try_forgery(world, *forgery);
    }
    EXPECT_EQ(world.status(*valid), proof::BatchStatus::kPending);
  }

  void try_forgery(TrialWorld& world, const Forgery& forgery) {
    // What is changed behind a commitment alone is another batch by its poster.
    const proof::PrivateKey another = world.person(++x_tried);
    const auto trial = world.post(forgery, forgery.behind ? &another : nullptr);
    if (!trial && trial.error().reason == proof::Reason::kBatchExists) return;  // the same change as before
    ++x_all;
    if (!trial) {
      EXPECT_TRUE(forgery.refusals.contains(trial.error().reason))
          << to_string(trial.error().reason) << ": " << trial.error().message;
      ++x_refused;
      return;
    }
    ASSERT_FALSE(forgery.must_be_refused);
    const bool is_true = forgery.may_be_true && world.is_true(*trial);
    const proof::Wei before = world.owns(world.watcher());
    const auto poster = x_tried % 3 == 0 ? TrialWorld::Poster([] {}) : [&] { static_cast<void>(world.defend()); };
    const auto events = is_true ? world.play(poster) : world.play_to_the_end(*trial, poster);
    if (is_true) {
      ASSERT_EQ(world.status(*trial), proof::BatchStatus::kPending) << told(events);
      ASSERT_EQ(sent(events), 0U) << told(events);
      ++x_true;
      return;
    }
    ASSERT_EQ(world.status(*trial), proof::BatchStatus::kInvalid) << told(events);
    ASSERT_GT(world.owns(world.watcher()), before) << told(events);
    ++x_lost;
  }

  std::uint64_t x_next = 0;
  std::uint64_t x_tried = 0;
  std::uint64_t x_all = 0;
  std::uint64_t x_refused = 0;
  std::uint64_t x_lost = 0;
  std::uint64_t x_true = 0;
};

TEST_P(ForgedBatches, are_refused_by_name_or_lose_and_valid_ones_are_left_alone) {
  const std::uint64_t all = forgeries_of_each_program();
  const std::vector<std::string> names = trial_names();
  // Another kind first for each program, and one shape where there are few.
  const auto program = static_cast<std::uint64_t>(std::ranges::find(names, GetParam()) - names.begin());
  x_next = program * 7;
  const std::uint64_t shapes = all < 20 ? 1 : kTrialShapes.size();
  for (std::uint64_t i = 0; i < shapes && !HasFatalFailure(); ++i) {
    try_shape(kTrialShapes[(program + i) % kTrialShapes.size()], all / shapes, 20'261'121 + i);
  }
  EXPECT_EQ(x_all, all / shapes * shapes);
  EXPECT_EQ(x_refused + x_lost + x_true, x_all);
  EXPECT_GE(x_lost, all / 8);
  std::printf("%s: %lu lost, %lu refused at the post, %lu true all the same\n", GetParam().c_str(), x_lost, x_refused,
              x_true);
}

INSTANTIATE_TEST_SUITE_P(Library, ForgedBatches, testing::ValuesIn(trial_names()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace tally::test
