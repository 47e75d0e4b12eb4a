// What users pay for a model, against a bookkeeper that takes events one by one.
#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

constexpr i128 kUnit = 1000;
constexpr i128 kSubscription = 25'000;
constexpr i128 kIncluded = 10;
constexpr i128 kMonth = 3;
constexpr i128 kPeriod = 2;
constexpr i128 kBurnShare = 1234;
constexpr i128 kRegistrar = 1;

math::CompiledProgram revenue_program() {
  return compile_library_program("model_revenue", {{"unit", kUnit},
                                                   {"subscription", kSubscription},
                                                   {"included", kIncluded},
                                                   {"month", kMonth},
                                                   {"period", kPeriod},
                                                   {"burn_share", kBurnShare},
                                                   {"registrar", kRegistrar}});
}

struct Event {
  i128 member, kind, queries, about = 0, requesting = 0, ranked = 0, souls = 0;
};

void set_records(World& world, const std::vector<Event>& events) {
  Values members;
  std::map<std::string, Values> fields{{"kind", {}},       {"queries", {}}, {"about", {}},
                                       {"requesting", {}}, {"ranked", {}},  {"souls", {}}};
  for (const Event& event : events) {
    members.push_back(event.member);
    fields["kind"].push_back(event.kind);
    fields["queries"].push_back(event.queries);
    fields["about"].push_back(event.about);
    fields["requesting"].push_back(event.requesting);
    fields["ranked"].push_back(event.ranked);
    fields["souls"].push_back(event.souls);
  }
  set_records(world, members, fields);
}

struct Books {
  Values requester, rank, soul, subscribed, used, deposit, balance;
  i128 pot = 0, treasury = 0, burned = 0;

  explicit Books(std::size_t members)
      : requester(members),
        rank(members),
        soul(members),
        subscribed(members),
        used(members),
        deposit(members),
        balance(members) {}

  [[nodiscard]] i128 price(std::size_t m) const {
    if (rank[m] > 0) return kUnit * (rank[m] - 1) / rank[m];
    return requester[m] == 1 ? 3 * kUnit : 10 * kUnit;
  }

  bool pay(std::size_t m, i128 cost) {
    if (deposit[m] < cost) return false;
    deposit[m] -= cost;
    pot += cost;
    return true;
  }

  void settle() {
    const i128 part = pot * 3 / 10;
    const i128 burn = part * kBurnShare / 10000;
    treasury += part - burn;
    burned += burn;
    const Values shares = largest_remainders(pot - part, soul);
    for (std::size_t m = 0; m < shares.size(); ++m) balance[m] += shares[m];
    pot = 0;
  }

  // Returns the queries that each member was served.
  Values batch(i128 number, const std::vector<Event>& events) {
    Values served(deposit.size());
    for (const Event& event : events) {
      const auto m = static_cast<std::size_t>(event.member);
      bool done = false;
      if (event.kind == 1) done = pay(m, event.queries * price(m));
      if (event.kind == 2 && subscribed[m] == 0 && pay(m, kSubscription)) subscribed[m] = 1;
      if (event.kind == 3 && subscribed[m] == 1 && used[m] + event.queries <= kIncluded) {
        used[m] += event.queries;
        done = true;
      }
      if (done) served[m] += event.queries;
    }
    if (number % kPeriod == 0 && total(soul) > 0) settle();
    if (number % kMonth == 0) {
      std::ranges::fill(subscribed, 0);
      std::ranges::fill(used, 0);
    }
    for (const Event& event : events) {
      if (event.kind != 4 || event.member != kRegistrar || event.about >= static_cast<i128>(rank.size())) continue;
      const auto m = static_cast<std::size_t>(event.about);
      requester[m] = event.requesting;
      rank[m] = event.ranked;
      soul[m] = event.souls;
    }
    return served;
  }

  [[nodiscard]] std::map<std::string, Values> states() const {
    return {{"requester", requester}, {"rank", rank},       {"soul", soul},       {"subscribed", subscribed},
            {"used", used},           {"balance", balance}, {"deposit", deposit}, {"pot", {pot}},
            {"treasury", {treasury}}, {"burned", {burned}}};
  }

  [[nodiscard]] i128 in_circulation() const { return total(deposit) + total(balance) + pot + treasury; }
};

