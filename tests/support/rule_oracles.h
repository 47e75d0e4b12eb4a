// The aggregation rules a second time: integers without bounds, sorting, summing and comparing in plain loops, sharing
// nothing with the programs. Tests compare the programs with them, and benchmarks their times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/memory_world.h"
#include "tests/support/reference_arithmetic.h"

namespace tally::test {

inline constexpr i128 kI32Lo = -(i128{1} << 31);
inline constexpr i128 kI32Hi = (i128{1} << 31) - 1;

/// Nearest integer to a / b for b > 0, ties to even, by comparing the two neighbours.
[[nodiscard]] i128 nearest_even(i128 a, i128 b);
[[nodiscard]] i128 nearest_even(const BigInt& a, const BigInt& b);
[[nodiscard]] i128 as_i32(i128 x);

/// floor(sqrt(x)), by bisection.
[[nodiscard]] BigInt floor_root(const BigInt& x);
/// The smallest integer whose square is at least x.
[[nodiscard]] BigInt ceil_root(const BigInt& x);

/// |x - y|^2.
[[nodiscard]] BigInt squared_distance(const Values& x, const Values& y);
/// |x - y| in units of 2^-16, rounded down.
[[nodiscard]] BigInt floor_distance(const Values& x, const Values& y);

/// A batch of an aggregation rule.
struct Case {
  std::uint64_t records = 1;
  std::uint64_t length = 1;
  std::vector<Values> updates;
  Values model;
  Values examples;
  Values members;                        // 0, 1, … where empty
  std::map<std::string, Values> states;  // beside the model
  std::uint64_t slots = 0;               // of dim M, in programs that have it
  i128 seed_high = 0;
  i128 seed_low = 0;

  [[nodiscard]] World world() const;
  [[nodiscard]] std::size_t member(std::size_t k) const;
};

/// model + change, within i32.
[[nodiscard]] Values sum_to_model(const Values& model, const Values& change);
/// round( sum_k weights[k] * (rows[k][d] - origin[d]) / total ), or 0 where total is 0.
[[nodiscard]] Values weighted_mean(const std::vector<Values>& rows, const std::vector<BigInt>& weights,
                                   const BigInt& total, const Values& origin);

// Averages and order statistics: the next model.
[[nodiscard]] Values fedavg_model(const Case& c);
[[nodiscard]] Values fedavg_weights_model(const Case& c);
[[nodiscard]] Values median_model(const Case& c);
[[nodiscard]] Values trimmed_mean_model(const Case& c, std::uint64_t cut);
[[nodiscard]] Values trimmed_mean_share_model(const Case& c, i128 share);
[[nodiscard]] Values mean_near_median_model(const Case& c, std::size_t f);
[[nodiscard]] Values sign_vote_model(const Case& c, i128 step);
[[nodiscard]] Values norm_clip_model(const Case& c, i128 bound);

// Rules that choose updates.
[[nodiscard]] Values krum_model(const Case& c, std::size_t f);
enum class MeanWeights { kEqual, kExamples };
[[nodiscard]] Values multi_krum_model(const Case& c, std::size_t f, std::size_t keep, MeanWeights weights);
[[nodiscard]] Values bulyan_model(const Case& c, std::size_t f);
[[nodiscard]] Values bulyan_one_shot_model(const Case& c, std::size_t f);

// Mixing: a batch of the mixed vectors.
[[nodiscard]] Case bucketed(const Case& c, std::size_t size);
[[nodiscard]] Case mixed_with_neighbours(const Case& c, std::size_t f);

// Rules around a centre.
[[nodiscard]] Values centred_clip_centre(const Case& c, i128 bound, int rounds);  // from states["centre"]
[[nodiscard]] Values geometric_median(const Case& c, i128 smoothing, int rounds);
[[nodiscard]] Values adaptive_clip_model(const Case& c, i128 bound);

// Rules that trust.
struct RootTrust {
  Values model;
  std::vector<BigInt> trust;  // 30 fraction bits; 0 for the root's own record
};
[[nodiscard]] RootTrust fltrust(const Case& c, std::size_t server);
/// examples * reputation * quality * reliability * accuracy.
[[nodiscard]] BigInt trusted_weight(const Case& c, std::size_t k);
/// The mean that fedavg_trusted adds to the model.
[[nodiscard]] Values trusted_change(const Case& c);
struct Screened {
  std::vector<bool> far;
  Values impact;
  Values weight;
  Values model;
  Values reputation;
};
[[nodiscard]] std::vector<bool> far_from_median(const Values& values, i128 limit);
[[nodiscard]] Screened screen(const Case& c, i128 limit, i128 newcomer, int rise);

// Server optimisers: the next states, `model` among them, from those of the case (0 where absent).
using RuleParameters = std::map<std::string, i128>;
using States = std::map<std::string, Values>;
[[nodiscard]] States fedavgm_states(const Case& c, const RuleParameters& parameters);
/// fedadagrad, fedadam, fedyogi and fedadam_corrected.
[[nodiscard]] States adaptive_states(const std::string& rule, const Case& c, const RuleParameters& parameters);

/// The next model of any rule of the library.
[[nodiscard]] Values oracle_model(const std::string& rule, const Case& c, const RuleParameters& parameters);

}  // namespace tally::test
