// Rules around a centre, rules that trust, and server optimisers.
#include <algorithm>
#include <functional>

#include "tests/support/rule_oracles.h"

namespace tally::test {

namespace {

constexpr i128 kOne30 = i128{1} << 30;
const BigInt kBigOne30 = BigInt(1) << 30;

// |x - y| in units of 2^-16, rounded up.
BigInt ceil_distance(const Values& x, const Values& y) { return ceil_root(squared_distance(x, y) << 32); }

BigInt clip_factor(i128 bound, const BigInt& length) {
  return length <= to_big(bound) ? kBigOne30 : BigInt(to_big(bound) * kBigOne30 / length);
}

// The mean of the differences to `centre`, each clipped.
Values clipped_mean(const Case& c, i128 bound, const Values& centre) {
  std::vector<BigInt> factors;
  for (const Values& row : c.updates) factors.push_back(clip_factor(bound, ceil_distance(row, centre)));
  return weighted_mean(c.updates, factors, to_big(static_cast<i128>(c.records) * kOne30), centre);
}

i128 middle_of(Values values) {
  std::ranges::sort(values);
  return values[(values.size() - 1) / 2];
}

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
  return to_big(nearest_even(to_big(keep) * old + (kBigOne30 - to_big(keep)) * fresh, kBigOne30));
}

i128 stepped(i128 model, i128 rate, const BigInt& m, const BigInt& v, i128 floor) {
  const BigInt root = floor_root(v * 65536);  // 2^-24 last places
  return as_i32(model + nearest_even(to_big(rate) * m, (root + to_big(floor) * 256) * 256));
}

Values state_or_zeros(const Case& c, const std::string& name, std::uint64_t length) {
  const auto found = c.states.find(name);
  return found == c.states.end() ? Values(length) : found->second;
}

BigInt second_moment(const std::string& rule, const RuleParameters& p, const BigInt& old, const BigInt& change) {
  const BigInt square = change * change;
  if (rule == "fedadagrad") return old + square;
  if (rule != "fedyogi") return decayed(p.at("keep_v"), old, square);
  const BigInt move = to_big(nearest_even((kBigOne30 - to_big(p.at("keep_v"))) * square, kBigOne30));
  if (old < square) return old + move;
  return old > square ? BigInt(old - move) : old;
}

}  // namespace

Values centred_clip_centre(const Case& c, i128 bound, int rounds) {
  Values centre = state_or_zeros(c, "centre", c.length);
  for (int round = 0; round < rounds; ++round) centre = sum_to_model(centre, clipped_mean(c, bound, centre));
  return centre;
}

Values geometric_median(const Case& c, i128 smoothing, int rounds) {
  std::vector<BigInt> weights;
  for (const i128 examples : c.examples) weights.push_back(to_big(examples));
  const Values origin(c.length);
  for (int round = 0;; ++round) {
    BigInt total = 0;
    for (const BigInt& weight : weights) total += weight;
    const Values centre = weighted_mean(c.updates, weights, total, origin);
    if (round == rounds) return centre;
    std::vector<BigInt> distances;
    for (const Values& row : c.updates) {
      distances.push_back(std::max<BigInt>(floor_distance(row, centre), to_big(smoothing)));
    }
    const BigInt nearest = *std::ranges::min_element(distances);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      weights[k] = to_big(nearest_even(to_big(c.examples[k] * kOne30) * nearest, distances[k]));
    }
  }
}

Values adaptive_clip_model(const Case& c, i128 bound) {
  return sum_to_model(c.model, clipped_mean(c, bound, Values(c.length)));
}

RootTrust fltrust(const Case& c, std::size_t server) {
  const Values origin(c.length);
  RootTrust result{.model = {}, .trust = std::vector<BigInt>(c.records)};
  std::vector<BigInt> factors(c.records);
  BigInt total = 0;
  std::size_t root_record = 0;
  while (root_record < c.records && c.member(root_record) != server) ++root_record;
  for (std::size_t k = 0; k < c.records && root_record < c.records; ++k) {
    const Values& root = c.updates[root_record];
    const BigInt root_norm = floor_distance(root, origin);
    BigInt dot = 0;
    for (std::size_t d = 0; d < c.length; ++d) dot += to_big(c.updates[k][d] * root[d]);
    const BigInt norm = floor_distance(c.updates[k], origin);
    if (k == root_record || dot <= 0 || norm == 0) continue;
    const BigInt projection = (dot << 32) / norm;
    result.trust[k] = std::min<BigInt>(to_big(nearest_even(projection << 30, root_norm)), kBigOne30);
    factors[k] = to_big(nearest_even(result.trust[k] * root_norm, norm));
    total += result.trust[k];
  }
  result.model = sum_to_model(c.model, weighted_mean(c.updates, factors, total, origin));
  return result;
}

