// What a watchtower does for tasks that its operator did not name, and in which order it judges.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chain_adapter/keys/development_keys.h"
#include "tests/support/dispute_world.h"
#include "tests/support/hooked_chain.h"
#include "tests/verifier/watchtower/watching.h"
#include "verifier/watchtower/demand_budget.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using Kind = WatchEvent::Kind;
using test::comes_true;
using test::count;
using test::Crash;
using test::DisputedBatch;
using test::DisputeWorld;
using test::sent;
using test::told;

proof::Wei bonds(const DisputeWorld& world, unsigned number) {
  const auto& requests = std::get<proof::LeafRequests>(world.settings().availability);
  return {requests.request_bond.value * number};
}

void lose_memory(const DisputeWorld& world) {
  for (const fs::directory_entry& entry : fs::directory_iterator(world.folder())) {
    if (entry.path().filename().string().starts_with("watchtower")) fs::remove_all(entry.path());
  }
}

TEST(Strangers, cost_no_more_than_the_limit_for_demands) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 3);
  const DisputedBatch first = world.post({}, 1);
  fs::remove_all(first.watcher);
  const auto watch = [&] { return watch_once(world.chain(), world.watcher(), settings).events; };
  // Of its records, rows and state, 7 leaves.
  const auto events = watch();
  EXPECT_EQ(sent(events, "request_leaf"), 3U) << told(events);
  ASSERT_EQ(count(events, Kind::kPassedOver, "request_leaf"), 1U) << told(events);
  EXPECT_EQ(
      events.back().message,
      "a bond of 0.01 ether would bring what demands in tasks that were not named cost to more than 0.03 ether; name "
      "task " +
          to_hex(world.rounds().prepared().id) + " with --task, or raise --demand-limit");
  // Neither by answers nor by another run, another batch or another memory.
  world.defend();
  const DisputedBatch second = world.post({}, 2);
  fs::remove_all(second.watcher);
  for (int run = 0; run < 2; ++run) {
    const auto more = watch();
    EXPECT_EQ(sent(more, "request_leaf"), 0U) << told(more);
    EXPECT_EQ(count(more, Kind::kPassedOver, "request_leaf"), 2U) << told(more);
    lose_memory(world);
  }
  settings.demand_limit = bonds(world, 4);
  EXPECT_EQ(sent(watch(), "request_leaf"), 1U);
  settings.demand_limit = {};
  settings.tasks = {world.rounds().prepared().id};
  EXPECT_EQ(sent(watch(), "request_leaf"), 3U + 7U);
}

TEST(Strangers, cost_two_transactions_by_a_demand_that_was_won) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 1);
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const DisputedBatch batch = world.post({}, number);
    fs::remove_all(batch.watcher);
    const auto watch = [&] { return watch_once(world.chain(), world.watcher(), settings).events; };
    EXPECT_EQ(sent(watch(), "request_leaf"), 1U);
    world.advance(world.settings().window_s + 1);
    EXPECT_EQ(sent(watch(), "claim_withheld"), 1U);
    EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
    lose_memory(world);
    settings.demand_limit.value += kWonDemand.value;
  }
  settings.demand_limit.value -= 1;
  fs::remove_all(world.post({}, 4).watcher);
  EXPECT_EQ(sent(watch_once(world.chain(), world.watcher(), settings).events, "request_leaf"), 0U);
}

// A chain tells events some blocks late.
TEST(Strangers, are_counted_before_an_event_tells_of_a_demand) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 3);
  for (std::uint64_t number = 1; number <= 2; ++number) fs::remove_all(world.post({}, number).watcher);
  // A crash before the first is sent takes nothing from them.
  bool crashed = false;
  test::HookedChain late(world.chain(), [&](const proof::Transaction&) {
    if (!std::exchange(crashed, true)) throw Crash{};
  });
  late.told_until() = world.chain().events(0, 1'000).back().position + 1;
  const auto watch = [&] { return watch_once(late, world.watcher(), settings).events; };
  EXPECT_THROW(static_cast<void>(watch()), Crash);
  EXPECT_EQ(sent(watch(), "request_leaf"), 3U);
  EXPECT_EQ(sent(watch(), "request_leaf"), 0U) << "neither by another run";
  late.told_until() = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(sent(watch(), "request_leaf"), 0U) << "nor counted twice:";
  settings.demand_limit = bonds(world, 4);
  EXPECT_EQ(sent(watch(), "request_leaf"), 1U);
}

