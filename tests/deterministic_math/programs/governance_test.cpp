// Votes and parameters: every small ballot by counting, thresholds at their edge, and the life of a proposal batch by
// batch.
#include <bit>
#include <numeric>
#include <optional>
#include <tuple>

#include "deterministic_math/numbers/prf.h"
#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

World ballot_world(const std::vector<Values>& votes, const Values& voters, const Values& weight,
                   const Values& threshold) {
  World world;
  world.dims = {{"K", votes.size()}, {"M", weight.size()}, {"P", threshold.size()}};
  world.rows = {{"votes", votes}};
  world.states = {{"weight", weight}, {"threshold", threshold}};
  world.members = voters;
  return world;
}

// Every outcome of up to twelve members of one vote each, all of them voting: a tie rejects.
TEST(Ballot, by_heads_needs_more_than_half_for_all_small_numbers) {
  const auto program = compile_library_program("ballot");
  for (std::size_t members = 1; members <= 12; ++members) {
    // A proposal for each subset of members; 64 of them at a time.
    const std::size_t subsets = std::size_t{1} << members;
    for (std::size_t first = 0; first < subsets; first += 256) {
      const std::size_t proposals = std::min<std::size_t>(256, subsets - first);
      std::vector<Values> votes(members, Values(proposals));
      Values voters(members);
      std::iota(voters.begin(), voters.end(), i128{0});
      for (std::size_t m = 0; m < members; ++m) {
        for (std::size_t p = 0; p < proposals; ++p) votes[m][p] = static_cast<i128>(((first + p) >> m) & 1U);
      }
      const auto tables = run_tables(program, ballot_world(votes, voters, Values(members, 1), Values(proposals, 5100)));
      for (std::size_t p = 0; p < proposals; ++p) {
        const auto yes = static_cast<std::size_t>(std::popcount(first + p));
        ASSERT_EQ(tables.at("majority")[p], 2 * yes > members ? 1 : 0) << members << " " << first + p;
        ASSERT_EQ(tables.at("weighted")[p], 2 * yes > members ? 1 : 0);
      }
    }
  }
}

TEST(Ballot, by_weight_counts_absent_members_as_no_and_rejects_a_tie) {
  const auto program = compile_library_program("ballot");
  const auto weighted = [&](const Values& weight, const Values& voters) {
    return run_tables(program, ballot_world(std::vector<Values>(voters.size(), Values{1}), voters, weight, {5100}))
        .at("weighted")[0];
  };
  EXPECT_EQ(weighted({5, 3, 2}, {0}), 0);
  EXPECT_EQ(weighted({5, 3, 1}, {0}), 1);
  EXPECT_EQ(weighted({5, 3, 2}, {0, 2}), 1);
  EXPECT_EQ(weighted({0, 0}, {0, 1}), 0);
  EXPECT_EQ(weighted({i128{1} << 40, (i128{1} << 40) - 1}, {0}), 1);
}

TEST(Ballot, reaches_a_threshold_exactly_and_not_a_point_below) {
  const auto program = compile_library_program("ballot");
  for (const i128 threshold : {1, 5100, 6600, 7500, 10000}) {
    for (const i128 point : {1, 1'000'000}) {  // weight of a basis point
      for (const i128 short_by : {0, 1}) {
        const i128 yes = threshold * point - short_by;
        const auto tables = run_tables(program, ballot_world({{1}}, {0}, {yes, 10000 * point - yes}, {threshold}));
        EXPECT_EQ(tables.at("qualified")[0], 1 - short_by) << static_cast<int>(threshold);
      }
    }
  }
  EXPECT_EQ(run_tables(program, ballot_world({{1}}, {0}, {1}, {10000})).at("qualified")[0], 1);
  EXPECT_EQ(run_tables(program, ballot_world({{1}}, {0}, {0}, {1})).at("qualified")[0], 0);
}

TEST(Ballot, gives_members_without_weight_no_head) {
  const auto tables =
      run_tables(compile_library_program("ballot"), ballot_world({{1}, {1}}, {0, 1}, {0, 1, 1}, {5100}));
  EXPECT_EQ(tables.at("heads")[0], 2);
  EXPECT_EQ(tables.at("for_heads")[0], 1);
  EXPECT_EQ(tables.at("majority")[0], 0);
}

constexpr i128 kDelay = 2;
constexpr i128 kOverseer = 3;

// A member's record: a proposal, bounds, votes.
struct Vote {
  i128 member;
  i128 parameter = -1;
  i128 wanted = 0;
  Values yes{0, 0};
  i128 oversees = 0;
  i128 lower = 0;
  i128 upper = 0;
};

