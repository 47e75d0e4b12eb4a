// Robust outliers and the average that leaves them out, against sorting and integers without bounds.
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

constexpr i128 kOne30 = i128{1} << 30;

TEST(FedAvgScreened, equals_the_rule_step_by_step) {
  const auto program = compile_library_program("fedavg_screened", {{"limit", 35}, {"newcomer", 1000}, {"rise", 2}});
  for_each_case({1, 2, 3, 8}, [&](Case c) {
    c.slots = 10;
    for (std::uint64_t k = 0; k < c.records; ++k) c.members.push_back(static_cast<i128>(9 - k));
    c.states["reputation"] = {1, kOne30, 0, 5, kOne30 - 1, 77777, 3, 0, 1 << 20, 2};
    if (c.records > 3) std::ranges::transform(c.updates[1], c.updates[1].begin(), [](i128 x) { return x / 1000; });
    const Screened expected = screen(c, 35, 1000, 2);
    const auto tables = run_case(program, c);
    EXPECT_EQ(tables.at("impact"), expected.impact);
    EXPECT_EQ(tables.at("weight"), expected.weight);
    EXPECT_EQ(tables.at("next_model"), expected.model);
    EXPECT_EQ(tables.at("next_reputation"), expected.reputation);
  });
}

TEST(FedAvgScreened, leaves_out_boosted_and_reversed_updates_and_forgets_who_sent_them) {
  const auto program =
      compile_library_program("fedavg_screened", {{"limit", 35}, {"newcomer", kOne30 / 2}, {"rise", 2}});
  Case c = published({1, 1.1, 0.9, 1.05, 0.95, 100, -1});
  c.slots = 7;
  c.states["reputation"] = Values(7);
  for (int round = 0; round < 10; ++round) {
    const auto tables = run_case(program, c);
    EXPECT_EQ(tables.at("weight")[5], 0);
    EXPECT_EQ(tables.at("weight")[6], 0);
    EXPECT_NEAR(real(tables.at("next_model")[0]), 1, 0.001);
    c.states["reputation"] = tables.at("next_reputation");
  }
  // Ten rounds on, the two would weigh less than a hundredth of any other even if they behaved.
  for (const std::size_t bad : {5U, 6U}) EXPECT_LT(c.states["reputation"][bad] * 100, c.states["reputation"][0]);
}

TEST(Outliers, take_the_median_and_its_deviation_as_claims_that_cannot_differ) {
  const auto program = compile_text(R"(
program p
dim K in 1..4096
record x: i64 in 0..1<<62
fn value(k) = x[k]
use outliers(K, value, 35) as sizes
table far[k in K]: i8 { return sizes.far(k) }
)");
  std::mt19937_64 random(30);
  for (int i = 0; i < 200; ++i) {
    World world;
    Values& x = world.fields["x"];
    x.resize(1 + random() % 12);
    std::ranges::generate(x, [&] { return static_cast<i128>(random() % (i % 2 == 0 ? 4 : 1000)); });
    world.dims = {{"K", x.size()}};
    const Outcome outcome = run_world(program, world);
    ASSERT_FALSE(outcome.failed.has_value());
    const std::vector<bool> far = far_from_median(x, 35);
    EXPECT_EQ(outcome.tables.at("far"), Values(far.begin(), far.end()));
    for (const char* claim : {"sizes.median", "sizes.deviation"}) {
      World other = world;
      for (const char* name : {"sizes.median", "sizes.deviation"}) other.advice[name] = outcome.tables.at(name);
      for (const i128 step : {-1, 1}) {
        other.advice[claim] = {outcome.tables.at(claim)[0] + step};
        if (other.advice[claim][0] < 0) continue;
        EXPECT_TRUE(run_world(program, other).failed.has_value()) << claim;
      }
    }
  }
}

}  // namespace
}  // namespace tally::test