// What somebody else has demanded meanwhile is not ours to pay.
TEST(Strangers, are_not_counted_by_a_demand_that_another_made_first) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 1);
  const DisputedBatch batch = world.post();
  fs::remove_all(batch.watcher);
  WatchSettings other = settings;
  other.memory = world.folder() / "other.sqlite";
  bool raced = false;
  test::HookedChain late(world.chain(), [&](const proof::Transaction&) {
    if (!std::exchange(raced, true)) static_cast<void>(watch_once(world.chain(), world.rounds().key(0), other));
  });
  late.told_until() = world.chain().events(0, 1'000).back().position + 1;
  const auto events = watch_once(late, world.watcher(), settings).events;
  EXPECT_EQ(count(events, Kind::kRefused, "request_leaf"), 1U) << told(events);
  EXPECT_EQ(sent(events, "request_leaf"), 1U) << told(events);
}

TEST(Strangers, are_not_counted_by_a_demand_that_was_refused) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 1);
  const DisputedBatch first = world.post({}, 1);
  for (const DisputedBatch& batch : {first, world.post({}, 2)}) fs::remove_all(batch.watcher);
  test::HookedChain chain(world.chain(), [&](proof::Transaction& transaction) {
    auto* const demand = std::get_if<proof::RequestLeaf>(&transaction);
    if (demand != nullptr && proof::batch_id(demand->header) == first.id) demand->leaf.leaf = 1'000'000;
  });
  const auto events = watch_once(chain, world.watcher(), settings).events;
  EXPECT_GE(count(events, Kind::kRefused, "request_leaf"), 1U) << told(events);
  EXPECT_EQ(sent(events, "request_leaf"), 1U) << told(events);
}

// Else who loses next to nothing could have it demand and claim without end.
TEST(Strangers, get_few_demands_however_often_they_lose_them) {
  DisputeWorld world({.change = [](proof::TaskSettings& settings) {
    settings.availability = proof::LeafRequests{.max_requests = 1000, .request_bond = {1}};
  }});
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = {3 * kLeastDemand.value};
  for (std::uint64_t number = 1; number <= 3; ++number) {
    fs::remove_all(world.post({}, number).watcher);
    const auto watch = [&] { return watch_once(world.chain(), world.watcher(), settings).events; };
    EXPECT_EQ(sent(watch(), "request_leaf"), number == 1 ? 3U : 0U);
    world.advance(world.settings().window_s + 1);
    EXPECT_EQ(sent(watch(), "claim_withheld"), number == 1 ? 3U : 0U);
  }
}

// Else a stranger who asks next to nothing could keep it busy with any number of them.
TEST(Strangers, get_few_demands_however_little_a_bond_is) {
  DisputeWorld world({.change = [](proof::TaskSettings& settings) {
    settings.availability = proof::LeafRequests{.max_requests = 1000, .request_bond = {1}};
  }});
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = {3 * kLeastDemand.value + kLeastDemand.value / 2};
  for (std::uint64_t number = 1; number <= 2; ++number) {
    fs::remove_all(world.post({}, number).watcher);
    const auto events = watch_once(world.chain(), world.watcher(), settings).events;
    EXPECT_EQ(sent(events, "request_leaf"), number == 1 ? 3U : 0U) << told(events);
  }
}