void set_records(World& world, const std::vector<Vote>& votes) {
  Values members;
  std::map<std::string, Values> fields{
      {"parameter", {}}, {"wanted", {}}, {"oversees", {}}, {"lower", {}}, {"upper", {}}};
  world.rows["votes"].clear();
  for (const Vote& vote : votes) {
    members.push_back(vote.member);
    fields["parameter"].push_back(vote.parameter);
    fields["wanted"].push_back(vote.wanted);
    fields["oversees"].push_back(vote.oversees);
    fields["lower"].push_back(vote.lower);
    fields["upper"].push_back(vote.upper);
    world.rows["votes"].push_back(vote.yes);
  }
  set_records(world, members, fields);
}

math::CompiledProgram parameters_program(i128 delay = kDelay) {
  return compile_library_program("parameters", {{"delay", delay}, {"overseer", kOverseer}});
}

// Two parameters, three members with weights 6, 3 and 1; the overseer's bounds are 0..100.
class Parameters : public testing::Test {
 protected:
  Parameters() {
    x_world.dims = {{"M", 4}, {"P", 2}};
    x_world.states = {{"weight", {6, 3, 1, 0}},
                      {"threshold", {6600, 7500}},
                      {"lowest", {0, 0}},
                      {"highest", {100, 100}},
                      {"value", {10, 20}}};
  }

  void batch(const std::vector<Vote>& votes) {
    set_records(x_world, votes);
    advance(x_program, x_world);
  }

  [[nodiscard]] Values state(const char* name) { return x_world.states[name]; }

  math::CompiledProgram x_program = parameters_program();
  World x_world;
};

TEST_F(Parameters, take_effect_once_at_the_declared_batch) {
  batch({{.member = 1, .parameter = 0, .wanted = 50}});                 // batch 1: proposed
  batch({{.member = 0, .yes = {1, 0}}, {.member = 2, .yes = {1, 0}}});  // batch 2: 70 % of 66 %
  EXPECT_EQ(state("due"), (Values{4, 0}));
  EXPECT_EQ(state("value"), (Values{10, 20}));
  batch({});  // batch 3 is the last under the old value
  EXPECT_EQ(state("value"), (Values{50, 20}));
  EXPECT_EQ(state("stage"), (Values{0, 0}));
  x_world.states["value"][0] = 11;
  for (int i = 0; i < 4; ++i) batch({});
  EXPECT_EQ(state("value"), (Values{11, 20}));  // it does not act again
}

TEST_F(Parameters, fall_where_the_threshold_is_missed) {
  batch({{.member = 1, .parameter = 0, .wanted = 50}, {.member = 0, .parameter = 1, .wanted = 60}});
  batch({{.member = 0, .yes = {1, 1}}, {.member = 2, .yes = {0, 1}}});  // 60 % of 66 %, 70 % of 75 %
  EXPECT_EQ(state("stage"), (Values{0, 0}));
  batch({});
  batch({});
  EXPECT_EQ(state("value"), (Values{10, 20}));
}

TEST_F(Parameters, pass_a_threshold_at_its_basis_point_and_a_simple_majority_beyond_half) {
  constexpr i128 kPoint = 1'000'000;  // weight of a basis point
  const struct {
    i128 threshold, yes, no;
    bool passes;
  } cases[] = {{5100, 5100 * kPoint - 1, 4900 * kPoint + 1, false},
               {5100, 5100 * kPoint, 4900 * kPoint, true},
               {6600, 6600 * kPoint - 1, 3400 * kPoint + 1, false},
               {6600, 6600 * kPoint, 3400 * kPoint, true},
               {7500, 7500 * kPoint - 1, 2500 * kPoint + 1, false},
               {7500, 7500 * kPoint, 2500 * kPoint, true},
               {0, 7, 7, false},
               {0, 8, 7, true},
               {10000, 1, 0, true},
               {5100, 0, 0, false},
               {0, 0, 0, false}};
  for (const auto& [threshold, yes, no, passes] : cases) {
    x_world.states["stage"] = {1, 0};
    x_world.states["coming"] = {77, 0};
    x_world.states["threshold"] = {threshold, 1};
    x_world.states["weight"] = {yes, no, 0, 0};
    batch({{.member = 0, .yes = {1, 1}}});
    EXPECT_EQ(state("stage"), (Values{passes ? 2 : 0, 0})) << static_cast<int>(threshold);
  }
}

