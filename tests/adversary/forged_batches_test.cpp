// The main property of DESIGN section 6 over every program of the library: whatever a poster changes in a valid batch,
// the chain refuses the post by name, or the honest watchtower wins on chain; and what it leaves valid is left alone.
// In tasks with keepers one of those who sign is honest, and the watchtower has what that one stored. What it does not
// sign for is refused; and posted all the same with the signatures of dishonest ones, where its data can be had.
//
// TALLY_FORGERIES says how many changes are made to each program, in several shapes (./dev soak); a few by default.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/adversary/forgery_rules.h"
#include "tests/adversary/library_trials.h"
#include "tests/support/dispute_world.h"
#include "tests/support/wanted_count.h"

namespace tally::test {
namespace {

using proof::LossCause;

constexpr std::uint64_t kFew = 8;

std::uint64_t forgeries_of_each_program() { return wanted_count("TALLY_FORGERIES", kFew); }

/// What became of the forgeries of a kind.
struct KindCount {
  std::uint64_t all = 0;
  std::uint64_t refused = 0;  // at the post, for good
  std::uint64_t true_all_the_same = 0;
  std::map<LossCause, std::uint64_t> lost{};

  [[nodiscard]] std::uint64_t all_lost() const {
    std::uint64_t sum = 0;
    for (const auto& [cause, count] : lost) sum += count;
    return sum;
  }
};

/// Forgeries of one world after the other.
class Trials {
 public:
  [[nodiscard]] const std::map<ForgeryKind, KindCount>& kinds() const { return x_kinds; }
  [[nodiscard]] KindCount sum() const {
    KindCount sum;
    for (const auto& [kind, count] : x_kinds) {
      sum.all += count.all;
      sum.refused += count.refused;
      sum.true_all_the_same += count.true_all_the_same;
      for (const auto& [cause, times] : count.lost) sum.lost[cause] += times;
    }
    return sum;
  }

  /// One more of the kind; false where there is none, or it is the same change as before.
  bool one(TrialWorld& world, Forger& forger, ForgeryKind kind) {
    const auto forgery = forger.make(kind);
    if (!forgery) return false;
    SCOPED_TRACE(std::string(to_string(kind)) + ": " + forgery->name);
    // What is changed behind a commitment alone is another batch by its poster.
    const proof::PrivateKey another = world.person(++x_tried);
    const auto trial = world.post(*forgery, forgery->behind ? &another : nullptr);
    if (!trial && trial.error().reason == proof::Reason::kBatchExists) return false;
    KindCount& count = x_kinds[kind];
    ++count.all;
    const Keeper keeper = rule_of(kind).keeper;
    if (trial) {
      EXPECT_FALSE(world.has_keepers() && keeper == Keeper::kRefuses) << "an honest keeper signed";
      play(world, *forgery, kind, *trial);
    } else if (world.has_keepers() && !forgery->certificate && trial.error().reason == proof::Reason::kKeeperCount) {
      EXPECT_NE(keeper, Keeper::kSigns) << "an honest keeper refused";
      bribe(world, *forgery, kind);
    } else {
      EXPECT_TRUE(forgery->refusals.contains(trial.error().reason))
          << to_string(trial.error().reason) << ": " << trial.error().message;
      ++count.refused;
    }
    return true;
  }

 private:
  void bribe(TrialWorld& world, const Forgery& forgery, ForgeryKind kind) {
    if (!forgery.behind) {
      const auto bribed = world.post(forgery, nullptr, Quorum::kBribed);
      ASSERT_TRUE(bribed.has_value()) << bribed.error().message;
      if (world.has_inputs(*bribed)) return play(world, forgery, kind, *bribed);
    }
    // Nobody can have the data: what the quorum is there for.
    ++x_kinds[kind].refused;
  }