BigInt trusted_weight(const Case& c, std::size_t k) {
  BigInt weight = to_big(c.examples[k]);
  for (const char* factor : {"reputation", "quality", "reliability", "accuracy"}) {
    weight *= to_big(c.states.at(factor)[c.member(k)]);
  }
  return weight;
}

Values trusted_change(const Case& c) {
  std::vector<BigInt> weights;
  BigInt total = 0;
  for (std::size_t k = 0; k < c.records; ++k) {
    weights.push_back(trusted_weight(c, k));
    total += weights.back();
  }
  return weighted_mean(c.updates, weights, total, Values(c.length));
}

std::vector<bool> far_from_median(const Values& values, i128 limit) {
  const i128 median = middle_of(values);
  Values distances;
  for (const i128 value : values) distances.push_back(value < median ? median - value : value - median);
  const i128 deviation = middle_of(distances);
  std::vector<bool> far;
  for (const i128 distance : distances) {
    far.push_back(to_big(distance) * 100000 > to_big(limit) * 14826 * to_big(deviation));
  }
  return far;
}

Screened screen(const Case& c, i128 limit, i128 newcomer, int rise) {
  Screened result;
  const Values origin(c.length);
  Values norms;
  for (const Values& row : c.updates) norms.push_back(from_big(floor_distance(row, origin)));
  result.far = far_from_median(norms, limit);
  result.reputation = c.states.at("reputation");
  BigInt total = 0;
  std::vector<BigInt> sums(c.length);
  for (std::size_t k = 0; k < c.records; ++k) {
    std::vector<BigInt> others(c.length);
    for (std::size_t j = 0; j < c.records; ++j) {
      if (j == k || result.far[j]) continue;
      for (std::size_t d = 0; d < c.length; ++d) others[d] += to_big(c.updates[j][d]);
    }
    BigInt dot = 0;
    BigInt squares = 0;
    for (std::size_t d = 0; d < c.length; ++d) {
      dot += others[d] * to_big(c.updates[k][d]);
      squares += others[d] * others[d];
    }
    const BigInt norm = norms[k] == 0 ? BigInt(1) : to_big(norms[k]);
    const BigInt root = squares == 0 ? BigInt(1) : floor_root(squares);
    const BigInt size = std::min<BigInt>(((abs(dot) << 16) / norm << 30) / root, kBigOne30);
    result.impact.push_back(dot < 0 ? -from_big(size) : from_big(size));
    i128& reputation = result.reputation[c.member(k)];
    const i128 standing = reputation == 0 ? newcomer : reputation;
    const bool counts = !result.far[k] && result.impact.back() > 0;
    result.weight.push_back(counts ? c.examples[k] * standing : 0);
    total += to_big(result.weight.back());
    for (std::size_t d = 0; d < c.length; ++d) sums[d] += to_big(result.weight.back() * c.updates[k][d]);
    reputation = counts ? standing + (kOne30 - standing) / (i128{1} << rise) : std::max<i128>(standing / 2, 1);
  }
  for (std::size_t d = 0; d < c.length; ++d) {
    result.model.push_back(as_i32(c.model[d] + nearest_even(sums[d], total == 0 ? BigInt(1) : total)));
  }
  return result;
}

States fedavgm_states(const Case& c, const RuleParameters& p) {
  const Values velocity = state_or_zeros(c, "velocity", c.length);
  States next;
  for (std::uint64_t d = 0; d < c.length; ++d) {
    const BigInt kept = to_big(nearest_even(to_big(p.at("momentum")) * to_big(velocity[d]), kBigOne30));
    const BigInt moved = kept + mean_change(c, d);
    next["velocity"].push_back(from_big(moved));
    next["model"].push_back(as_i32(c.model[d] + nearest_even(to_big(p.at("rate")) * moved, BigInt(1) << 46)));
  }
  return next;
}

