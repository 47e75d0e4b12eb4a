// The programs of a network around training: validation cycles, trainer selection and model revenue, against plain
// loops.
#include <numeric>

#include "deterministic_math/numbers/prf.h"
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

i128 total(const Values& values) { return std::accumulate(values.begin(), values.end(), i128{0}); }

struct Cycle {
  World world;
  std::size_t members = 0;

  Cycle(std::mt19937_64& random, std::size_t slots, std::size_t reviewers) : members(slots) {
    world.dims = {{"K", reviewers}, {"M", slots}};
    const auto below = [&](std::uint64_t bound) { return static_cast<i128>(random() % bound); };
    for (std::size_t m = 0; m < slots; ++m) {
      world.states["reputation"].push_back(below(4) == 0 ? 0 : below(10001));
      world.states["stake"].push_back(below(3) == 0 ? 1 : below(std::uint64_t{1} << 40));
      world.states["soul"].push_back(below(3) == 0 ? below(3) : below(1'000'000));
    }
    Values order(slots);
    std::iota(order.begin(), order.end(), i128{0});
    std::ranges::shuffle(order, random);
    world.members.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(reviewers));
    for (const char* name : {"reviews", "reports"}) {
      world.rows[name].assign(reviewers, Values(slots));
      for (Values& row : world.rows[name]) {
        std::ranges::generate(row, [&] { return below(4) == 0 ? below(3) - 1 : below(10001); });
      }
    }
  }

  [[nodiscard]] i128 voice(std::size_t k) const {
    const auto m = static_cast<std::size_t>(world.members[k]);
    return world.states.at("reputation")[m] * world.states.at("stake")[m];
  }

  // Sort the opinions on m and go up until half of the weight is reached.
  [[nodiscard]] i128 median(const char* opinions, std::size_t m) const {
    std::vector<std::pair<i128, i128>> sorted;
    i128 all = 0;
    for (std::size_t k = 0; k < world.members.size(); ++k) {
      const i128 opinion = world.rows.at(opinions)[k][m];
      if (opinion < 0 || world.members[k] == static_cast<i128>(m)) continue;
      sorted.emplace_back(opinion, voice(k));
      all += voice(k);
    }
    std::ranges::sort(sorted);
    i128 upto = 0;
    for (const auto& [opinion, weight] : sorted) {
      upto += weight;
      if (all > 0 && 2 * upto >= all) return opinion;
    }
    return 0;
  }
};

TEST(ValidationCycle, equals_weighted_medians_ranks_and_shares_by_sorting) {
  const auto program = compile_library_program("validation_cycle", {{"alpha", 6000}, {"turn", 1500}});
  std::mt19937_64 random(9);
  for (int i = 0; i < 60; ++i) {
    const std::size_t slots = 1 + random() % 12;
    const Cycle cycle(random, slots, random() % (slots + 1));
    const auto tables = run_tables(program, cycle.world);
    std::vector<i128> composite;
    for (std::size_t m = 0; m < slots; ++m) {
      composite.push_back(6000 * cycle.median("reviews", m) + 4000 * cycle.median("reports", m));
    }
    EXPECT_EQ(tables.at("composite"), composite);
    std::vector<std::size_t> order(slots);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return composite[a] > composite[b]; });
    for (std::size_t r = 0; r < slots; ++r) EXPECT_EQ(tables.at("rank")[order[r]], static_cast<i128>(r) + 1);
    const Values& before = cycle.world.states.at("soul");
    const Values& after = tables.at("next_soul");
    EXPECT_EQ(total(after), total(before));
    if (total(composite) == 0) {
      EXPECT_EQ(after, before);
      continue;
    }
    for (std::size_t m = 0; m < slots; ++m) {
      if (composite[m] == 0) {
        EXPECT_EQ(after[m], before[m] - (before[m] * 1500 + 9999) / 10000);
      }
    }
  }
}

// Nine honest reviewers say 7000 to 7400; liars with up to 40 % of the weight cannot leave that span.
TEST(ValidationCycle, liars_with_forty_percent_move_no_score_beyond_honest_opinions) {
  const auto program = compile_library_program("validation_cycle", {{"alpha", 10000}, {"turn", 1}});
  for (const i128 lie : {0, 10000}) {
    World world;
    world.dims = {{"K", 15}, {"M", 16}};
    for (int k = 0; k < 15; ++k) {
      world.members.push_back(k);
      world.rows["reviews"].emplace_back(16, k < 9 ? 7000 + 50 * k : lie);
      world.rows["reports"].emplace_back(16, -1);
    }
    world.states = {{"reputation", Values(16, 10000)}, {"stake", Values(16, 5)}, {"soul", Values(16, 1)}};
    const i128 score = run_tables(program, world).at("composite")[15] / 10000;
    EXPECT_GE(score, 7000);
    EXPECT_LE(score, 7400);
  }
}

