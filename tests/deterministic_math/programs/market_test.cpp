// Staking and task bounties against bookkeepers that take requests one by one, with money conserved throughout.
#include <numeric>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

i128 total(const Values& values) { return std::accumulate(values.begin(), values.end(), i128{0}); }

// Runs a batch on `world`'s states, which become the next ones. Returns its tables.
std::map<std::string, Values> advance(const math::CompiledProgram& program, World& world) {
  auto tables = run_tables(program, world);
  for (auto& [name, values] : world.states) values = tables.at("next_" + name);
  ++world.batch;
  return tables;
}

void set_requests(World& world, const Values& members, const std::vector<std::pair<const char*, Values>>& fields) {
  world.dims["K"] = members.size();
  world.members = members;
  for (const auto& [name, values] : fields) world.fields[name] = values;
}

class Staking : public testing::Test {
 protected:
  Staking() {
    x_world.dims = {{"M", 6}};
    x_world.states = {{"deposit", Values(6, 10000)}, {"stake", Values(6)}, {"active", Values(6)}, {"pool", {0}}};
  }

  std::map<std::string, Values> batch(const Values& members, const Values& kinds, const Values& amounts) {
    set_requests(x_world, members, {{"kind", kinds}, {"amount", amounts}});
    const i128 before = money();
    auto tables = advance(x_program, x_world);
    EXPECT_EQ(money(), before);
    return tables;
  }

  [[nodiscard]] i128 money() {
    return total(x_world.states["deposit"]) + total(x_world.states["stake"]) + total(x_world.states["pool"]);
  }

  math::CompiledProgram x_program = compile_library_program(
      "staking", {{"least", 100}, {"slope", 50}, {"most", 220}, {"exit_fee", 150}, {"cohort", 4}});
  World x_world;
};

TEST_F(Staking, admits_members_with_the_next_cohort_and_gives_power_equal_to_stake) {
  EXPECT_EQ(batch({0, 1, 2}, {1, 1, 1}, {100, 99, 10001}).at("staked"), (Values{100, 0, 0, 0, 0, 0}));
  EXPECT_EQ(x_world.states["active"], Values(6));
  batch({}, {}, {});                                                         // batch 2
  EXPECT_EQ(batch({3}, {1}, {500}).at("power"), Values(6));                  // batch 3
  EXPECT_EQ(batch({}, {}, {}).at("power"), (Values{100, 0, 0, 500, 0, 0}));  // batch 4 ends the cohort
  EXPECT_EQ(batch({4}, {1}, {700}).at("power"), (Values{100, 0, 0, 500, 0, 0}));
  EXPECT_EQ(batch({0}, {1}, {1}).at("power"), (Values{101, 0, 0, 500, 0, 0}));  // more of it needs no requirement
}

TEST_F(Staking, asks_for_more_with_each_member_up_to_a_bound) {
  Values required;
  for (const std::size_t members : {0U, 1U, 2U, 3U, 5U}) {
    x_world.batch = 1;
    x_world.states["active"] = Values(6);
    std::fill_n(x_world.states["active"].begin(), members, 1);
    x_world.states["stake"] = x_world.states["active"];
    required.push_back(batch({}, {}, {}).at("requirement")[0]);
  }
  EXPECT_EQ(required, (Values{100, 150, 200, 220, 220}));
}

TEST_F(Staking, returns_a_stake_less_the_fee_which_stays_in_the_pool) {
  batch({0, 1}, {1, 1}, {101, 10000});
  const auto tables = batch({0, 1, 2}, {2, 2, 2}, {0, 0, 0});
  EXPECT_EQ(tables.at("fee"), (Values{2, 150, 0, 0, 0, 0}));  // 1.5 % of 101, rounded up
  EXPECT_EQ(tables.at("returned"), (Values{99, 9850, 0, 0, 0, 0}));
  EXPECT_EQ(x_world.states["pool"], Values{152});
  EXPECT_EQ(x_world.states["stake"], Values(6));
}

TEST_F(Staking, ignores_unknown_kinds_and_empty_sums) {
  const auto tables = batch({0, 1, 2}, {0, 3, 1}, {500, 500, 0});
  EXPECT_EQ(tables.at("staked"), Values(6));
}

// Task slots kept one request at a time.
struct Slot {
  i128 stage = 0, requester = 0, opened = 0, bounty = 0, uses = 0;
};

struct Request {
  i128 member, kind, task, amount;
};

constexpr i128 kFee = 101;
constexpr i128 kArbiter = 0;

struct Bounties {
  Values deposit;
  std::vector<Slot> slots;
  i128 pot = 0, treasury = 0;