TEST(Strangers, are_counted_by_own_demands_alone) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 1);
  WatchSettings other = settings;
  other.memory = world.folder() / "other.sqlite";
  other.data.clear();
  const auto watch = [&] { return watch_once(world.chain(), world.watcher(), settings).events; };
  const auto watch_other = [&] { return watch_once(world.chain(), world.rounds().key(0), other).events; };
  static_cast<void>(world.post({}, 1));
  EXPECT_EQ(sent(watch_other(), "request_leaf"), 1U);
  const std::uint64_t later_s = 60;
  world.advance(later_s);
  fs::remove_all(world.post({}, 2).watcher);
  EXPECT_EQ(sent(watch(), "request_leaf"), 1U);
  // The other's bond comes back before this one's.
  world.advance(world.settings().window_s + 1 - later_s);
  EXPECT_EQ(sent(watch_other(), "claim_withheld"), 1U);
  EXPECT_EQ(sent(watch(), "request_leaf"), 0U);
}

TEST(Strangers, are_counted_anew_on_an_older_copy_of_the_chain) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = bonds(world, 1);
  fs::remove_all(world.post().watcher);
  world.test_chain()->mark();
  EXPECT_EQ(sent(watch_once(world.chain(), world.watcher(), settings).events, "request_leaf"), 1U);
  world.test_chain()->go_back();
  world.advance(1);
  const auto older = world.open();
  EXPECT_EQ(sent(watch_once(*older, world.watcher(), settings).events, "request_leaf"), 1U);
}

TEST(Strangers, are_challenged_without_limit) {
  DisputeWorld world;
  WatchSettings settings = world.watch_settings();
  settings.demand_limit = {};
  static_cast<void>(world.post(test::forge(world, "next_model", 3)));
  EXPECT_EQ(sent(watch_once(world.chain(), world.watcher(), settings).events, "open_game"), 1U);
}

/// Two tasks on one chain, and a watchtower that has the data of both.
struct TwoTasks {
  explicit TwoTasks(std::function<void(proof::TaskSettings&)> first_settings = {},
                    std::function<void(proof::TaskSettings&)> second_settings = {})
      : first({.change = std::move(first_settings)}),
        second({.dims = {6}, .change = std::move(second_settings), .chain = first.test_chain()}) {}
  [[nodiscard]] WatchSettings settings() {
    WatchSettings settings = first.watch_settings();
    settings.data.push_back(second.folder() / "watcher");
    return settings;
  }
  DisputeWorld first;
  DisputeWorld second;
};

std::vector<proof::BatchId> judged(const WatchReport& report) {
  std::vector<proof::BatchId> batches;
  for (const WatchEvent& event : report.events) {
    if (event.kind == Kind::kJudged) batches.push_back(event.batch);
  }
  return batches;
}

TEST(Strangers, come_after_tasks_that_are_named) {
  TwoTasks tasks;
  const proof::BatchId first = tasks.first.post().id;
  tasks.first.advance(1);
  const proof::BatchId second = tasks.second.post().id;
  for (const bool names_second : {false, true}) {
    lose_memory(tasks.first);
    WatchSettings settings = tasks.settings();
    settings.all_tasks = true;
    settings.tasks = {(names_second ? tasks.second : tasks.first).rounds().prepared().id};
    const auto batches = judged(watch_once(tasks.first.chain(), tasks.first.watcher(), settings));
    EXPECT_EQ(batches, names_second ? std::vector({second, first}) : std::vector({first, second}));
  }
}

TEST(Strangers, are_not_watched_beside_named_tasks_unless_asked_for) {
  TwoTasks tasks;
  static_cast<void>(tasks.first.post());
  const proof::BatchId second = tasks.second.post().id;
  WatchSettings settings = tasks.settings();
  settings.tasks = {tasks.second.rounds().prepared().id};
  EXPECT_EQ(judged(watch_once(tasks.first.chain(), tasks.first.watcher(), settings)), std::vector({second}));
}

