// Validation cycles against medians, ranks, shares and reputations by sorting and counting.
#include <numeric>
#include <optional>

#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

constexpr i128 kAlpha = 6000;
constexpr i128 kTurn = 1500;
constexpr i128 kMinted = 77;
constexpr unsigned kMemory = 3;
constexpr const char* kOpinions[] = {"reviews", "reports", "appraisals"};

math::CompiledProgram cycle_program(i128 alpha = kAlpha, i128 turn = kTurn, i128 minted = kMinted,
                                    i128 memory = kMemory) {
  return compile_library_program("validation_cycle",
                                 {{"alpha", alpha}, {"turn", turn}, {"minted", minted}, {"memory", memory}});
}

struct Cycle {
  World world;
  std::size_t members = 0;

  Cycle(std::mt19937_64& random, std::size_t slots, std::size_t reviewers) : members(slots) {
    world.dims = {{"K", reviewers}, {"M", slots}};
    for (std::size_t m = 0; m < slots; ++m) {
      world.states["reputation"].push_back(below(random, 4) == 0 ? 0 : below(random, 10001));
      world.states["stake"].push_back(below(random, 3) == 0 ? 1 : below(random, std::uint64_t{1} << 40));
      world.states["soul"].push_back(below(random, 3) == 0 ? below(random, 3) : below(random, 1'000'000));
    }
    Values order(slots);
    std::iota(order.begin(), order.end(), i128{0});
    std::ranges::shuffle(order, random);
    world.members.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(reviewers));
    const bool few_values = below(random, 2) == 0;
    for (const char* name : kOpinions) {
      world.rows[name].assign(reviewers, Values(slots));
      for (Values& row : world.rows[name]) {
        std::ranges::generate(row, [&] { return few_values ? below(random, 3) - 1 : below(random, 10002) - 1; });
      }
    }
  }

  [[nodiscard]] i128 voice(std::size_t k) const {
    const auto m = static_cast<std::size_t>(world.members[k]);
    return world.states.at("reputation")[m] * world.states.at("stake")[m];
  }

  [[nodiscard]] std::optional<i128> opinion(const char* kind, std::size_t k, std::size_t m) const {
    const i128 given = world.rows.at(kind)[k][m];
    if (given < 0 || world.members[k] == static_cast<i128>(m)) return std::nullopt;
    return given;
  }

  // Sort the opinions on m and go up until half of the weight is reached.
  [[nodiscard]] i128 median(const char* kind, std::size_t m) const {
    std::vector<std::pair<i128, i128>> sorted;
    i128 all = 0;
    for (std::size_t k = 0; k < world.members.size(); ++k) {
      const auto given = opinion(kind, k, m);
      if (!given) continue;
      sorted.emplace_back(*given, voice(k));
      all += voice(k);
    }
    std::ranges::sort(sorted);
    i128 upto = 0;
    for (const auto& [value, weight] : sorted) {
      upto += weight;
      if (all > 0 && 2 * upto >= all) return value;
    }
    return 0;
  }

  [[nodiscard]] Values reputations() const {
    Values result = world.states.at("reputation");
    for (std::size_t k = 0; k < world.members.size(); ++k) {
      i128 distance = 0;
      i128 count = 0;
      for (const char* kind : kOpinions) {
        for (std::size_t m = 0; m < members; ++m) {
          const auto given = opinion(kind, k, m);
          if (!given) continue;
          const i128 off = *given - median(kind, m);
          distance += off < 0 ? -off : off;
          ++count;
        }
      }
      if (count == 0) continue;
      i128& reputation = result[static_cast<std::size_t>(world.members[k])];
      const i128 way = 10000 - distance / count - reputation;
      const i128 part = i128{1} << kMemory;
      reputation += way / part + (way % part > 0 ? 1 : way % part < 0 ? -1 : 0);
    }
    return result;
  }
};

TEST(ValidationCycle, equals_medians_ranks_shares_and_reputations_by_sorting) {
  const auto program = cycle_program();
  std::mt19937_64 random(9);
  for (int i = 0; i < 120; ++i) {
    const std::size_t slots = 1 + random() % 12;
    const Cycle cycle(random, slots, random() % (slots + 1));
    const Tables tables = run_tables(program, cycle.world);
    Values composite;
    Values contribution;
    for (std::size_t m = 0; m < slots; ++m) {
      composite.push_back(kAlpha * cycle.median("reviews", m) + (10000 - kAlpha) * cycle.median("reports", m));
      contribution.push_back(composite.back() * cycle.median("appraisals", m));
    }
    EXPECT_EQ(tables.at("composite"), composite);
    EXPECT_EQ(tables.at("contribution"), contribution);
    std::vector<std::size_t> order(slots);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return contribution[a] > contribution[b]; });
    for (std::size_t r = 0; r < slots; ++r) EXPECT_EQ(tables.at("rank")[order[r]], static_cast<i128>(r) + 1);
    for (std::size_t r = 1; r < slots; ++r) EXPECT_LE(tables.at("gained")[order[r]], tables.at("gained")[order[r - 1]]);
    EXPECT_EQ(tables.at("next_reputation"), cycle.reputations());
    const Values& before = cycle.world.states.at("soul");
    if (total(contribution) == 0) {
      EXPECT_EQ(tables.at("next_soul"), before);
      continue;
    }
    Values kept;
    for (const i128 soul : before) kept.push_back(soul - (soul * kTurn + 9999) / 10000);
    Values after = largest_remainders(total(before) - total(kept) + kMinted, contribution);
    for (std::size_t m = 0; m < slots; ++m) after[m] += kept[m];
    EXPECT_EQ(tables.at("next_soul"), after);
    EXPECT_EQ(total(after), total(before) + kMinted);
  }
}

