// Staking against a bookkeeper that takes requests one by one, with money conserved throughout.
#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

constexpr i128 kLeast = 100;
constexpr i128 kSlope = 50;
constexpr i128 kMost = 220;
constexpr i128 kExitFee = 150;  // 1.5 %
constexpr i128 kCohort = 4;
enum Kind : std::uint8_t { kStake = 1, kExit = 2, kApply = 3 };

class Staking : public testing::Test {
 protected:
  Staking() {
    x_world.dims = {{"M", 6}};
    x_world.states = {{"deposit", Values(6, 10000)}, {"stake", Values(6)}, {"active", Values(6)}, {"pool", {0}}};
  }

  Tables batch(const Values& members, const Values& kinds, const Values& amounts) {
    set_records(x_world, members, {{"kind", kinds}, {"amount", amounts}});
    const i128 before = money();
    auto tables = advance(x_program, x_world);
    EXPECT_EQ(money(), before);
    return tables;
  }

  [[nodiscard]] i128 money() {
    return total(x_world.states["deposit"]) + total(x_world.states["stake"]) + total(x_world.states["pool"]);
  }

  math::CompiledProgram x_program = compile_library_program(
      "staking", {{"least", kLeast}, {"slope", kSlope}, {"most", kMost}, {"exit_fee", kExitFee}, {"cohort", kCohort}});
  World x_world;
};

struct Staker {
  i128 deposit = 0, stake = 0, power = 0;
  bool active = false, waiting = false;
};

Values of(const std::vector<Staker>& stakers, auto Staker::* what) {
  Values values;
  for (const Staker& staker : stakers) values.push_back(staker.*what);
  return values;
}

TEST_F(Staking, equals_the_bookkeeper_over_random_requests) {
  std::mt19937_64 random(31);
  for (int i = 0; i < 40; ++i) {
    std::vector<Staker> stakers(6);
    i128 pool = 0;
    for (Staker& staker : stakers) staker.deposit = below(random, 1000);
    x_world.batch = 1;
    x_world.states = {{"deposit", of(stakers, &Staker::deposit)}};
    for (const char* name : {"stake", "power", "active", "waiting"}) x_world.states[name] = Values(6);
    x_world.states["pool"] = {0};
    for (i128 number = 1; number <= 16; ++number) {
      i128 required = kLeast;
      for (const Staker& staker : stakers) required += staker.active ? kSlope : 0;
      required = std::min(required, kMost);
      Values members;
      Values kinds;
      Values amounts;
      for (std::size_t m = 0; m < stakers.size(); ++m) {
        Staker& staker = stakers[m];
        const i128 kind = below(random, 6);
        const i128 amount = below(random, 3) == 0 ? required - below(random, 2) : below(random, 400);
        if (below(random, 3) > 0) {
          members.push_back(static_cast<i128>(m));
          kinds.push_back(kind);
          amounts.push_back(amount);
          if (kind == kStake && amount > 0 && amount <= staker.deposit && (staker.stake > 0 || amount >= required)) {
            staker.deposit -= amount;
            staker.stake += amount;
            staker.active = true;
          }
          if (kind == kExit) {
            const i128 fee = (staker.stake * kExitFee + 9999) / 10000;
            staker.deposit += staker.stake - fee;
            pool += fee;
            staker.stake = 0;
            staker.active = staker.waiting = false;
          }
          if (kind == kApply) staker.waiting = true;
        }
        if (staker.active) staker.waiting = false;
        if (number % kCohort != 0) continue;
        if (staker.waiting) staker.active = true;
        staker.waiting = false;
        staker.power = staker.stake;
      }
      EXPECT_EQ(batch(members, kinds, amounts).at("requirement"), Values{required});
      EXPECT_EQ(x_world.states["deposit"], of(stakers, &Staker::deposit));
      EXPECT_EQ(x_world.states["stake"], of(stakers, &Staker::stake));
      EXPECT_EQ(x_world.states["power"], of(stakers, &Staker::power));
      EXPECT_EQ(x_world.states["active"], of(stakers, &Staker::active));
      EXPECT_EQ(x_world.states["waiting"], of(stakers, &Staker::waiting));
      ASSERT_EQ(x_world.states["pool"], Values{pool});
    }
  }
}