TEST_F(Parameters, are_in_force_from_the_declared_batch_on_and_not_before) {
  for (const i128 delay : {1, 2, 3, 7}) {
    x_program = parameters_program(delay);
    x_world.batch = 1;
    x_world.states["value"] = {10, 20};
    batch({{.member = 0, .parameter = 0, .wanted = 50}});
    batch({{.member = 0, .yes = {1, 0}}, {.member = 1, .yes = {1, 0}}});  // the ballot, in batch 2
    while (state("value")[0] == 10 && x_world.batch < 20) batch({});
    EXPECT_EQ(static_cast<i128>(x_world.batch), 2 + delay);  // the first that runs under it
    EXPECT_EQ(state("stage"), Values(2));
    EXPECT_EQ(state("coming"), Values(2));
    EXPECT_EQ(state("due"), Values(2));
  }
}

TEST_F(Parameters, outside_the_bounds_are_rejected_when_they_would_act) {
  batch({{.member = 0, .parameter = 0, .wanted = 101}, {.member = 1, .parameter = 1, .wanted = 70}});
  batch(
      {{.member = 0, .yes = {1, 1}},
       {.member = 1, .yes = {1, 1}},
       {.member = kOverseer, .parameter = 1, .oversees = 1, .lower = 0, .upper = 69}});  // narrowed after the proposal
  EXPECT_EQ(state("stage"), (Values{2, 2}));
  batch({});
  EXPECT_EQ(state("value"), (Values{10, 20}));
  EXPECT_EQ(state("stage"), (Values{0, 0}));
}

TEST_F(Parameters, have_bounds_that_the_overseer_alone_sets) {
  batch({{.member = 0, .parameter = 0, .yes = {1, 1}, .oversees = 1, .lower = 1, .upper = 2},
         {.member = kOverseer, .parameter = 1, .wanted = 99, .oversees = 1, .lower = 30, .upper = 40}});
  EXPECT_EQ(state("lowest"), (Values{0, 30}));
  EXPECT_EQ(state("highest"), (Values{100, 40}));
  EXPECT_EQ(state("value"), (Values{10, 20}));
  EXPECT_EQ(state("stage"), (Values{0, 0}));
  batch({{.member = kOverseer, .parameter = 1, .oversees = 1, .lower = 41, .upper = 40}});  // no range
  EXPECT_EQ(state("lowest"), (Values{0, 30}));
}

TEST_F(Parameters, are_proposed_by_voters_alone_and_one_at_a_time) {
  batch({{.member = 3, .parameter = 0, .wanted = 1}, {.member = 2, .parameter = 0, .wanted = 2}});
  EXPECT_EQ(state("coming"), (Values{2, 0}));
  batch({{.member = 0, .parameter = 0, .wanted = 9, .yes = {1, 0}}, {.member = 1, .yes = {1, 0}}});
  EXPECT_EQ(state("coming"), (Values{2, 0}));
  batch({});
  EXPECT_EQ(state("value"), (Values{2, 20}));
}

TEST_F(Parameters, leave_the_others_alone) {
  batch({{.member = 1, .parameter = 1, .wanted = 77}});
  batch({{.member = 0, .yes = {1, 1}}, {.member = 1, .yes = {1, 1}}});
  batch({});
  EXPECT_EQ(state("value"), (Values{10, 77}));
}