TEST(ValidationCycle, weighs_local_and_global_scores_with_parts_that_sum_to_one) {
  const struct {
    i128 alpha, local, global, composite;
  } cases[] = {{6000, 8000, 5000, 68'000'000},
               {10000, 8000, 5000, 80'000'000},
               {0, 8000, 5000, 50'000'000},
               {3333, 10000, 10000, 100'000'000},
               {5000, 1, 0, 5000},
               {1, 10000, 0, 10000}};
  for (const auto& [alpha, local, global, composite] : cases) {
    World world;
    world.dims = {{"K", 1}, {"M", 2}};
    world.rows = {{"reviews", {{-1, local}}}, {"reports", {{-1, global}}}, {"appraisals", {{-1, 1}}}};
    world.states = {{"reputation", {1, 1}}, {"stake", {1, 1}}};
    EXPECT_EQ(run_tables(cycle_program(alpha), world).at("composite")[1], composite);
  }
}

// The smallest value with at least `sixths` sixths of the weight at or below it.
i128 quantile(std::vector<std::pair<i128, i128>> opinions, i128 sixths) {
  std::ranges::sort(opinions);
  i128 all = 0;
  for (const auto& [value, weight] : opinions) all += weight;
  i128 upto = 0;
  for (const auto& [value, weight] : opinions) {
    upto += weight;
    if (6 * upto >= sixths * all) return value;
  }
  return 0;
}

// Liars with up to 40 % of all weight say whatever moves the median farthest.
TEST(ValidationCycle, liars_with_forty_percent_stay_within_the_middle_two_thirds_of_honest_weight) {
  const auto program = cycle_program(10000, 1, 0);
  std::mt19937_64 random(71);
  for (int i = 0; i < 200; ++i) {
    const std::size_t honest = 1 + random() % 9;
    World world;
    world.dims = {{"K", honest + 1}, {"M", honest + 2}};
    world.states["reputation"] = Values(honest + 2, 10000);
    std::vector<std::pair<i128, i128>> opinions;  // value, stake
    i128 weight = 0;
    for (std::size_t k = 0; k < honest; ++k) {
      opinions.emplace_back(below(random, 10001), 1 + below(random, 1000));
      weight += opinions.back().second;
      world.states["stake"].push_back(opinions.back().second);
    }
    world.states["stake"].insert(world.states["stake"].end(), {weight * 2 / 3, 0});
    for (const i128 lie : {0, 10000}) {
      for (const char* kind : kOpinions) world.rows[kind].assign(honest + 1, Values(honest + 2, -1));
      for (std::size_t k = 0; k < honest; ++k) world.rows["reviews"][k].back() = opinions[k].first;
      world.rows["reviews"].back().back() = lie;
      const i128 score = run_tables(program, world).at("composite").back() / 10000;
      EXPECT_GE(score, quantile(opinions, 1));
      EXPECT_LE(score, quantile(opinions, 5));
    }
  }
}

World lone_review(i128 review, i128 report, i128 appraisal) {
  World world;
  world.dims = {{"K", 1}, {"M", 3}};
  world.rows = {
      {"reviews", {{-1, review, 9000}}}, {"reports", {{-1, report, 9000}}}, {"appraisals", {{-1, appraisal, 9000}}}};
  world.states = {{"reputation", {1, 1, 1}}, {"stake", {1, 1, 1}}, {"soul", {0, 0, 0}}};
  return world;
}

TEST(ValidationCycle, ranks_neighbouring_contributions_and_divides_by_the_smallest) {
  const auto program = cycle_program(1, 1, 9);
  World world;
  world.dims = {{"K", 1}, {"M", 4}};
  world.members = {3};
  world.rows = {{"reviews", {{1, 1, 1, -1}}}, {"reports", {{0, 0, 0, -1}}}, {"appraisals", {{5, 6, 5, -1}}}};
  world.states = {{"reputation", Values(4, 1)}, {"stake", Values(4, 1)}};
  const Tables tables = run_tables(program, world);
  EXPECT_EQ(tables.at("contribution"), (Values{5, 6, 5, 0}));
  EXPECT_EQ(tables.at("rank"), (Values{2, 1, 3, 4}));
  EXPECT_EQ(tables.at("gained"), (Values{3, 3, 3, 0}));
  world.rows["appraisals"] = {{0, 1, 0, -1}};
  EXPECT_EQ(run_tables(program, world).at("next_soul"), (Values{0, 9, 0, 0}));
}