States adaptive_states(const std::string& rule, const Case& c, const RuleParameters& p) {
  const Values m = state_or_zeros(c, "m", c.length);
  const Values v = state_or_zeros(c, "v", c.length);
  States next;
  i128 rate = p.at("rate");
  if (rule == "fedadam_corrected") {
    const BigInt one60 = BigInt(1) << 60;
    const BigInt filled_m = decayed(p.at("keep_m"), to_big(state_or_zeros(c, "filled_m", 1)[0]), one60);
    const BigInt filled_v = decayed(p.at("keep_v"), to_big(state_or_zeros(c, "filled_v", 1)[0]), one60);
    next["filled_m"] = {from_big(filled_m)};
    next["filled_v"] = {from_big(filled_v)};
    const BigInt of_m = decayed(p.at("keep_m"), filled_m, one60);
    const BigInt of_v = decayed(p.at("keep_v"), filled_v, one60);
    rate = nearest_even(to_big(rate) * floor_root(of_v * one60), of_m);
  }
  for (std::uint64_t d = 0; d < c.length; ++d) {
    const BigInt change = mean_change(c, d);
    const BigInt next_m = decayed(p.at("keep_m"), to_big(m[d]), change);
    const BigInt next_v = second_moment(rule, p, to_big(v[d]), change);
    next["m"].push_back(from_big(next_m));
    next["v"].push_back(from_big(next_v));
    next["model"].push_back(stepped(c.model[d], rate, next_m, next_v, p.at("floor")));
  }
  return next;
}

Values oracle_model(const std::string& rule, const Case& c, const RuleParameters& p) {
  const auto count = [&](const char* name) { return static_cast<std::size_t>(p.at(name)); };
  using Oracle = std::function<Values()>;
  const std::map<std::string, Oracle> oracles{
      {"adaptive_clip", [&] { return adaptive_clip_model(c, p.at("start")); }},
      {"bucketing_krum", [&] { return krum_model(bucketed(c, count("size")), count("f")); }},
      {"bucketing_median", [&] { return median_model(bucketed(c, count("size"))); }},
      {"bucketing_trimmed_mean", [&] { return trimmed_mean_model(bucketed(c, count("size")), count("cut")); }},
      {"bulyan", [&] { return bulyan_model(c, count("f")); }},
      {"bulyan_one_shot", [&] { return bulyan_one_shot_model(c, count("f")); }},
      {"centred_clip",
       [&] { return sum_to_model(c.model, centred_clip_centre(c, p.at("bound"), static_cast<int>(p.at("rounds")))); }},
      {"fedavg", [&] { return fedavg_model(c); }},
      {"fedavg_screened",
       [&] { return screen(c, p.at("limit"), p.at("newcomer"), static_cast<int>(p.at("rise"))).model; }},
      {"fedavg_trusted", [&] { return sum_to_model(c.model, trusted_change(c)); }},
      {"fedavg_weights", [&] { return fedavg_weights_model(c); }},
      {"fedavgm", [&] { return fedavgm_states(c, p).at("model"); }},
      {"fltrust", [&] { return fltrust(c, count("server")).model; }},
      {"geometric_median",
       [&] { return sum_to_model(c.model, geometric_median(c, p.at("smoothing"), static_cast<int>(p.at("rounds")))); }},
      {"krum", [&] { return krum_model(c, count("f")); }},
      {"mean_near_median", [&] { return mean_near_median_model(c, count("f")); }},
      {"median", [&] { return median_model(c); }},
      {"multi_krum", [&] { return multi_krum_model(c, count("f"), count("keep"), MeanWeights::kEqual); }},
      {"multi_krum_weighted", [&] { return multi_krum_model(c, count("f"), count("keep"), MeanWeights::kExamples); }},
      {"neighbour_mixing_krum", [&] { return krum_model(mixed_with_neighbours(c, count("f")), count("f")); }},
      {"neighbour_mixing_median", [&] { return median_model(mixed_with_neighbours(c, count("f"))); }},
      {"neighbour_mixing_trimmed_mean",
       [&] { return trimmed_mean_model(mixed_with_neighbours(c, count("f")), count("f")); }},
      {"norm_clip", [&] { return norm_clip_model(c, p.at("bound")); }},
      {"sign_vote", [&] { return sign_vote_model(c, p.at("step")); }},
      {"trimmed_mean", [&] { return trimmed_mean_model(c, count("cut")); }},
      {"trimmed_mean_share", [&] { return trimmed_mean_share_model(c, p.at("share")); }}};
  const auto found = oracles.find(rule);
  return found == oracles.end() ? adaptive_states(rule, c, p).at("model") : found->second();
}

}  // namespace tally::test
