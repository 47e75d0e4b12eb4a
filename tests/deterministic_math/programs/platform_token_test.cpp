// The transferable token against a bookkeeper, and soul-bound tokens, which nothing transfers.
#include <set>

#include "deterministic_math/programs/program_library.h"
#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

enum Kind : std::uint8_t { kTransfer = 1, kBurn = 2 };

struct Request {
  i128 member, kind, to, amount;
};

void set_records(World& world, const std::vector<Request>& requests) {
  Values members;
  std::map<std::string, Values> fields{{"kind", {}}, {"to", {}}, {"amount", {}}};
  for (const Request& request : requests) {
    members.push_back(request.member);
    fields["kind"].push_back(request.kind);
    fields["to"].push_back(request.to);
    fields["amount"].push_back(request.amount);
  }
  set_records(world, members, fields);
}

World token_world(const Values& holding) {
  World world;
  world.dims = {{"M", holding.size()}};
  world.states = {{"holding", holding}, {"supply", {total(holding)}}};
  return world;
}

TEST(PlatformToken, equals_the_bookkeeper_and_supply_falls_by_what_is_burned) {
  const auto program = compile_library_program("platform_token");
  std::mt19937_64 random(19);
  for (int i = 0; i < 60; ++i) {
    const std::size_t members = 1 + random() % 6;
    Values holding(members);
    std::ranges::generate(holding, [&] { return below(random, 100); });
    World world = token_world(holding);
    for (int batch = 0; batch < 8; ++batch) {
      std::vector<Request> requests(random() % 10);
      for (Request& request : requests) {
        request = {.member = below(random, members),
                   .kind = below(random, 4),
                   .to = below(random, members + 1),
                   .amount = below(random, 60)};
      }
      const auto moves = [&](const Request& request) {
        return request.kind == kBurn || (request.kind == kTransfer && request.to < static_cast<i128>(members));
      };
      Values asked(members);
      for (const Request& request : requests) {
        if (moves(request)) asked[static_cast<std::size_t>(request.member)] += request.amount;
      }
      const Values before = holding;
      i128 burned = 0;
      for (const Request& request : requests) {
        const auto m = static_cast<std::size_t>(request.member);
        if (!moves(request) || asked[m] > before[m]) continue;
        holding[m] -= request.amount;
        if (request.kind == kTransfer) holding[static_cast<std::size_t>(request.to)] += request.amount;
        if (request.kind == kBurn) burned += request.amount;
      }
      set_records(world, requests);
      advance(program, world);
      ASSERT_EQ(world.states["holding"], holding);
      EXPECT_EQ(world.states["supply"], Values{total(before) - burned});
      EXPECT_EQ(world.states["supply"], Values{total(holding)});
    }
  }
}

TEST(PlatformToken, moves_the_whole_supply_and_nothing_beyond_it) {
  const i128 all = i128{1} << 62;
  const auto program = compile_library_program("platform_token");
  const auto after = [&](const std::vector<Request>& requests) {
    World world = token_world({all, 0});
    set_records(world, requests);
    advance(program, world);
    return world.states["holding"];
  };
  EXPECT_EQ(after({{0, kTransfer, 1, all}}), (Values{0, all}));
  EXPECT_EQ(after({{0, kTransfer, 0, all}}), (Values{all, 0}));
  EXPECT_EQ(after({{0, kTransfer, 1, all}, {0, kBurn, 0, 1}}), (Values{all, 0}));
  EXPECT_EQ(after({{0, kBurn, 1, all}}), Values(2));
  EXPECT_EQ(after({{0, kTransfer, 1, all}, {1, kTransfer, 0, all}}), (Values{0, all}));  // what it received, later
  EXPECT_EQ(after({}), (Values{all, 0}));
}

// All programs that keep soul-bound tokens, so that a new one is added to the tests below.
TEST(SoulBoundTokens, are_kept_by_two_programs_of_the_library) {
  std::set<std::string_view> keepers;
  for (const math::LibraryProgram& program : math::library_programs()) {
    if (program.text.contains("next soul = ")) keepers.insert(program.name);
  }
  EXPECT_EQ(keepers, (std::set<std::string_view>{"model_revenue", "validation_cycle"}));
}

TEST(SoulBoundTokens, stay_where_they_are_whatever_members_send) {
  const auto program = compile_library_program("model_revenue", {{"unit", 1},
                                                                 {"subscription", 1},
                                                                 {"included", 9},
                                                                 {"month", 2},
                                                                 {"period", 1},
                                                                 {"burn_share", 0},
                                                                 {"registrar", 9}});
  std::mt19937_64 random(23);
  for (int i = 0; i < 100; ++i) {
    World world;
    world.dims = {{"M", 5}};
    world.states = {{"soul", Values(5)}, {"deposit", Values(5, 1000)}};
    std::ranges::generate(world.states["soul"], [&] { return below(random, 100); });
    const Values before = world.states["soul"];
    const std::size_t events = random() % 20;
    const auto column = [&](std::uint64_t bound) {
      Values values(events);
      std::ranges::generate(values, [&] { return below(random, bound); });
      return values;
    };
    set_records(world, column(5),
                {{"kind", column(8)},
                 {"queries", column(9)},
                 {"about", column(5)},
                 {"requesting", column(2)},
                 {"ranked", column(9)},
                 {"souls", column(1000)}});
    advance(program, world);
    ASSERT_EQ(world.states["soul"], before);
  }
}

// In a cycle tokens go to the pot in one proportion for all, and come back by contribution: who gave them to the pot
// does not show.
TEST(SoulBoundTokens, of_a_cycle_go_through_the_pot_alone) {
  const auto program =
      compile_library_program("validation_cycle", {{"alpha", 5000}, {"turn", 1000}, {"minted", 0}, {"memory", 0}});
  std::mt19937_64 random(29);
  for (int i = 0; i < 100; ++i) {
    World world;
    world.dims = {{"K", 4}, {"M", 5}};
    world.states = {{"reputation", Values(5, 10000)}, {"stake", Values(5, 1)}, {"soul", Values(5)}};
    for (const char* kind : {"reviews", "reports", "appraisals"}) {
      world.rows[kind].assign(4, Values(5));
      for (Values& row : world.rows[kind]) std::ranges::generate(row, [&] { return below(random, 3) * 5000 - 1; });
      for (Values& row : world.rows[kind]) std::ranges::replace(row, i128{9999}, i128{10000});
    }
    Values& soul = world.states["soul"];
    std::ranges::generate(soul, [&] { return 10 * below(random, 100); });
    const Tables tables = run_tables(program, world);
    if (total(tables.at("contribution")) == 0) continue;
    for (std::size_t m = 0; m < 5; ++m) {
      EXPECT_EQ(tables.at("taken")[m], soul[m] / 10);
      EXPECT_EQ(tables.at("next_soul")[m], soul[m] - soul[m] / 10 + tables.at("gained")[m]);
    }
    std::swap(soul[0], soul[1]);  // the pot is the same
    EXPECT_EQ(run_tables(program, world).at("gained"), tables.at("gained"));
  }
}

}  // namespace
}  // namespace tally::test