  void play(TrialWorld& world, const Forgery& forgery, ForgeryKind kind, const Trial& trial) {
    const bool is_true = forgery.may_be_true && world.is_true(trial);
    const proof::Wei before = world.owns(world.watcher());
    const auto poster = x_tried % 2 == 0 ? TrialWorld::Poster([] {}) : [&] { static_cast<void>(world.defend()); };
    const auto events = is_true ? world.play(poster) : world.play_to_the_end(trial, poster);
    if (is_true) {
      ASSERT_EQ(world.status(trial), proof::BatchStatus::kPending) << told(events);
      ASSERT_EQ(sent(events), 0U) << told(events);
      ++x_kinds[kind].true_all_the_same;
      return;
    }
    ASSERT_EQ(world.status(trial), proof::BatchStatus::kInvalid) << told(events);
    ASSERT_GT(world.owns(world.watcher()), before) << told(events);
    const LossCause cause = world.cause_of_loss(trial).value();
    const ForgeryRule& rule = rule_of(kind);
    ASSERT_TRUE(rule.usual.contains(cause) || rule.also.contains(cause)) << to_string(cause);
    ++x_kinds[kind].lost[cause];
  }

  std::uint64_t x_tried = 0;
  std::map<ForgeryKind, KindCount> x_kinds;
};

/// A world with a valid batch that stays what it is, whatever is posted beside it.
class BesideValid {
 public:
  explicit BesideValid(TrialOptions options) : x_world(std::move(options)), x_honest(x_world.person(0)) {
    const auto valid = x_world.post({}, &x_honest);
    if (!valid) throw std::runtime_error(valid.error().message);
    x_valid = *valid;
    EXPECT_EQ(sent(x_world.play([] {})), 0U);
  }
  [[nodiscard]] TrialWorld& world() { return x_world; }
  void check_valid() { EXPECT_EQ(x_world.status(x_valid), proof::BatchStatus::kPending); }

 private:
  TrialWorld x_world;
  proof::PrivateKey x_honest;
  Trial x_valid;
};

/// Where many were tried: none silently never applies, or never loses.
void expect_each_kind(const Trials& trials, const std::set<ForgeryKind>& due) {
  std::set<LossCause> causes;
  for (const ForgeryKind kind : due) {
    const ForgeryRule& rule = rule_of(kind);
    SCOPED_TRACE(to_string(kind));
    const auto found = trials.kinds().find(kind);
    if (found == trials.kinds().end()) {
      ADD_FAILURE() << "none was made";
      continue;
    }
    const KindCount& count = found->second;
    EXPECT_GE(rule.usual.empty() ? count.refused : count.all_lost() + count.true_all_the_same, 1U);
    causes.insert(rule.usual.begin(), rule.usual.end());
  }
  const KindCount sum = trials.sum();
  for (const LossCause cause : causes) EXPECT_TRUE(sum.lost.contains(cause)) << to_string(cause);
}

class ForgedBatches : public testing::TestWithParam<std::string> {
 protected:
  /// One batch of a shape, forged again and again, and until one of the forgeries was lost.
  void try_shape(const TrialShape& shape, std::uint64_t count, std::uint64_t seed) {
    SCOPED_TRACE(GetParam() + ", seed " + std::to_string(seed));
    BesideValid beside(trial_options(GetParam(), shape));
    Forger forger(beside.world(), seed);
    const auto kinds = all_forgery_kinds();
    for (const ForgeryKind kind : kinds) {
      if (meets(beside.world(), rule_of(kind).needs)) x_due.insert(kind);
    }
    const std::uint64_t lost = x_trials.sum().all_lost();
    std::uint64_t made = 0;
    for (std::uint64_t tries = 0; made < count || x_trials.sum().all_lost() == lost; ++tries) {
      ASSERT_LT(tries, 20 * count + kinds.size());
      if (x_trials.one(beside.world(), forger, kinds[x_next++ % kinds.size()])) ++made;
      if (HasFailure()) return;
    }
    beside.check_valid();
    check_shape(beside.world(), shape);
  }

  static void check_shape(const TrialWorld& world, const TrialShape& shape) {
    EXPECT_EQ(world.settings().arity, shape.arity);
    const math::Dim& records = world.program().program.dims.front();
    const std::uint64_t wanted = records.lo + shape.dims.above_least;
    EXPECT_EQ(world.values().dims.front(), std::min(std::max(wanted, shape.dims.records), records.hi));
  }