TEST(ValidationCycle, a_passive_member_falls_every_cycle) {
  const auto program = compile_library_program("validation_cycle", {{"alpha", 5000}, {"turn", 1}});
  World world;
  world.dims = {{"K", 1}, {"M", 3}};
  world.members = {0};
  world.rows = {{"reviews", {{-1, 9000, -1}}}, {"reports", {{-1, -1, -1}}}};
  world.states = {{"reputation", {1, 1, 1}}, {"stake", {1, 1, 1}}, {"soul", {0, 0, 5}}};
  for (i128 left = 4; left >= 0; --left) {
    world.states["soul"] = run_tables(program, world).at("next_soul");
    EXPECT_EQ(world.states["soul"], (Values{0, 5 - left, left}));
  }
}

std::map<std::string, i128> selection_parameters() {
  return {{"least_uptime", 5000},     {"least_capacity", 10}, {"most_latency", 200},
          {"least_reputation", 1000}, {"tolerated", 2},       {"quarantine", 3}};
}

TEST(TrainerSelection, draws_each_regions_quota_from_the_eligible_by_lot) {
  const auto program = compile_library_program("trainer_selection", selection_parameters());
  std::mt19937_64 random(12);
  const auto below = [&](std::uint64_t bound) { return static_cast<i128>(random() % bound); };
  for (int i = 0; i < 60; ++i) {
    const std::size_t slots = 1 + random() % 40;
    World world;
    world.dims = {{"K", 0}, {"M", slots}, {"R", 3}};
    world.seed_high = below(1000);
    world.seed_low = -below(1000);
    world.states["quota"] = {below(5), below(5), 1000};
    for (std::size_t m = 0; m < slots; ++m) {
      world.states["stake"].push_back(below(8));
      world.states["uptime"].push_back(below(8) == 0 ? 4999 : 5000);
      world.states["capacity"].push_back(below(8) == 0 ? 9 : 10);
      world.states["latency"].push_back(below(8) == 0 ? 201 : 200);
      world.states["region"].push_back(below(4));
      world.states["reputation"].push_back(below(8) == 0 ? 999 : 1000);
      world.states["quarantined_until"].push_back(below(4));
    }
    const auto& states = world.states;
    std::vector<std::vector<std::pair<i128, std::size_t>>> lots(3);
    for (std::size_t m = 0; m < slots; ++m) {
      const bool fit = states.at("stake")[m] > 0 && states.at("uptime")[m] == 5000 && states.at("capacity")[m] == 10 &&
                       states.at("latency")[m] == 200 && states.at("reputation")[m] == 1000 &&
                       states.at("quarantined_until")[m] <= 2;
      const auto region = static_cast<std::size_t>(states.at("region")[m]);
      if (fit && region < 3) {
        lots[region].emplace_back(math::prf(world.seed_high, world.seed_low, static_cast<i128>(m)), m);
      }
    }
    Values chosen(slots);
    for (std::size_t r = 0; r < 3; ++r) {
      std::ranges::sort(lots[r]);
      for (std::size_t n = 0; n < lots[r].size() && static_cast<i128>(n) < states.at("quota")[r]; ++n) {
        chosen[lots[r][n].second] = 1;
      }
    }
    EXPECT_EQ(run_tables(program, world).at("next_chosen"), chosen);
  }
}

TEST(TrainerSelection, quarantines_after_faults_in_a_row_and_releases) {
  const auto program = compile_library_program("trainer_selection", selection_parameters());
  World world;
  world.dims = {{"K", 0}, {"M", 1}, {"R", 1}};
  world.states = {{"stake", {1}},  {"uptime", {10000}},     {"capacity", {100}}, {"latency", {0}},
                  {"region", {0}}, {"reputation", {10000}}, {"quota", {1}},      {"chosen", {0}}};
  const auto batch = [&](std::uint64_t number, bool reports) {
    world.batch = number;
    world.dims["K"] = reports ? 1 : 0;
    world.members.assign(reports ? 1 : 0, 0);
    const auto tables = run_tables(program, world);
    for (const char* name : {"chosen", "faults", "quarantined_until"}) {
      world.states[name] = tables.at(std::string("next_") + name);
    }
    return world.states["chosen"][0];
  };
  EXPECT_EQ(batch(1, false), 1);
  EXPECT_EQ(batch(2, false), 1);  // one fault
  EXPECT_EQ(batch(3, true), 1);   // forgiven
  EXPECT_EQ(batch(4, false), 1);
  EXPECT_EQ(batch(5, false), 0);  // two in a row: out for batches 6, 7 and 8
  EXPECT_EQ(batch(6, false), 0);
  EXPECT_EQ(batch(7, false), 0);
  EXPECT_EQ(batch(8, false), 1);  // chosen for batch 9
}

