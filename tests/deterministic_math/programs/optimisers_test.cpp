// Server optimisers, several rounds each, against the same recursions in integers without bounds, and against real
// numbers.
#include <cmath>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

// Three rounds: the next states become the states. `names` pairs each state with its table.
template <class Oracle>
void play_rounds(const math::CompiledProgram& program, Case c, const std::vector<std::string>& states, Oracle oracle) {
  std::mt19937_64 random(5);
  for (int round = 1; round <= 3; ++round) {
    const auto expected = oracle(c, round);
    const auto tables = run_case(program, c);
    for (const auto& [name, values] : expected) EXPECT_EQ(tables.at("next_" + name), values) << name;
    c.model = tables.at("next_model");
    for (const std::string& name : states) c.states[name] = tables.at("next_" + name);
    for (Values& row : c.updates) std::ranges::shuffle(row, random);
  }
}

constexpr i128 kRate = i128{6554} << 12;  // in units of 2^-16 last places
constexpr i128 kFloor = i128{1} << 20;
constexpr i128 kKeepM = 966367642;   // 0.9
constexpr i128 kKeepV = 1063004406;  // 0.99

TEST(FedAvgM, equals_the_exact_recursion_round_by_round) {
  const std::map<std::string, i128> parameters{{"rate", (i128{1} << 30) + 12345}, {"momentum", kKeepM}};
  const auto program = compile_library_program("fedavgm", parameters);
  for_each_case({1, 2, 7}, [&](const Case& first) {
    play_rounds(program, first, {"velocity"}, [&](const Case& c, int) { return fedavgm_states(c, parameters); });
  });
}

TEST(FedAvgM, from_one_and_three_with_one_and_two_examples_is_seven_thirds) {
  Case c = published({1, 3});
  c.examples = {1, 2};
  const auto rate = static_cast<i128>(std::llround((1 + 1e-9) * (1 << 30)));
  const auto program = compile_library_program("fedavgm", {{"rate", rate}, {"momentum", 0}});
  EXPECT_NEAR(real(run_case(program, c).at("next_model")[0]), 7.0 / 3, 1.0 / 65536);
}

TEST(FedAvgM, holds_its_velocity_at_the_end_of_its_range) {
  Case c = published({32767});
  c.states["velocity"] = {i128{1} << 62};
  const auto program = compile_library_program("fedavgm", {{"rate", 1 << 30}, {"momentum", (1 << 30) - 1}});
  EXPECT_EQ(run_case(program, c).at("next_velocity"), Values{i128{1} << 62});
}

void expect_adaptive(const std::string& name) {
  std::map<std::string, i128> parameters{{"rate", kRate}, {"floor", kFloor}, {"keep_m", kKeepM}};
  if (name != "fedadagrad") parameters["keep_v"] = kKeepV;
  const auto program = compile_library_program(name, parameters);
  for_each_case({1, 2, 7}, [&](const Case& first) {
    play_rounds(program, first, {"m", "v"}, [&](const Case& c, int) { return adaptive_states(name, c, parameters); });
  });
}

TEST(FedAdagrad, equals_the_exact_recursion_round_by_round) { expect_adaptive("fedadagrad"); }

TEST(FedAdam, equals_the_exact_recursion_round_by_round) { expect_adaptive("fedadam"); }

TEST(FedYogi, equals_the_exact_recursion_round_by_round) { expect_adaptive("fedyogi"); }

TEST(FedAdagrad, holds_the_sum_of_squares_at_the_end_of_its_range) {
  Case c = published({32767});
  c.states["v"] = {i128{1} << 108};
  const auto program = compile_library_program("fedadagrad", {{"rate", 1}, {"floor", 1}, {"keep_m", 0}});
  EXPECT_EQ(run_case(program, c).at("next_v"), Values{i128{1} << 108});
}

// A parameter of c in real units for a model with 16 fraction bits.
i128 adaptive_unit(double c) { return static_cast<i128>(std::llround(c * 4294967296.0)); }

TEST(FedAdagrad, published_step_from_a_tenth_with_a_fifth_and_one_is_fifteen_hundredths) {
  Case c = published({0.2 - 0.1, 1.0 - 0.1}, 0.1);
  c.examples = {5, 5};
  const auto program = compile_library_program(
      "fedadagrad", {{"rate", adaptive_unit(0.1)}, {"floor", adaptive_unit(0.5)}, {"keep_m", 0}});
  EXPECT_NEAR(real(run_case(program, c).at("next_model")[0]), 0.15, 1.0 / 65536);
}

TEST(FedAdamCorrected, equals_the_exact_recursion_round_by_round) {
  const std::map<std::string, i128> parameters{
      {"rate", kRate}, {"floor", kFloor}, {"keep_m", kKeepM}, {"keep_v", kKeepV}};
  const auto program = compile_library_program("fedadam_corrected", parameters);
  for_each_case({1, 3}, [&](const Case& first) {
    play_rounds(program, first, {"m", "v", "filled_m", "filled_v"}, [&](const Case& c, int round) {
      auto states = adaptive_states("fedadam_corrected", c, parameters);
      EXPECT_NEAR(std::ldexp(static_cast<double>(states.at("filled_m")[0]), -60), 1 - std::pow(0.9, round), 1e-8);
      return states;
    });
  });
}

// The three adaptive rules in real numbers, as the paper prints them.
struct RealOptimiser {
  double m = 0;
  double v = 0;
  double x = 0;

  void step(const std::string& rule, double change, int round) {
    const double rate = 0.1;
    m = 0.9 * m + 0.1 * change;
    const double square = change * change;
    if (rule == "fedadagrad") v += square;
    if (rule == "fedadam" || rule == "fedadam_corrected") v = 0.99 * v + 0.01 * square;
    if (rule == "fedyogi") v -= 0.01 * square * (v > square ? 1 : -1);
    const double corrected = rule == "fedadam_corrected"
                                 ? rate * std::sqrt(1 - std::pow(0.99, round + 1)) / (1 - std::pow(0.9, round + 1))
                                 : rate;
    x += corrected * m / (std::sqrt(v) + 0.001);
  }
};

class RealNumbers : public testing::TestWithParam<const char*> {};

TEST_P(RealNumbers, differ_by_a_few_last_places_after_thirty_rounds) {
  const std::string rule = GetParam();
  std::map<std::string, i128> parameters{
      {"rate", adaptive_unit(0.1)}, {"floor", adaptive_unit(0.001)}, {"keep_m", kKeepM}};
  if (rule != "fedadagrad") parameters["keep_v"] = kKeepV;
  const auto program = compile_library_program(rule, parameters);
  RealOptimiser exact;
  Case c = published({0});
  for (int round = 1; round <= 30; ++round) {
    c.updates[0][0] = (round * 7919) % 4001 - 1500;
    exact.step(rule, real(c.updates[0][0]), round);
    const auto tables = run_case(program, c);
    for (const auto& [name, values] : tables) {
      if (name.starts_with("next_") && name != "next_model") c.states[name.substr(5)] = values;
    }
    c.model = tables.at("next_model");
    ASSERT_NEAR(real(c.model[0]), exact.x, 32.0 / 65536) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Optimisers, RealNumbers,
                         testing::Values("fedadagrad", "fedadam", "fedadam_corrected", "fedyogi"));

}  // namespace
}  // namespace tally::test