TEST(Strangers, have_what_named_tasks_cost_besides) {
  TwoTasks tasks;
  fs::remove_all(tasks.first.post().watcher);
  fs::remove_all(tasks.second.post().watcher);
  WatchSettings settings = tasks.settings();
  settings.tasks = {tasks.first.rounds().prepared().id};
  settings.all_tasks = true;
  settings.demand_limit = bonds(tasks.second, 2);
  const auto events = watch_once(tasks.first.chain(), tasks.first.watcher(), settings).events;
  EXPECT_EQ(sent(events, "request_leaf"), 7U + 2U) << told(events);
}

// The last moment to demand leaves counts while nobody knows whether they are there.
TEST(JudgingOrder, is_by_what_ends_first) {
  const auto with = [](std::uint64_t period_s, std::uint64_t request_s) {
    return [=](proof::TaskSettings& settings) {
      settings.challenge_period_s = period_s;
      settings.request_period_s = request_s;
    };
  };
  for (const bool too_late : {false, true}) {
    TwoTasks tasks(with(1'000, 250), with(900, 400));
    const proof::BatchId first = tasks.first.post().id;
    const proof::BatchId second = tasks.second.post().id;
    tasks.first.advance(too_late ? 450 : 100);
    const auto batches = judged(watch_once(tasks.first.chain(), tasks.first.watcher(), tasks.settings()));
    EXPECT_EQ(batches, too_late ? std::vector({second, first}) : std::vector({first, second}));
  }
}

TEST(JudgingOrder, leaves_out_what_nobody_can_challenge_any_more) {
  DisputeWorld world;
  const DisputedBatch first = world.post({}, 1);
  static_cast<void>(world.post({}, 2));
  math::ThreadPool pool(1);
  WatchSettings settings = world.watch_settings();
  settings.pool = &pool;
  std::atomic<bool> advanced = false;
  settings.progress = [&](std::string_view, std::uint64_t, std::uint64_t) {
    if (!advanced.exchange(true)) world.advance(world.settings().challenge_period_s);
  };
  const auto own = world.open();
  EXPECT_EQ(judged(watch_once(*own, world.watcher(), settings)), std::vector({first.id}));
}

/// Settings with which a stranger's batch is judged, but never moved against.
WatchSettings without_moves(WatchSettings settings) {
  settings.judging_limit = std::chrono::milliseconds(0);
  settings.pause = std::chrono::hours(1);  // the limit of judging is looked at after it
  return settings;
}

/// Of transactions of one kind, in their order.
std::vector<proof::BatchId> sent_for(const WatchReport& report, std::string_view what) {
  std::vector<proof::BatchId> batches;
  for (const WatchEvent& event : report.events) {
    if (event.kind == Kind::kSent && event.what == what) batches.push_back(event.batch);
  }
  return batches;
}

TEST(AnsweringOrder, is_that_of_named_tasks_first_and_then_by_what_ends_first) {
  for (const bool names_second : {false, true}) {
    TwoTasks tasks([](proof::TaskSettings& settings) { settings.challenge_period_s = 1'000; },
                   [](proof::TaskSettings& settings) { settings.challenge_period_s = 900; });
    const proof::BatchId first = tasks.first.post(test::forge(tasks.first, "next_model", 3), 1).id;
    const proof::BatchId other = tasks.first.post(test::forge(tasks.first, "next_model", 3), 2).id;
    const proof::BatchId second = tasks.second.post(test::forge(tasks.second, "next_model", 3)).id;
    const auto watch = [&](const WatchSettings& settings) {
      return watch_once(tasks.first.chain(), tasks.first.watcher(), settings);
    };
    EXPECT_TRUE(sent_for(watch(without_moves(tasks.settings())), "open_game").empty());
    WatchSettings settings = tasks.settings();
    settings.all_tasks = true;
    settings.tasks = {(names_second ? tasks.second : tasks.first).rounds().prepared().id};
    EXPECT_EQ(sent_for(watch(settings), "open_game"),
              names_second ? std::vector({second, first, other}) : std::vector({first, other, second}));
  }
  TwoTasks tasks([](proof::TaskSettings& settings) { settings.challenge_period_s = 1'000; },
                 [](proof::TaskSettings& settings) { settings.challenge_period_s = 900; });
  const proof::BatchId first = tasks.first.post(test::forge(tasks.first, "next_model", 3)).id;
  const proof::BatchId second = tasks.second.post(test::forge(tasks.second, "next_model", 3)).id;
  static_cast<void>(watch_once(tasks.first.chain(), tasks.first.watcher(), without_moves(tasks.settings())));
  EXPECT_EQ(sent_for(watch_once(tasks.first.chain(), tasks.first.watcher(), tasks.settings()), "open_game"),
            std::vector({second, first}));
}

TEST(AnsweringOrder, has_named_tasks_judged_before_strangers_are_answered) {
  TwoTasks tasks;
  const proof::BatchId stranger = tasks.first.post(test::forge(tasks.first, "next_model", 3)).id;
  static_cast<void>(watch_once(tasks.first.chain(), tasks.first.watcher(), without_moves(tasks.settings())));
  const proof::BatchId named = tasks.second.post(test::forge(tasks.second, "next_model", 3)).id;
  WatchSettings settings = tasks.settings();
  settings.all_tasks = true;
  settings.tasks = {tasks.second.rounds().prepared().id};
  settings.pause = std::chrono::hours(1);
  EXPECT_EQ(sent_for(watch_once(tasks.first.chain(), tasks.first.watcher(), settings), "open_game"),
            std::vector({named, stranger}));
}

TEST(AnsweringOrder, comes_back_to_named_tasks_between_two_strangers) {
  TwoTasks tasks;
  const proof::BatchId named = tasks.second.post(test::forge(tasks.second, "next_model", 3)).id;
  WatchSettings settings = tasks.settings();
  settings.tasks = {tasks.second.rounds().prepared().id};
  static_cast<void>(watch_once(tasks.first.chain(), tasks.first.watcher(), settings));
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    static_cast<void>(tasks.first.post(test::forge(tasks.first, "next_model", 3), seed));
  }
  static_cast<void>(watch_once(tasks.first.chain(), tasks.first.watcher(), without_moves(tasks.settings())));
  settings.all_tasks = true;
  settings.pause = std::chrono::milliseconds(0);
  const auto own = tasks.first.open();
  int opened = 0;
  test::HookedChain hooked(*own, {}, [&](const proof::Transaction& transaction) {
    if (std::holds_alternative<proof::OpenGame>(transaction) && ++opened == 1) tasks.second.defend();
  });
  const WatchReport report = watch_once(hooked, tasks.first.watcher(), settings);
  std::vector<std::string> order;
  for (const WatchEvent& event : report.events) {
    if (event.kind != Kind::kSent || event.what == "withdraw") continue;
    order.push_back(event.batch == named ? "named " + event.what : event.what);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"open_game", "named make_move", "open_game"})) << told(report.events);
}

TEST(MoveLimit, leaves_a_challenge_of_a_strangers_batch_for_this_run) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3));
  const WatchReport report = watch_once(world.chain(), world.watcher(), without_moves(world.watch_settings()));
  EXPECT_EQ(judged(report), std::vector({batch.id}));
  EXPECT_EQ(sent(report.events), 0U) << told(report.events);
  ASSERT_EQ(count(report.events, Kind::kPassedOver, "challenge"), 1U) << told(report.events);
  EXPECT_EQ(report.events.back().message, "a challenge takes more than 0 s; name task " +
                                              to_hex(world.rounds().prepared().id) +
                                              " with --task, or raise --judging-limit");
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