TEST(ValidationCycle, updates_without_worth_earn_nothing) {
  const auto program = cycle_program(5000, 1, 1000);
  EXPECT_EQ(run_tables(program, lone_review(0, 0, 9000)).at("next_soul"), (Values{0, 0, 1000}));
  EXPECT_EQ(run_tables(program, lone_review(9000, 9000, 0)).at("next_soul"), (Values{0, 0, 1000}));
  EXPECT_EQ(run_tables(program, lone_review(9000, 9000, 9000)).at("next_soul"), (Values{0, 500, 500}));
}

TEST(ValidationCycle, a_passive_member_falls_every_cycle) {
  const auto program = cycle_program(5000, 1, 0);
  World world = lone_review(-1, -1, -1);
  world.states["soul"] = {0, 5, 0};
  for (i128 left = 4; left >= 0; --left) {
    advance(program, world);
    EXPECT_EQ(world.states["soul"], (Values{0, left, 5 - left}));
  }
}

TEST(ValidationCycle, one_opinion_decides_a_reputation_and_none_leaves_it) {
  const auto program = cycle_program();
  const auto reputation = [&](i128 opinion, i128 before) {
    World world;
    world.dims = {{"K", 2}, {"M", 3}};
    for (const char* kind : kOpinions) world.rows[kind].assign(2, Values(3, -1));
    world.rows["reviews"][0][2] = opinion;  // beside a heavier voice that says 0
    world.rows["reviews"][1][2] = 0;
    world.states = {{"reputation", {before, 10000, 0}}, {"stake", {1, 20000, 0}}, {"soul", {1, 1, 1}}};
    return run_tables(program, world).at("next_reputation")[0];
  };
  EXPECT_EQ(reputation(-1, 5000), 5000);
  EXPECT_EQ(reputation(0, 5000), 5625);
  EXPECT_EQ(reputation(2000, 5000), 5375);
  EXPECT_EQ(reputation(10000, 5000), 4375);
  EXPECT_EQ(reputation(10000, 0), 0);
  EXPECT_EQ(reputation(0, 10000), 10000);
}

// From nothing to the top and back: each cycle moves it, and it arrives within the stated time.
TEST(ValidationCycle, full_agreement_reaches_the_top_whatever_the_memory) {
  for (const int memory : {0, 1, 3, 8}) {
    const auto program = cycle_program(kAlpha, kTurn, 0, memory);
    World world;
    world.dims = {{"K", 2}, {"M", 3}};
    for (const char* kind : kOpinions) world.rows[kind].assign(2, Values(3, -1));
    world.rows["reviews"] = {{-1, -1, 0}, {-1, -1, 0}};  // beside a heavier voice
    world.states = {{"reputation", {0, 10000, 0}}, {"stake", {1, 20000, 0}}, {"soul", {1, 1, 1}}};
    const auto cycles_until = [&](i128 goal) {
      int cycles = 0;
      while (world.states["reputation"][0] != goal) {
        const i128 before = world.states["reputation"][0];
        advance(program, world);
        ++cycles;
        if (world.states["reputation"][0] == before) return -1;  // stuck
      }
      return cycles;
    };
    const int up = cycles_until(10000);
    EXPECT_GT(up, 0) << memory;
    EXPECT_LE(up, 11 << memory) << memory;
    world.rows["reviews"][0][2] = 10000;
    EXPECT_EQ(cycles_until(0), up) << memory;
  }
}

TEST(ValidationCycle, nobodys_opinion_on_itself_counts) {
  World world = lone_review(-1, -1, -1);
  world.members = {2};
  EXPECT_EQ(run_tables(cycle_program(), world).at("composite"), Values(3));
}

TEST(ValidationCycle, lying_reviewers_lose_their_reputation_and_honest_ones_do_not) {
  const auto program = cycle_program();
  World world;
  world.dims = {{"K", 6}, {"M", 7}};
  for (const char* kind : kOpinions) {
    for (int k = 0; k < 6; ++k) world.rows[kind].emplace_back(7, k < 4 ? 8000 : 0);
  }
  world.states = {{"reputation", Values(7, 8000)}, {"stake", Values(7, 10)}, {"soul", Values(7, 1)}};
  for (int i = 0; i < 40; ++i) advance(program, world);
  for (std::size_t m = 0; m < 4; ++m) EXPECT_GE(world.states["reputation"][m], 9000);
  for (std::size_t m = 4; m < 6; ++m) EXPECT_LE(world.states["reputation"][m], 3000);
  EXPECT_EQ(world.states["reputation"][6], 8000);
}

}  // namespace
}  // namespace tally::test
