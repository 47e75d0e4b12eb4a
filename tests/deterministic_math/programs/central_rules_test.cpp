// Clipping around a centre, the geometric median, trust in a root update and trust in members, against the same steps
// in integers without bounds.
#include <cmath>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

TEST(CentredClip, equals_the_exact_rounds_and_carries_its_centre) {
  for (const i128 bound : {i128{1}, i128{100} << 16, i128{1} << 45}) {
    for (const int rounds : {1, 3}) {
      const auto program = compile_library_program("centred_clip", {{"bound", bound}, {"rounds", rounds}});
      for_each_case({1, 2, 7}, [&](Case c) {
        c.states["centre"] = c.model;
        for (int batch = 0; batch < 2; ++batch) {
          const Values centre = centred_clip_centre(c, bound, rounds);
          const auto tables = run_case(program, c);
          EXPECT_EQ(tables.at("next_centre"), centre);
          EXPECT_EQ(tables.at("next_model"), sum_to_model(c.model, centre));
          c.states["centre"] = centre;
        }
      });
    }
  }
}

TEST(CentredClip, moves_no_further_than_the_bound_each_round) {
  Case c = published({0, 0, 0});
  c.updates = {{kI32Hi}, {kI32Hi}, {kI32Lo}};
  const auto program = compile_library_program("centred_clip", {{"bound", i128{30} << 16}, {"rounds", 1}});
  EXPECT_EQ(run_case(program, c).at("next_centre"), Values{10});  // (30 + 30 - 30) / 3
}

TEST(GeometricMedian, equals_the_exact_rounds) {
  for (const i128 smoothing : {i128{1}, i128{10} << 16}) {
    for (const int rounds : {1, 4}) {
      const auto program = compile_library_program("geometric_median", {{"smoothing", smoothing}, {"rounds", rounds}});
      for_each_case({1, 2, 7}, [&](const Case& c) {
        expect_model(program, c, sum_to_model(c.model, geometric_median(c, smoothing, rounds)));
      });
    }
  }
}

// The geometric median of three corners of a triangle without an angle of 120 degrees is its Fermat point: of an
// equilateral triangle the centre, whatever happens to the corners' order.
TEST(GeometricMedian, nears_the_fermat_point_and_shrugs_off_an_outlier) {
  Case c;
  c.records = 4;
  c.length = 2;
  c.updates = {{1000000, 0}, {-500000, 866025}, {-500000, -866025}, {0, 0}};
  c.model = {0, 0};
  c.examples = {1, 1, 1, 1};
  const auto program = compile_library_program("geometric_median", {{"smoothing", 1 << 16}, {"rounds", 32}});
  const Values centre = run_case(program, c).at("next_model");
  EXPECT_NEAR(static_cast<double>(centre[0]), 0, 1);
  EXPECT_NEAR(static_cast<double>(centre[1]), 0, 1);
  // Four on a spot and one far away: the mean is dragged a fifth of the way, the median stays.
  Case dragged;
  dragged.records = 5;
  dragged.length = 1;
  dragged.updates = {{100}, {100}, {100}, {100}, {kI32Hi}};
  dragged.model = {0};
  dragged.examples = {1, 1, 1, 1, 1};
  EXPECT_NEAR(static_cast<double>(run_case(program, dragged).at("next_model")[0]), 100, 1);
}

TEST(AdaptiveClip, equals_the_exact_mean_and_follows_the_quantile) {
  const i128 start = i128{500} << 16;
  const i128 rate = 858993459;  // 0.2
  const auto program = compile_library_program("adaptive_clip", {{"start", start}, {"rate", rate}, {"quantile", 5000}});
  for_each_case({1, 2, 7}, [&](Case c) {
    for (int batch = 0; batch < 3; ++batch) {
      const i128 bound = batch == 0 ? start : c.states["bound"][0];
      int within = 0;
      for (const Values& row : c.updates) {
        within += ceil_root(squared_distance(row, Values(c.length)) << 32) <= to_big(bound) ? 1 : 0;
      }
      const auto tables = run_case(program, c);
      EXPECT_EQ(tables.at("next_model"), adaptive_clip_model(c, bound));
      const double share = static_cast<double>(within) / static_cast<double>(c.records);
      const double expected = static_cast<double>(bound) * std::exp(-0.2 * (share - 0.5));
      EXPECT_NEAR(static_cast<double>(tables.at("next_bound")[0]) / expected, 1, 1e-7);
      c.states["bound"] = tables.at("next_bound");
    }
  });
}