TEST(MoveLimit, is_a_failure_where_a_game_waits) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3));
  EXPECT_EQ(sent(world.watch().events, "open_game"), 1U);
  world.defend();
  const WatchReport report = watch_once(world.chain(), world.watcher(), without_moves(world.watch_settings()));
  EXPECT_EQ(sent(report.events), 0U) << told(report.events);
  EXPECT_EQ(count(report.events, Kind::kFailed, "move"), 1U) << told(report.events);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

TEST(MoveLimit, is_not_for_tasks_that_are_named) {
  DisputeWorld world;
  static_cast<void>(world.post(test::forge(world, "next_model", 3)));
  WatchSettings settings = without_moves(world.watch_settings());
  settings.tasks = {world.rounds().prepared().id};
  EXPECT_EQ(sent(watch_once(world.chain(), world.watcher(), settings).events, "open_game"), 1U);
}

TEST(MoveLimit, is_not_needed_to_stop_a_move) {
  DisputeWorld world;
  static_cast<void>(world.post(test::forge(world, "next_model", 3)));
  static_cast<void>(watch_once(world.chain(), world.watcher(), without_moves(world.watch_settings())));
  // The second look is that by which the challenge is planned.
  for (int at = 1; at <= 2; ++at) {
    const auto own = world.open();
    test::HookedChain hooked(*own);
    std::stop_source stop;
    hooked.at_look() = [&] {
      if (hooked.looks() == at) stop.request_stop();
    };
    WatchSettings settings = world.watch_settings();
    settings.tasks = {world.rounds().prepared().id};
    settings.stop = stop.get_token();
    const WatchReport report = watch_once(hooked, world.watcher(), settings);
    EXPECT_TRUE(report.stopped);
    EXPECT_EQ(sent(report.events), 0U) << told(report.events);
  }
}