  std::uint64_t x_next = 0;
  Trials x_trials;
  std::set<ForgeryKind> x_due;
};

TEST_P(ForgedBatches, are_refused_by_name_or_lose_and_valid_ones_are_left_alone) {
  const std::uint64_t all = forgeries_of_each_program();
  const std::vector<std::string> names = trial_names();
  // Another kind first for each program, and one shape where there are few.
  const auto program = static_cast<std::uint64_t>(std::ranges::find(names, GetParam()) - names.begin());
  x_next = program * 7;
  const std::uint64_t shapes = all < 20 ? 1 : kTrialShapes.size();
  std::uint64_t seed = 20'261'121;
  for (std::uint64_t i = 0; i < shapes && !HasFailure(); ++i) {
    try_shape(kTrialShapes[(program + i) % kTrialShapes.size()], all / shapes, seed++);
  }
  for (const TrialShape& shape : kLeastShapes) {
    if (!HasFailure()) try_shape(shape, std::max<std::uint64_t>(all / 16, 1), seed++);
  }
  const KindCount sum = x_trials.sum();
  EXPECT_EQ(sum.refused + sum.all_lost() + sum.true_all_the_same, sum.all);
  EXPECT_GE(sum.all_lost(), all / 8);
  if (all >= 4 * all_forgery_kinds().size()) expect_each_kind(x_trials, x_due);
  std::printf("%s: %lu changes, %lu lost, %lu refused at the post, %lu true all the same\n", GetParam().c_str(),
              sum.all, sum.all_lost(), sum.refused, sum.true_all_the_same);
}

INSTANTIATE_TEST_SUITE_P(Library, ForgedBatches, testing::ValuesIn(trial_names()),
                         [](const auto& one) { return one.param; });

/// Of the program that has everything.
class ForgeryKinds : public testing::Test {
 protected:
  static constexpr std::uint64_t kOfEach = 6;

  static Trials tried(bool has_keepers) {
    TrialShape shape = kTrialShapes.front();
    shape.has_keepers = has_keepers;
    BesideValid beside(trial_options(std::string(kEverythingName), shape));
    Forger forger(beside.world(), 20'261'121);
    Trials trials;
    for (const ForgeryKind kind : all_forgery_kinds()) {
      std::uint64_t made = 0;
      for (std::uint64_t tries = 0; made < kOfEach && tries < 10 * kOfEach; ++tries) {
        if (trials.one(beside.world(), forger, kind)) ++made;
        if (HasFailure()) return trials;
      }
      // Some have no more than four forms, since a record can be doubled but once.
      const bool is_due = has_keepers || rule_of(kind).needs != Needs::kQuorum;
      EXPECT_EQ(made >= 4, is_due) << to_string(kind);
    }
    beside.check_valid();
    return trials;
  }
};

TEST_F(ForgeryKinds, are_lost_by_each_cause_that_is_theirs) {
  const Trials trials = tried(false);
  for (const auto& [kind, count] : trials.kinds()) {
    for (const LossCause cause : rule_of(kind).usual) {
      EXPECT_TRUE(count.lost.contains(cause)) << to_string(kind) << ", " << to_string(cause);
    }
  }
  // They are numbered from 1.
  EXPECT_EQ(trials.sum().lost.size(), static_cast<std::size_t>(LossCause::kWithheld));
}

// Where no leaf can be requested; what would be lost as withheld has no quorum.
TEST_F(ForgeryKinds, are_lost_likewise_where_keepers_have_the_inputs) {
  const Trials trials = tried(true);
  for (const auto& [kind, count] : trials.kinds()) {
    for (const LossCause cause : rule_of(kind).usual) {
      EXPECT_NE(count.lost.contains(cause), cause == LossCause::kWithheld)
          << to_string(kind) << ", " << to_string(cause);
    }
  }
}

}  // namespace
}  // namespace tally::test