TEST(AdaptiveClip, settles_where_half_of_the_norms_lie_within) {
  Case c = published({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const auto program =
      compile_library_program("adaptive_clip", {{"start", 1}, {"rate", i128{1} << 33}, {"quantile", 5000}});
  for (int batch = 0; batch < 200; ++batch) c.states["bound"] = run_world(program, c.world()).tables.at("next_bound");
  const double bound = real(c.states["bound"][0]) / 65536;
  EXPECT_GE(bound, 4);
  EXPECT_LE(bound, 8);
}

TEST(FlTrust, equals_the_exact_weighted_mean) {
  const auto program = compile_library_program("fltrust", {{"server", 2}});
  for_each_case({1, 2, 3, 8}, [&](const Case& c) {
    const RootTrust expected = fltrust(c, 2);
    expect_model(program, c, expected.model);
    if (c.records < 3) return;
    const Values origin(c.length);
    const Values& root = c.updates[2];
    for (std::size_t k = 0; k < c.records; ++k) {
      if (expected.trust[k] == 0) continue;
      BigInt dot = 0;
      for (std::size_t d = 0; d < c.length; ++d) dot += to_big(c.updates[k][d] * root[d]);
      const double cosine = dot.convert_to<double>() * 65536 * 65536 /
                            floor_distance(c.updates[k], origin).convert_to<double>() /
                            floor_distance(root, origin).convert_to<double>();
      EXPECT_NEAR(expected.trust[k].convert_to<double>() / 1073741824.0, std::min(cosine, 1.0), 1e-4);
    }
  });
}

TEST(FlTrust, gives_every_update_the_length_of_the_roots) {
  Case c = published({1, 100, -5});
  c.members = {7, 8, 9};
  EXPECT_EQ(run_case(compile_library_program("fltrust", {{"server", 7}}), c).at("next_model"), c.updates[0]);
}

TEST(FlTrust, leaves_the_model_without_a_root_or_without_agreement) {
  Case c = published({1, -100, 0}, 3);
  EXPECT_EQ(run_case(compile_library_program("fltrust", {{"server", 0}}), c).at("next_model"), c.model);
  EXPECT_EQ(run_case(compile_library_program("fltrust", {{"server", 9}}), c).at("next_model"), c.model);
}

// Five members, the fourth absent, with shares from the ends and between.
Case trusted_case(const Case& rule_case) {
  Case c = rule_case;
  c.slots = 9;
  c.members = {4, 0, 2, 8, 1};
  c.members.resize(c.records);
  c.states["reputation"] = {10000, 5000, 1, 7000, 9999, 10000, 10000, 10000, 2500};
  c.states["quality"] = {10000, 10000, 9000, 10000, 1, 10000, 10000, 10000, 10000};
  c.states["reliability"] = {10000, 3333, 8000, 10000, 10000, 10000, 10000, 10000, 10000};
  c.states["accuracy"] = {10000, 10000, 10000, 10000, 0, 123, 10000, 10000, 77};
  return c;
}

TEST(FedAvgTrusted, equals_the_exact_mean_weighted_by_five_factors) {
  const auto program = compile_library_program("fedavg_trusted", {{"memory", 3}});
  for_each_case({1, 2, 5}, [&](const Case& rule_case) {
    Case c = trusted_case(rule_case);
    const Values change = trusted_change(c);
    const auto tables = run_case(program, c);
    EXPECT_EQ(tables.at("next_model"), sum_to_model(c.model, change));
    const Values origin(c.length);
    Values accuracy = c.states["accuracy"];
    for (std::size_t k = 0; k < c.records; ++k) {
      BigInt dot = 0;
      for (std::size_t d = 0; d < c.length; ++d) dot += to_big(c.updates[k][d] * change[d]);
      const BigInt norm = floor_distance(c.updates[k], origin);
      const BigInt change_norm = floor_distance(change, origin);
      const BigInt projection = dot <= 0 ? BigInt(0) : BigInt((dot << 32) / norm);
      const i128 agreement = projection == 0 ? 0 : std::min<i128>(nearest_even(10000 * projection, change_norm), 10000);
      i128& own = accuracy[static_cast<std::size_t>(c.members[k])];
      own = own + nearest_even(agreement - own, 8);
    }
    EXPECT_EQ(tables.at("next_accuracy"), accuracy);
  });
}

// A reputation doubled doubles the weight exactly; a factor that rises never lowers it.
TEST(FedAvgTrusted, weighs_in_exact_proportion_to_each_factor) {
  const auto program = compile_library_program("fedavg_trusted", {{"memory", 0}});
  std::mt19937_64 random(17);
  Case c = trusted_case(random_case(random, 5, 1, Spread::kSmall));
  const Values before = run_case(program, c).at("weight");
  for (std::size_t k = 0; k < c.records; ++k) EXPECT_EQ(to_big(before[k]), trusted_weight(c, k));
  for (const char* factor : {"reputation", "quality", "reliability", "accuracy"}) {
    Case doubled = c;
    i128& share = doubled.states[factor][8];  // the member of record 3
    share = std::min<i128>(2 * share, 10000);
    const i128 after = run_case(program, doubled).at("weight")[3];
    EXPECT_EQ(after, share == 10000 ? before[3] / c.states[factor][8] * 10000 : 2 * before[3]) << factor;
    EXPECT_GE(after, before[3]) << factor;
  }
}

TEST(FedAvgTrusted, a_factor_of_zero_is_the_same_as_no_record) {
  const auto program = compile_library_program("fedavg_trusted", {{"memory", 0}});
  std::mt19937_64 random(18);
  for (const char* factor : {"reputation", "quality", "reliability", "accuracy"}) {
    Case with = trusted_case(random_case(random, 5, 20, Spread::kFull));
    with.states[factor][1] = 0;  // the member of record 4, the last
    Case without = with;
    without.records = 4;
    without.updates.pop_back();
    without.examples.pop_back();
    without.members.pop_back();
    EXPECT_EQ(run_case(program, with).at("next_model"), run_case(program, without).at("next_model")) << factor;
  }
}

TEST(FedAvgTrusted, leaves_the_model_where_nobody_weighs_anything) {
  const auto program = compile_library_program("fedavg_trusted", {{"memory", 0}});
  Case c = trusted_case(published({5, -7}, 1));
  c.states["quality"] = Values(9);
  EXPECT_EQ(run_case(program, c).at("next_model"), c.model);
}

}  // namespace
}  // namespace tally::test