/// A run in which judging lasts until the chain was looked at meanwhile.
class SlowJudging {
 public:
  explicit SlowJudging(DisputeWorld& world) : x_world(world), x_own(world.open()), x_chain(*x_own) {
    // Looks at a batch are looks at the chain.
    static_cast<void>(world.post({}, 1));
    static_cast<void>(world.watch());
    settings = world.watch_settings();
    settings.pause = std::chrono::milliseconds(1);
    settings.judging_limit = std::chrono::milliseconds(0);
    settings.progress = [this](std::string_view, std::uint64_t, std::uint64_t) {
      if (x_begun.exchange(true)) return;
      x_chain.outage() = 1;
      EXPECT_TRUE(comes_true([&] { return x_chain.outage() == 0; }));
    };
  }
  [[nodiscard]] WatchReport watch() { return watch_once(x_chain, x_world.watcher(), settings); }

  WatchSettings settings;

 private:
  DisputeWorld& x_world;
  std::unique_ptr<chain::ChainAdapter> x_own;
  test::HookedChain x_chain;
  std::atomic<bool> x_begun = false;
};

TEST(JudgingLimit, ends_the_judging_of_a_strangers_batch) {
  DisputeWorld world;
  SlowJudging slow(world);
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3), 2);
  fs::remove_all(batch.watcher / "tables");  // they are computed
  const WatchReport report = slow.watch();
  EXPECT_FALSE(report.stopped);
  EXPECT_TRUE(judged(report).empty()) << told(report.events);
  ASSERT_EQ(count(report.events, Kind::kPassedOver, "judging"), 1U) << told(report.events);
  const auto told_of = std::ranges::find(report.events, "judging", &WatchEvent::what);
  EXPECT_EQ(told_of->message, "judging takes more than 0 s; name task " + to_hex(world.rounds().prepared().id) +
                                  " with --task, or raise --judging-limit");
  EXPECT_EQ(told_of->batch, batch.id);
  EXPECT_EQ(report.open_batches, 2U);
  EXPECT_FALSE(fs::exists(world.folder() / "watchtower.sqlite.scratch" / to_hex(batch.id)));
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

TEST(JudgingLimit, is_not_for_tasks_that_are_named) {
  DisputeWorld world;
  SlowJudging slow(world);
  const DisputedBatch batch = world.post({}, 2);
  slow.settings.tasks = {world.rounds().prepared().id};
  EXPECT_EQ(judged(slow.watch()), std::vector({batch.id}));
}