TEST(ModelRevenue, equals_the_bookkeeper_over_random_events_and_only_burning_lowers_the_supply) {
  const auto program = revenue_program();
  std::mt19937_64 random(81);
  for (int i = 0; i < 25; ++i) {
    const std::size_t members = 2 + random() % 6;
    Books books(members);
    for (std::size_t m = 0; m < members; ++m) {
      books.deposit[m] = below(random, 400'000);
      books.rank[m] = below(random, 4);
      books.requester[m] = below(random, 2);
    }
    World world;
    world.dims = {{"M", members}};
    world.states = books.states();
    for (int batch = 0; batch < 14; ++batch) {
      std::vector<Event> events(random() % 16);
      for (Event& event : events) {
        event = {.member = below(random, members), .kind = below(random, 6), .queries = below(random, 8)};
        if (event.kind != 4) continue;
        if (below(random, 3) > 0) event.member = kRegistrar;
        event.about = below(random, members + 1);
        event.requesting = below(random, 2);
        event.ranked = below(random, 4);
        event.souls = below(random, 3) == 0 ? 0 : below(random, 1000);
      }
      const i128 before = books.in_circulation();
      const i128 burned = books.burned;
      set_records(world, events);
      const Values served = books.batch(static_cast<i128>(world.batch), events);
      EXPECT_EQ(advance(program, world).at("served"), served);
      ASSERT_EQ(world.states, books.states()) << i << " " << batch;
      EXPECT_EQ(books.in_circulation(), before - (books.burned - burned));
    }
  }
}

World user_world(Values requester, Values rank) {
  World world;
  const std::size_t members = rank.size();
  world.dims = {{"M", members}};
  world.states = {
      {"requester", std::move(requester)}, {"rank", std::move(rank)}, {"deposit", Values(members, 1'000'000)}};
  return world;
}

TEST(ModelRevenue, prices_ten_to_three_to_a_ranks_part_and_the_best_is_free) {
  World world = user_world({0, 1, 0, 0, 1}, {0, 0, 1, 4, 2});
  std::vector<Event> events;
  for (i128 m = 0; m < 5; ++m) events.push_back({.member = m, .kind = 1, .queries = 1});
  set_records(world, events);
  EXPECT_EQ(run_tables(revenue_program(), world).at("paid"), (Values{10 * kUnit, 3 * kUnit, 0, 750, 500}));
}

TEST(ModelRevenue, a_worse_rank_never_pays_less_and_no_member_pays_a_unit) {
  constexpr std::size_t kRanks = 1100;  // beyond a unit of 1,000
  Values ranks(kRanks);
  std::vector<Event> events;
  for (std::size_t m = 0; m < kRanks; ++m) {
    ranks[m] = static_cast<i128>(m) + 1;
    events.push_back({.member = static_cast<i128>(m), .kind = 1, .queries = 1});
  }
  ranks.back() = i128{1} << 20;
  World world = user_world(Values(kRanks), ranks);
  set_records(world, events);
  const Values paid = run_tables(revenue_program(), world).at("paid");
  EXPECT_EQ(paid[0], 0);
  EXPECT_TRUE(std::ranges::is_sorted(paid));
  EXPECT_LT(paid.back(), kUnit);
}

TEST(ModelRevenue, serves_in_order_while_the_deposit_lasts) {
  World world = user_world({0, 0}, {0, 0});
  set_records(world, std::vector<Event>{{0, 1, 90}, {0, 1, 11}, {0, 1, 10}, {0, 1, 1}, {0, 2, 0}});
  const Tables tables = run_tables(revenue_program(), world);
  EXPECT_EQ(tables.at("served"), (Values{100, 0}));
  EXPECT_EQ(tables.at("paid"), (Values{1'000'000, 0}));
  EXPECT_EQ(tables.at("next_subscribed"), Values(2));
}

TEST(ModelRevenue, refuses_a_query_beyond_the_subscription_until_the_next_month) {
  const auto program = revenue_program();
  World world = user_world({0}, {0});
  const auto served = [&](const std::vector<Event>& events) {
    set_records(world, events);
    return advance(program, world).at("served")[0];
  };
  const Event query{.member = 0, .kind = 3, .queries = 1};
  const Event subscribe{.member = 0, .kind = 2, .queries = 0};
  EXPECT_EQ(served({query}), 0);  // no subscription yet
  EXPECT_EQ(served({subscribe, {0, 3, kIncluded - 1}, subscribe}), kIncluded - 1);
  EXPECT_EQ(world.states["deposit"], Values{1'000'000 - kSubscription});  // bought once
  EXPECT_EQ(served({query, query, query}), 1);                            // the last of the month, batch 3
  EXPECT_EQ(served({query}), 0);                                          // the month has ended
  EXPECT_EQ(served({subscribe, {0, 3, kIncluded}, query}), kIncluded);
  EXPECT_EQ(world.states["deposit"], Values{1'000'000 - 2 * kSubscription});
}

TEST(ModelRevenue, sells_for_the_last_unit_of_a_deposit_and_not_for_less) {
  for (const i128 deposit : {kSubscription - 1, kSubscription}) {
    World world = user_world({0}, {0});
    world.states["deposit"] = {deposit};
    set_records(world, std::vector<Event>{{0, 2, 0}});
    EXPECT_EQ(run_tables(revenue_program(), world).at("subscribes"), Values{deposit == kSubscription ? 1 : 0});
  }
}

TEST(ModelRevenue, listens_to_the_registrar_alone) {
  World world = user_world({0, 0}, {0, 0});
  world.states["soul"] = {5, 7};
  set_records(world, std::vector<Event>{{0, 4, 0, 0, 1, 1, 1000}, {0, 4, 0, 1, 1, 1, 0}});
  const Tables tables = run_tables(revenue_program(), world);
  EXPECT_EQ(tables.at("next_soul"), (Values{5, 7}));
  EXPECT_EQ(tables.at("next_rank"), (Values{0, 0}));
  EXPECT_EQ(tables.at("next_requester"), (Values{0, 0}));
}

TEST(ModelRevenue, pays_members_in_the_order_and_proportion_of_their_soul_bound_tokens) {
  World world = user_world(Values(5), Values(5));
  world.batch = 2;
  world.states["pot"] = {1'000'001};
  world.states["soul"] = {1, 2, 4, 0, 3};
  set_records(world, {});
  const Tables tables = run_tables(revenue_program(), world);
  EXPECT_EQ(tables.at("to_treasury"), Values{300'000});
  EXPECT_EQ(tables.at("next_balance"), (Values{70'000, 140'000, 280'001, 0, 210'000}));
  EXPECT_EQ(tables.at("next_pot"), Values{0});
}

TEST(ModelRevenue, goes_on_where_every_account_is_full) {
  const i128 full = i128{1} << 62;
  World world = user_world(Values(3), Values(3));
  world.batch = kPeriod;
  world.states["soul"] = Values(3, i128{1} << 40);
  for (const char* name : {"deposit", "balance"}) world.states[name] = Values(3, full);
  for (const char* name : {"pot", "treasury", "burned"}) world.states[name] = Values{full};
  std::vector<Event> events(300, Event{.member = 0, .kind = 1, .queries = i128{1} << 20});
  set_records(world, events);
  const Tables tables = run_tables(revenue_program(), world);
  EXPECT_EQ(tables.at("next_balance"), Values(3, full));
  EXPECT_EQ(tables.at("next_treasury"), Values{full});
  EXPECT_EQ(tables.at("next_burned"), Values{full});
}

TEST(ModelRevenue, settles_a_million_small_payments_as_one_batch) {
  constexpr std::size_t kEvents = 1'000'000;
  constexpr std::size_t kUsers = 1000;
  World world = user_world(Values(kUsers), Values(kUsers));
  world.batch = kPeriod;
  world.states["deposit"] = Values(kUsers, i128{1} << 40);
  world.states["soul"] = Values(kUsers, 1);
  std::mt19937_64 random(4);
  std::vector<Event> events(kEvents);
  i128 queries = 0;
  for (Event& event : events) {
    event = {.member = below(random, kUsers), .kind = 1, .queries = below(random, 4)};
    queries += event.queries;
  }
  set_records(world, events);
  const Outcome outcome = run_world(revenue_program(), world, 2);
  ASSERT_FALSE(outcome.failed.has_value());
  const i128 income = queries * 10 * kUnit;
  EXPECT_EQ(total(outcome.tables.at("served")), queries);
  EXPECT_EQ(total(outcome.tables.at("paid")), income);
  const i128 part = income * 3 / 10;
  EXPECT_EQ(total(outcome.tables.at("next_balance")), income - part);
  EXPECT_EQ(outcome.tables.at("next_treasury")[0] + outcome.tables.at("next_burned")[0], part);
}

}  // namespace
}  // namespace tally::test
