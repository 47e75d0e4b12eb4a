// Server optimisers, several rounds each, against the same recursions in integers without bounds, and against real
// numbers.
#include <cmath>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

const BigInt kOne30 = BigInt(1) << 30;

// The weighted mean of the updates in units of 2^-16 last places.
BigInt mean_change(const Case& c, std::uint64_t d) {
  BigInt sum = 0;
  BigInt total = 0;
  for (std::uint64_t k = 0; k < c.records; ++k) {
    sum += to_big(c.updates[k][d] * c.examples[k]);
    total += to_big(c.examples[k]);
  }
  return to_big(nearest_even(sum * 65536, total));
}

BigInt decayed(i128 keep, const BigInt& old, const BigInt& fresh) {
  return to_big(nearest_even(to_big(keep) * old + (kOne30 - to_big(keep)) * fresh, kOne30));
}

i128 stepped(i128 model, i128 rate, const BigInt& m, const BigInt& v, i128 floor) {
  const BigInt root = floor_root(v * 65536);  // 2^-24 last places
  return as_i32(model + nearest_even(to_big(rate) * m, (root + to_big(floor) * 256) * 256));
}

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

Values state_or_zeros(const Case& c, const std::string& name, std::uint64_t length) {
  const auto found = c.states.find(name);
  return found == c.states.end() ? Values(length) : found->second;
}

TEST(FedAvgM, equals_the_exact_recursion_round_by_round) {
  const i128 rate = (i128{1} << 30) + 12345;
  const auto program = compile_library_program("fedavgm", {{"rate", rate}, {"momentum", kKeepM}});
  for_each_case({1, 2, 7}, [&](const Case& first) {
    play_rounds(program, first, {"velocity"}, [&](const Case& c, int) {
      const Values velocity = state_or_zeros(c, "velocity", c.length);
      std::map<std::string, Values> expected;
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const BigInt next = to_big(nearest_even(to_big(kKeepM) * to_big(velocity[d]), kOne30)) + mean_change(c, d);
        expected["velocity"].push_back(from_big(next));
        expected["model"].push_back(as_i32(c.model[d] + nearest_even(to_big(rate) * next, BigInt(1) << 46)));
      }
      return expected;
    });
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

// Moments of the adaptive rules: the second moment from the old one and the change.
using SecondMoment = std::function<BigInt(const BigInt& old, const BigInt& change)>;

void expect_adaptive(const std::string& name, const SecondMoment& second_moment) {
  std::map<std::string, i128> parameters{{"rate", kRate}, {"floor", kFloor}, {"keep_m", kKeepM}};
  if (name != "fedadagrad") parameters["keep_v"] = kKeepV;
  const auto program = compile_library_program(name, parameters);
  for_each_case({1, 2, 7}, [&](const Case& first) {
    play_rounds(program, first, {"m", "v"}, [&](const Case& c, int) {
      const Values m = state_or_zeros(c, "m", c.length);
      const Values v = state_or_zeros(c, "v", c.length);
      std::map<std::string, Values> expected;
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const BigInt change = mean_change(c, d);
        const BigInt next_m = decayed(kKeepM, to_big(m[d]), change);
        const BigInt next_v = second_moment(to_big(v[d]), change);
        expected["m"].push_back(from_big(next_m));
        expected["v"].push_back(from_big(next_v));
        expected["model"].push_back(stepped(c.model[d], kRate, next_m, next_v, kFloor));
      }
      return expected;
    });
  });
}

TEST(FedAdagrad, equals_the_exact_recursion_round_by_round) {
  expect_adaptive("fedadagrad", [](const BigInt& old, const BigInt& change) { return old + change * change; });
}

TEST(FedAdam, equals_the_exact_recursion_round_by_round) {
  expect_adaptive("fedadam",
                  [](const BigInt& old, const BigInt& change) { return decayed(kKeepV, old, change * change); });
}

TEST(FedYogi, equals_the_exact_recursion_round_by_round) {
  expect_adaptive("fedyogi", [](const BigInt& old, const BigInt& change) -> BigInt {
    const BigInt square = change * change;
    const BigInt move = to_big(nearest_even((kOne30 - to_big(kKeepV)) * square, kOne30));
    if (old < square) return old + move;
    return old > square ? BigInt(old - move) : old;
  });
}

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
  const auto program = compile_library_program(
      "fedadam_corrected", {{"rate", kRate}, {"floor", kFloor}, {"keep_m", kKeepM}, {"keep_v", kKeepV}});
  const BigInt one60 = BigInt(1) << 60;
  for_each_case({1, 3}, [&](const Case& first) {
    BigInt filled_m = 0;
    BigInt filled_v = 0;
    play_rounds(program, first, {"m", "v", "filled_m", "filled_v"}, [&](const Case& c, int round) {
      filled_m = decayed(kKeepM, filled_m, one60);
      filled_v = decayed(kKeepV, filled_v, one60);
      EXPECT_NEAR(filled_m.convert_to<double>() / one60.convert_to<double>(), 1 - std::pow(0.9, round), 1e-8);
      const BigInt of_m = decayed(kKeepM, filled_m, one60);
      const BigInt of_v = decayed(kKeepV, filled_v, one60);
      const i128 rate = nearest_even(to_big(kRate) * floor_root(of_v * one60), of_m);
      std::map<std::string, Values> expected{{"filled_m", {from_big(filled_m)}}, {"filled_v", {from_big(filled_v)}}};
      for (std::uint64_t d = 0; d < c.length; ++d) {
        const BigInt change = mean_change(c, d);
        const BigInt next_m = decayed(kKeepM, to_big(state_or_zeros(c, "m", c.length)[d]), change);
        const BigInt next_v = decayed(kKeepV, to_big(state_or_zeros(c, "v", c.length)[d]), change * change);
        expected["m"].push_back(from_big(next_m));
        expected["v"].push_back(from_big(next_v));
        expected["model"].push_back(stepped(c.model[d], rate, next_m, next_v, kFloor));
      }
      return expected;
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