// The member with all the weight but a tenth proposes whenever it may, and from the lowest slot.
TEST_F(Parameters, are_held_by_nobody_for_ever) {
  x_world.states["weight"] = {9, 0, 1, 0};
  i128 of_large = 0;
  i128 of_small = 0;
  for (int i = 0; i < 2'000; ++i) {
    batch({{.member = 0, .parameter = 0, .wanted = 1}, {.member = 2, .parameter = 0, .wanted = 2}});
    of_large += state("coming")[0] == 1 ? 1 : 0;
    of_small += state("coming")[0] == 2 ? 1 : 0;
  }
  EXPECT_EQ(of_large + of_small, 1'000);  // each falls in the batch after
  EXPECT_GE(of_small, 30);
  EXPECT_LE(of_small, 90);  // about half of its share of the weight
}

TEST_F(Parameters, come_up_by_lot_among_equals) {
  x_world.states["weight"] = {5, 5, 5, 5};
  std::map<i128, int> times;
  for (int i = 0; i < 800; ++i) {
    std::vector<Vote> votes;
    for (i128 m = 0; m < 4; ++m) votes.push_back({.member = m, .parameter = 1, .wanted = 10 + m});
    batch(votes);
    ++times[state("coming")[1]];
  }
  for (i128 m = 0; m < 4; ++m) {
    EXPECT_GE(times[10 + m], 70);
    EXPECT_LE(times[10 + m], 130);
  }
}

// The overseer narrows the bounds in the last batch under the old value.
TEST_F(Parameters, never_take_force_outside_the_bounds_of_their_first_batch) {
  const Vote narrow{.member = kOverseer, .parameter = 0, .oversees = 1, .lower = 0, .upper = 49};
  for (const i128 delay : {1, 2}) {
    x_program = parameters_program(delay);
    x_world.states["highest"] = {100, 100};
    batch({{.member = 1, .parameter = 0, .wanted = 50}});
    std::vector<Vote> ballot{{.member = 0, .yes = {1, 0}}, {.member = 2, .yes = {1, 0}}};
    if (delay == 1) ballot.push_back(narrow);
    batch(ballot);
    if (delay == 2) batch({narrow});
    EXPECT_EQ(state("highest")[0], 49);
    EXPECT_EQ(state("value")[0], 10);
    EXPECT_EQ(state("stage")[0], 0);
  }
  // And one that the overseer makes room for in time does.
  batch({{.member = 1, .parameter = 0, .wanted = 50}});
  batch({{.member = 0, .yes = {1, 0}}, {.member = 2, .yes = {1, 0}}});
  Vote widen = narrow;
  widen.upper = 50;
  batch({widen});
  EXPECT_EQ(state("value")[0], 50);
}

// One parameter's books; all of what the others' votes say is not in them.
struct Book {
  i128 value = 0, stage = 0, coming = 0, due = 0, lowest = 0, highest = 0;

  void batch(i128 number, i128 delay, std::size_t p, i128 threshold, const Values& weight,
             const std::vector<Vote>& votes) {
    i128 yes = 0;
    std::optional<std::pair<i128, i128>> proposed;  // lot, what
    std::optional<std::pair<i128, i128>> bounds;
    for (const Vote& vote : votes) {
      const i128 power = weight[static_cast<std::size_t>(vote.member)];
      yes += vote.yes[p] * power;
      if (vote.parameter != static_cast<i128>(p)) continue;
      if (vote.oversees == 0 && power > 0) {
        const i128 place = static_cast<i128>(p) * (i128{1} << 20) + vote.member;
        const i128 lot = (math::prf(number, place, 0) * (i128{1} << 32) + math::prf(number, place, 1)) / power;
        if (!proposed || lot < proposed->first) proposed = {lot, vote.wanted};
      }
      if (vote.oversees == 1 && vote.member == kOverseer && vote.lower <= vote.upper) bounds = {vote.lower, vote.upper};
    }
    if (bounds) std::tie(lowest, highest) = *bounds;
    const i128 all = total(weight);
    if (stage == 0 && proposed) {
      stage = 1;
      coming = proposed->second;
    } else if (stage == 1) {
      const bool accepted = all > 0 && (threshold == 0 ? yes > all - yes : 10000 * yes >= threshold * all);
      stage = accepted ? 2 : 0;
      due = number + delay;
    }
    if (stage == 2 && number + 1 >= due) {
      if (coming >= lowest && coming <= highest) value = coming;
      stage = 0;
    }
    if (stage == 0) coming = 0;
    if (stage != 2) due = 0;
  }
};

TEST_F(Parameters, equal_the_books_of_each_alone_over_random_batches) {
  std::mt19937_64 random(37);
  for (int i = 0; i < 30; ++i) {
    const i128 delay = 1 + i % 4;
    x_program = parameters_program(delay);
    std::vector<Book> books(3, Book{.value = 5, .highest = 9});
    Values weight(5);
    std::ranges::generate(weight, [&] { return below(random, 4); });
    const Values threshold{5100, 0, 7500};
    const auto check = [&](const char* name, i128 Book::* what) {
      Values expected;
      for (const Book& book : books) expected.push_back(book.*what);
      EXPECT_EQ(x_world.states[name], expected) << name;
    };
    x_world = {};
    x_world.dims = {{"M", 5}, {"P", 3}};
    x_world.states = {{"weight", weight},
                      {"threshold", threshold},
                      {"value", Values(3, 5)},
                      {"lowest", Values(3)},
                      {"highest", Values(3, 9)}};
    for (i128 number = 1; number <= 20; ++number) {
      std::vector<Vote> votes;
      for (i128 m = 0; m < 5; ++m) {
        if (below(random, 4) == 0) continue;
        votes.push_back({.member = m, .parameter = below(random, 5) - 1, .wanted = below(random, 12), .yes = {}});
        votes.back().yes = {below(random, 2), below(random, 2), below(random, 2)};
        if (below(random, 4) > 0) continue;
        votes.back().oversees = 1;
        votes.back().lower = below(random, 6);
        votes.back().upper = 3 + below(random, 9);
      }
      batch(votes);
      for (std::size_t p = 0; p < books.size(); ++p) books[p].batch(number, delay, p, threshold[p], weight, votes);
      check("value", &Book::value);
      check("stage", &Book::stage);
      check("coming", &Book::coming);
      check("due", &Book::due);
      check("lowest", &Book::lowest);
      check("highest", &Book::highest);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace tally::test