  void batch(i128 number, const std::vector<Request>& requests) {
    const std::vector<Slot> before = slots;
    const Values purse = deposit;
    std::vector<bool> asked(deposit.size());
    std::vector<i128> used(slots.size());
    std::vector<bool> done(slots.size());
    std::vector<bool> gone(slots.size());
    for (const Request& request : requests) {
      const auto m = static_cast<std::size_t>(request.member);
      const auto t = static_cast<std::size_t>(request.task);
      if (t >= slots.size()) continue;
      const bool covered = request.amount > 0 && kFee + request.amount <= purse[m];
      if (request.kind == 1 && before[t].stage == 0 && covered && !asked[m]) {
        asked[m] = true;
        if (slots[t].stage != 0) continue;  // another was first
        slots[t] = {.stage = 1, .requester = request.member, .opened = number, .bounty = request.amount};
        deposit[m] -= kFee + request.amount;
        treasury += kFee;
      }
      if (request.kind == 2 && request.member == kArbiter) done[t] = true;
      if (request.kind == 3 && request.member == before[t].requester) gone[t] = true;
      if (request.kind == 4 && request.member == kArbiter) used[t] += request.amount;
    }
    for (std::size_t t = 0; t < slots.size(); ++t) {
      Slot& slot = slots[t];
      const auto owner = static_cast<std::size_t>(slot.requester);
      if (before[t].stage == 1 && done[t]) {
        pot += slot.bounty;
        slot.bounty = 0;
        slot.stage = 2;
      } else if (before[t].stage == 1 && gone[t] && number >= slot.opened + 3) {
        deposit[owner] += slot.bounty;
        slot.bounty = 0;
        slot.stage = 0;
      } else if (before[t].stage >= 2) {
        slot.uses += used[t];
        if (slot.stage == 2 && slot.uses >= 50) {
          slot.stage = 3;
          deposit[owner] += kFee / 2;
          treasury -= kFee / 2;
        }
      }
    }
  }
};

math::CompiledProgram bounty_program() {
  return compile_library_program(
      "task_bounty",
      {{"fee", kFee}, {"refund", 5000}, {"usage_threshold", 50}, {"deadline", 3}, {"arbiter", kArbiter}});
}

World bounty_world(std::size_t members, std::size_t slots, i128 deposit) {
  World world;
  world.dims = {{"M", members}, {"T", slots}};
  world.states = {{"deposit", Values(members, deposit)}, {"pot", {0}}, {"treasury", {0}}};
  for (const char* name : {"stage", "requester", "opened", "bounty", "uses"}) world.states[name] = Values(slots);
  return world;
}

void play(const math::CompiledProgram& program, World& world, const std::vector<Request>& requests) {
  Values members;
  Values kinds;
  Values tasks;
  Values amounts;
  for (const Request& request : requests) {
    members.push_back(request.member);
    kinds.push_back(request.kind);
    tasks.push_back(request.task);
    amounts.push_back(request.amount);
  }
  set_requests(world, members, {{"kind", kinds}, {"task", tasks}, {"amount", amounts}});
  advance(program, world);
}

void expect_equal(World& world, const Bounties& kept) {
  EXPECT_EQ(world.states["deposit"], kept.deposit);
  EXPECT_EQ(world.states["pot"], Values{kept.pot});
  EXPECT_EQ(world.states["treasury"], Values{kept.treasury});
  for (std::size_t t = 0; t < kept.slots.size(); ++t) {
    SCOPED_TRACE("slot " + std::to_string(t));
    EXPECT_EQ(world.states["stage"][t], kept.slots[t].stage);
    EXPECT_EQ(world.states["requester"][t], kept.slots[t].requester);
    EXPECT_EQ(world.states["bounty"][t], kept.slots[t].bounty);
    EXPECT_EQ(world.states["uses"][t], kept.slots[t].uses);
  }
}

TEST(TaskBounty, equals_the_bookkeepers_over_random_requests) {
  const auto program = bounty_program();
  std::mt19937_64 random(61);
  const auto below = [&](std::uint64_t bound) { return static_cast<i128>(random() % bound); };
  for (int i = 0; i < 20; ++i) {
    World world = bounty_world(5, 4, 3000);
    Bounties kept{.deposit = Values(5, 3000), .slots = std::vector<Slot>(4)};
    for (i128 number = 1; number <= 12; ++number) {
      std::vector<Request> requests(random() % 14);
      for (Request& request : requests) {
        request = {.member = below(5), .kind = below(6), .task = below(5), .amount = below(900)};
        if (below(3) == 0) request.member = kArbiter;
        if (request.kind == 4) request.amount = below(40);
      }
      play(program, world, requests);
      kept.batch(number, requests);
      expect_equal(world, kept);
      const i128 money = total(world.states["deposit"]) + total(world.states["bounty"]) + total(world.states["pot"]) +
                         total(world.states["treasury"]);
      EXPECT_EQ(money, 15000);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(TaskBounty, is_released_only_on_a_finished_model_and_the_fee_comes_back_once) {
  const auto program = bounty_program();
  World world = bounty_world(3, 2, 1000);
  play(program, world, {{1, 1, 0, 899}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 0, 1000}));
  play(program, world, {{2, 2, 0, 0}, {1, 2, 0, 0}, {1, 3, 0, 0}});  // neither the arbiter's, nor late enough
  EXPECT_EQ(world.states["bounty"], (Values{899, 0}));
  play(program, world, {{kArbiter, 2, 0, 0}});
  EXPECT_EQ(world.states["pot"], Values{899});
  play(program, world, {{kArbiter, 4, 0, 49}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 0, 1000}));
  play(program, world, {{kArbiter, 4, 0, 1}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 50, 1000}));
  play(program, world, {{kArbiter, 4, 0, 100}, {kArbiter, 2, 0, 0}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 50, 1000}));
  EXPECT_EQ(world.states["pot"], Values{899});
}

TEST(TaskBounty, needs_the_full_fee) {
  const auto program = bounty_program();
  World world = bounty_world(2, 1, 1000);
  play(program, world, {{1, 1, 0, 900}});
  EXPECT_EQ(world.states["stage"], Values{0});
}

}  // namespace
}  // namespace tally::test