std::map<std::string, i128> revenue_parameters() {
  return {{"unit", 1000}, {"period", 2}, {"burn_share", 1000}, {"included", 3}};
}

World revenue_world(const Values& payers, const Values& queries) {
  World world;
  world.dims = {{"K", payers.size()}, {"M", 5}};
  world.members = payers;
  world.fields = {{"queries", queries}};
  world.states = {{"requester", {0, 1, 0, 0, 0}},
                  {"subscribed", {0, 0, 0, 0, 1}},
                  {"rank", {0, 0, 1, 4, 0}},
                  {"soul", {0, 0, 3, 1, 0}},
                  {"deposit", Values(5, 1'000'000)}};
  return world;
}

TEST(ModelRevenue, prices_ten_to_three_to_a_ranks_part_and_the_best_is_free) {
  const auto program = compile_library_program("model_revenue", revenue_parameters());
  EXPECT_EQ(run_tables(program, revenue_world({0, 1, 2, 3}, {1, 1, 1, 1})).at("paid"),
            (Values{10000, 3000, 0, 750, 0}));
}

TEST(ModelRevenue, serves_in_order_while_the_deposit_lasts) {
  const auto program = compile_library_program("model_revenue", revenue_parameters());
  World world = revenue_world({0, 0, 0, 4, 4}, {90, 11, 10, 2, 2});
  const auto tables = run_tables(program, world);
  EXPECT_EQ(tables.at("served"), (Values{100, 0, 0, 0, 4}));
  EXPECT_EQ(tables.at("paid"), (Values{1'000'000, 0, 0, 0, 10000}));  // the subscriber pays for one of four
  EXPECT_EQ(tables.at("next_used")[4], 3);
}

TEST(ModelRevenue, splits_thirty_seventy_after_the_period_and_conserves_money) {
  const auto program = compile_library_program("model_revenue", revenue_parameters());
  std::mt19937_64 random(8);
  World world = revenue_world({}, {});
  const auto money = [&] {
    i128 sum = 0;
    for (const char* name : {"deposit", "balance", "pot", "treasury", "burned"}) sum += total(world.states[name]);
    return sum;
  };
  i128 pot = 0;
  i128 treasury = 0;
  i128 burned = 0;
  for (const char* name : {"balance", "used"}) world.states[name] = Values(5);
  for (const char* name : {"pot", "treasury", "burned"}) world.states[name] = Values(1);
  const i128 start = money();
  for (std::uint64_t batch = 1; batch <= 20; ++batch) {
    const std::size_t events = random() % 12;
    world.batch = batch;
    world.dims["K"] = events;
    world.members.resize(events);
    std::ranges::generate(world.members, [&] { return static_cast<i128>(random() % 5); });
    world.fields["queries"].resize(events);
    std::ranges::generate(world.fields["queries"], [&] { return static_cast<i128>(random() % 9); });
    world.states["soul"] = batch < 5 ? Values(5) : Values{0, 0, 3, 1, 0};
    const auto tables = run_tables(program, world);
    const Values balances = world.states["balance"];
    for (const char* name : {"deposit", "balance", "pot", "treasury", "burned", "used"}) {
      world.states[name] = tables.at(std::string("next_") + name);
    }
    EXPECT_EQ(money(), start);
    pot += total(tables.at("paid"));
    if (batch % 2 == 0 && batch >= 5) {
      const i128 part = pot * 3 / 10;
      treasury += part - part / 10;
      burned += part / 10;
      EXPECT_EQ(total(world.states["balance"]) - total(balances), pot - part);
      EXPECT_NEAR(static_cast<double>(world.states["balance"][2] - balances[2]), static_cast<double>(pot - part) * 0.75,
                  1);
      pot = 0;
    }
    EXPECT_EQ(world.states["pot"], Values{pot});
    EXPECT_EQ(world.states["treasury"], Values{treasury});
    EXPECT_EQ(world.states["burned"], Values{burned});
    if (batch % 2 == 0) {
      EXPECT_EQ(world.states["used"], Values(5));
    }
  }
}

}  // namespace
}  // namespace tally::test