TEST(JudgingLimit, is_a_failure_where_a_game_waits) {
  DisputeWorld world;
  SlowJudging slow(world);
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3), 2);
  EXPECT_EQ(sent(world.watch().events, "open_game"), 1U);
  world.defend();
  test::execute(world.folder() / "watchtower.sqlite",
                "UPDATE batch SET verdict = NULL WHERE position IN "
                "(SELECT max(position) FROM batch)");
  const WatchReport report = slow.watch();
  EXPECT_EQ(count(report.events, Kind::kFailed, "judging"), 1U) << told(report.events);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(batch), proof::BatchStatus::kInvalid);
}

fs::path scratch_of(const DisputeWorld& world, const DisputedBatch& batch) {
  return world.folder() / "watchtower.sqlite.scratch" / to_hex(batch.id);
}

TEST(ScratchLimit, passes_over_a_strangers_batch_and_no_other) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3), 1);
  fs::remove_all(batch.watcher / "tables");  // they are computed
  const DisputedBatch other = world.post(test::forge(world, "next_model", 3), 2);
  WatchSettings settings = world.watch_settings();
  settings.scratch_limit_bytes = 1;
  const WatchReport report = watch_once(world.chain(), world.watcher(), settings);
  EXPECT_EQ(judged(report), std::vector({other.id})) << told(report.events);
  ASSERT_EQ(count(report.events, Kind::kPassedOver, "judging"), 1U) << told(report.events);
  const auto told_of = std::ranges::find(report.events, "judging", &WatchEvent::what);
  EXPECT_EQ(told_of->batch, batch.id);
  EXPECT_EQ(told_of->message,
            "tables that are missing would take more than the 1 bytes there are for them; make room on the disk, name "
            "task " +
                to_hex(world.rounds().prepared().id) + " with --task, or raise --scratch-limit");
  EXPECT_FALSE(fs::exists(scratch_of(world, batch)));
  // A task that is named has no limit.
  settings.tasks = {world.rounds().prepared().id};
  EXPECT_EQ(judged(watch_once(world.chain(), world.watcher(), settings)), std::vector({batch.id}));
}

// Pitfall 28: what a watchtower keeps on disk goes with the dispute that it is for.
TEST(Scratch, is_left_for_disputes_alone_while_one_can_be_opened) {
  DisputeWorld world;
  const DisputedBatch valid = world.post({}, 1);
  const DisputedBatch wrong = world.post(test::forge(world, "next_model", 3), 2);
  const DisputedBatch missing = world.post({}, 3);
  for (const DisputedBatch& batch : {valid, wrong, missing}) fs::remove_all(batch.watcher / "tables");
  fs::remove(missing.watcher / "rows/updates/1.bin");
  const WatchReport report = world.watch();
  EXPECT_EQ(count(report.events, Kind::kJudged, "valid"), 1U) << told(report.events);
  EXPECT_EQ(count(report.events, Kind::kJudged, "missing_data"), 1U) << told(report.events);
  EXPECT_FALSE(fs::exists(scratch_of(world, valid)));
  EXPECT_FALSE(fs::exists(scratch_of(world, missing)));
  EXPECT_TRUE(fs::exists(scratch_of(world, wrong)));
}

// The watchtower has no money for a bond.
TEST(Scratch, goes_once_the_batch_is_over) {
  DisputeWorld world;
  const DisputedBatch batch = world.post(test::forge(world, "next_model", 3));
  fs::remove_all(batch.watcher / "tables");
  WatchSettings settings = world.watch_settings();
  settings.memory = world.folder() / "poor.sqlite";
  const proof::PrivateKey poor = chain::development_key(1000);
  static_cast<void>(watch_once(world.chain(), poor, settings));
  const fs::path scratch = world.folder() / "poor.sqlite.scratch" / to_hex(batch.id);
  EXPECT_TRUE(fs::exists(scratch));
  world.advance(world.settings().challenge_period_s + world.settings().game_clock_s - 1);
  static_cast<void>(watch_once(world.chain(), poor, settings));
  EXPECT_TRUE(fs::exists(scratch));
  world.advance(1);
  static_cast<void>(watch_once(world.chain(), poor, settings));
  EXPECT_FALSE(fs::exists(scratch));
}

}  // namespace
}  // namespace tally::verifier