TEST_F(Staking, admits_stakers_at_once_and_others_with_the_next_cohort) {
  batch({0, 1, 2, 3}, {kStake, kStake, kStake, kApply}, {100, 99, 10001, 0});
  EXPECT_EQ(x_world.states["active"], (Values{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(x_world.states["waiting"], (Values{0, 0, 0, 1, 0, 0}));
  batch({}, {}, {});
  batch({4}, {kApply}, {0});
  EXPECT_EQ(x_world.states["active"], (Values{1, 0, 0, 0, 0, 0}));
  batch({}, {}, {});  // batch 4: a cohort begins after it
  EXPECT_EQ(x_world.states["active"], (Values{1, 0, 0, 1, 1, 0}));
  EXPECT_EQ(x_world.states["waiting"], Values(6));
}

TEST_F(Staking, gives_power_equal_to_the_stake_at_the_snapshot) {
  batch({0, 1}, {kStake, kStake}, {500, 700});
  EXPECT_EQ(x_world.states["power"], Values(6));
  batch({}, {}, {});
  batch({}, {}, {});
  batch({0}, {kStake}, {1});  // batch 4: the snapshot
  EXPECT_EQ(x_world.states["power"], (Values{501, 700, 0, 0, 0, 0}));
  batch({0, 1, 2}, {kStake, kExit, kStake}, {99, 0, 900});
  EXPECT_EQ(x_world.states["power"], (Values{501, 700, 0, 0, 0, 0}));
  for (int i = 0; i < 3; ++i) batch({}, {}, {});
  EXPECT_EQ(x_world.states["power"], (Values{600, 0, 900, 0, 0, 0}));
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
  batch({0, 1}, {kStake, kStake}, {101, 10000});
  const auto tables = batch({0, 1, 2}, {kExit, kExit, kExit}, {0, 0, 0});
  EXPECT_EQ(tables.at("fee"), (Values{2, 150, 0, 0, 0, 0}));  // 1.5 % of 101, rounded up
  EXPECT_EQ(tables.at("returned"), (Values{99, 9850, 0, 0, 0, 0}));
  EXPECT_EQ(x_world.states["pool"], Values{152});
  EXPECT_EQ(x_world.states["stake"], Values(6));
}

TEST_F(Staking, keeps_to_its_ranges_at_their_ends) {
  const i128 half = i128{1} << 61;
  x_world.states["deposit"] = {half, half, half, 0, 0, 0};
  x_world.states["stake"] = {half, half + 1, 0, 0, 0, 0};
  batch({0, 1, 2}, {kStake, kStake, kStake}, {half, half, half});
  EXPECT_EQ(x_world.states["stake"], (Values{2 * half, half + 1, half, 0, 0, 0}));  // the second would exceed 2^62
}

TEST_F(Staking, adds_to_the_smallest_stake_without_a_requirement) {
  x_world.states["stake"][0] = 1;
  EXPECT_EQ(batch({0}, {kStake}, {1}).at("staked")[0], 1);
  EXPECT_EQ(x_world.states["active"][0], 1);
}

TEST_F(Staking, goes_on_where_every_account_is_full) {
  const Values full(6, i128{1} << 62);
  for (const char* name : {"deposit", "stake", "pool"}) x_world.states[name] = full;
  x_world.states["pool"].resize(1);
  set_records(x_world, {0, 1}, {{"kind", {kExit, kStake}}, {"amount", {0, 1}}});
  const Tables tables = advance(x_program, x_world);
  EXPECT_EQ(tables.at("fee")[0], (full[0] * kExitFee + 9999) / 10000);
  EXPECT_EQ(tables.at("returned")[0] + tables.at("fee")[0], full[0]);
  EXPECT_EQ(x_world.states["deposit"], full);
  EXPECT_EQ(x_world.states["stake"][1], full[1]);
  EXPECT_EQ(x_world.states["pool"], Values{full[0]});
}

TEST_F(Staking, ignores_unknown_kinds_and_empty_sums) {
  const auto tables = batch({0, 1, 2}, {0, 4, kStake}, {500, 500, 0});
  EXPECT_EQ(tables.at("staked"), Values(6));
  EXPECT_EQ(x_world.states["waiting"], Values(6));
}

}  // namespace
}  // namespace tally::test
