// Votes and parameters: every small ballot by counting, thresholds at their edge, and the life of a proposal batch by
// batch.
#include <numeric>

#include "tests/deterministic_math/programs/rule_cases.h"

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
  for (const i128 threshold : {5100, 6600, 7500}) {
    for (const i128 short_by : {0, 1}) {
      const i128 yes = threshold - short_by;
      const auto tables = run_tables(program, ballot_world({{1}}, {0}, {yes, 10000 - yes}, {threshold}));
      EXPECT_EQ(tables.at("qualified")[0], 1 - short_by) << static_cast<int>(threshold);
    }
  }
  EXPECT_EQ(run_tables(program, ballot_world({{1}}, {0}, {0}, {1})).at("qualified")[0], 0);
}

TEST(Ballot, gives_members_without_weight_no_head) {
  const auto tables =
      run_tables(compile_library_program("ballot"), ballot_world({{1}, {1}}, {0, 1}, {0, 1, 1}, {5100}));
  EXPECT_EQ(tables.at("heads")[0], 2);
  EXPECT_EQ(tables.at("for_heads")[0], 1);
  EXPECT_EQ(tables.at("majority")[0], 0);
}

// Two parameters, three members with weights 6, 3 and 1; the third body's bounds are 0..100.
class Parameters : public testing::Test {
 protected:
  struct Vote {
    i128 member;
    i128 parameter = -1;
    i128 wanted = 0;
    Values yes{0, 0};
  };

  void batch(const std::vector<Vote>& votes) {
    World world;
    world.dims = {{"K", votes.size()}, {"M", 4}, {"P", 2}};
    world.batch = static_cast<std::uint64_t>(++x_batch);
    for (const Vote& vote : votes) {
      world.members.push_back(vote.member);
      world.fields["parameter"].push_back(vote.parameter);
      world.fields["wanted"].push_back(vote.wanted);
      world.rows["votes"].push_back(vote.yes);
    }
    world.fields["parameter"].resize(votes.size());
    world.fields["wanted"].resize(votes.size());
    world.rows["votes"].resize(votes.size());
    world.states = x_states;
    const auto tables = run_tables(x_program, world);
    for (const char* name : {"value", "stage", "coming", "due"}) {
      x_states[name] = tables.at(std::string("next_") + name);
    }
  }

  math::CompiledProgram x_program = compile_library_program("parameters", {{"delay", 2}});
  i128 x_batch = 0;
  std::map<std::string, Values> x_states{{"weight", {6, 3, 1, 0}},
                                         {"threshold", {6600, 7500}},
                                         {"lowest", {0, 0}},
                                         {"highest", {100, 100}},
                                         {"value", {10, 20}}};
};

TEST_F(Parameters, take_effect_once_at_the_declared_batch) {
  batch({{.member = 1, .parameter = 0, .wanted = 50}});                 // batch 1: proposed
  batch({{.member = 0, .yes = {1, 0}}, {.member = 2, .yes = {1, 0}}});  // batch 2: 70 % of 66 %
  EXPECT_EQ(x_states["due"], (Values{4, 0}));
  EXPECT_EQ(x_states["value"], (Values{10, 20}));
  batch({});  // batch 3 is the last under the old value
  EXPECT_EQ(x_states["value"], (Values{50, 20}));
  EXPECT_EQ(x_states["stage"], (Values{0, 0}));
  batch({});
  EXPECT_EQ(x_states["value"], (Values{50, 20}));
}

TEST_F(Parameters, fall_where_the_threshold_is_missed) {
  batch({{.member = 1, .parameter = 0, .wanted = 50}, {.member = 0, .parameter = 1, .wanted = 60}});
  batch({{.member = 0, .yes = {1, 1}}, {.member = 2, .yes = {0, 1}}});  // 60 % of 66 %, 70 % of 75 %
  EXPECT_EQ(x_states["stage"], (Values{0, 0}));
  batch({});
  batch({});
  EXPECT_EQ(x_states["value"], (Values{10, 20}));
}

TEST_F(Parameters, outside_the_bounds_are_rejected_when_they_would_act) {
  batch({{.member = 0, .parameter = 0, .wanted = 101}, {.member = 1, .parameter = 1, .wanted = 70}});
  batch({{.member = 0, .yes = {1, 1}}, {.member = 1, .yes = {1, 1}}});
  x_states["highest"] = {100, 69};  // narrowed after the vote
  batch({});
  EXPECT_EQ(x_states["value"], (Values{10, 20}));
  EXPECT_EQ(x_states["stage"], (Values{0, 0}));
}

TEST_F(Parameters, are_proposed_by_voters_alone_and_one_at_a_time) {
  batch({{.member = 3, .parameter = 0, .wanted = 1},
         {.member = 2, .parameter = 0, .wanted = 2},
         {.member = 0, .parameter = 0, .wanted = 3}});
  EXPECT_EQ(x_states["coming"], (Values{2, 0}));
  batch({{.member = 0, .parameter = 0, .wanted = 9, .yes = {1, 0}}, {.member = 1, .yes = {1, 0}}});
  EXPECT_EQ(x_states["coming"], (Values{2, 0}));
  batch({});
  EXPECT_EQ(x_states["value"], (Values{2, 20}));
}

TEST_F(Parameters, leave_the_others_alone) {
  batch({{.member = 1, .parameter = 1, .wanted = 77}});
  batch({{.member = 0, .yes = {1, 1}}, {.member = 1, .yes = {1, 1}}});
  batch({});
  EXPECT_EQ(x_states["value"], (Values{10, 77}));
}

}  // namespace
}  // namespace tally::test
