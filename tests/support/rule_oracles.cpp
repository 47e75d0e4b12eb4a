#include "tests/support/rule_oracles.h"

#include <algorithm>
#include <numeric>

#include "deterministic_math/numbers/prf.h"

namespace tally::test {

namespace {

using Indices = std::vector<std::size_t>;

constexpr i128 kOne30 = i128{1} << 30;

Indices all_of(const Case& c) {
  Indices all(c.records);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

Values column_of(const Case& c, const Indices& chosen, std::uint64_t d) {
  Values column;
  for (const std::size_t k : chosen) column.push_back(c.updates[k][d]);
  std::ranges::sort(column);
  return column;
}

// Of the sorted column without `cut` values at each end.
i128 inner_mean(const Values& column, std::size_t cut) {
  i128 sum = 0;
  for (std::size_t r = cut; r < column.size() - cut; ++r) sum += column[r];
  return nearest_even(sum, static_cast<i128>(column.size() - 2 * cut));
}

// Mean of the `kept` of `column` (sorted) nearest to its median: a stable sort by doubled distance leaves the smaller
// first.
i128 mean_near_median(Values column, std::size_t kept) {
  const i128 twice = column[(column.size() - 1) / 2] + column[column.size() / 2];
  const auto distance = [&](i128 x) { return 2 * x > twice ? 2 * x - twice : twice - 2 * x; };
  std::ranges::stable_sort(column, [&](i128 a, i128 b) { return distance(a) < distance(b); });
  i128 sum = 0;
  for (std::size_t r = 0; r < kept; ++r) sum += column[r];
  return nearest_even(sum, static_cast<i128>(kept));
}

// The model moved by what `change` makes of each parameter's sorted values.
template <class Change>
Values by_columns(const Case& c, const Indices& chosen, const Change& change) {
  Values expected(c.length);
  for (std::uint64_t d = 0; d < c.length; ++d) expected[d] = as_i32(c.model[d] + change(column_of(c, chosen, d)));
  return expected;
}

// Sum of the squared distances from `i` to its `near` nearest others among `among`.
BigInt krum_score(const Case& c, const Indices& among, std::size_t i, std::size_t near) {
  std::vector<BigInt> distances;
  for (const std::size_t j : among) {
    if (j != i) distances.push_back(squared_distance(c.updates[i], c.updates[j]));
  }
  std::ranges::sort(distances);
  return std::accumulate(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(near), BigInt(0));
}

// The `count` smallest scores, the lowest index on ties, in ascending order of index.
Indices best_by_krum(const Case& c, std::size_t f, std::size_t count) {
  Indices order = all_of(c);
  std::vector<BigInt> scores;
  for (const std::size_t i : order) scores.push_back(krum_score(c, order, i, c.records - f - 2));
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

// Bulyan's first phase as the paper has it: Krum among the rest, one at a time.
Indices picked_one_by_one(const Case& c, std::size_t f) {
  Indices rest = all_of(c);
  Indices picked;
  while (picked.size() < c.records - 2 * f) {
    const std::size_t wanted = rest.size() < f + 3 ? 1 : rest.size() - f - 2;
    const std::size_t near = std::min(wanted, rest.size() - 1);
    const auto best = std::ranges::min_element(rest, {}, [&](std::size_t i) { return krum_score(c, rest, i, near); });
    picked.push_back(*best);
    rest.erase(best);
  }
  return picked;
}

Values near_median_of_picked(const Case& c, const Indices& picked, std::size_t f) {
  return by_columns(c, picked, [&](const Values& column) { return mean_near_median(column, picked.size() - 2 * f); });
}

Indices seeded_permutation(const Case& c) {
  Indices order = all_of(c);
  std::ranges::stable_sort(order, {},
                           [&](std::size_t k) { return math::prf(c.seed_high, c.seed_low, static_cast<i128>(k)); });
  return order;
}

Values mean_of(const Case& c, const Indices& records) {
  Values mean(c.length);
  for (std::uint64_t d = 0; d < c.length; ++d) {
    i128 sum = 0;
    for (const std::size_t k : records) sum += c.updates[k][d];
    mean[d] = nearest_even(sum, static_cast<i128>(records.size()));
  }
  return mean;
}

Values example_mean(const Case& c) {
  Values mean(c.length);
  for (std::uint64_t d = 0; d < c.length; ++d) {
    i128 sum = 0;
    i128 total = 0;
    for (std::uint64_t k = 0; k < c.records; ++k) {
      sum += c.updates[k][d] * c.examples[k];
      total += c.examples[k];
    }
    mean[d] = nearest_even(sum, total);
  }
  return mean;
}

}  // namespace

i128 nearest_even(const BigInt& a, const BigInt& b) {
  BigInt below = a / b;
  if (below * b > a) --below;
  const BigInt to_below = a - below * b;
  const BigInt to_above = b - to_below;
  const bool up = to_below == to_above ? below % 2 != 0 : to_above < to_below;
  return from_big(up ? BigInt(below + 1) : below);
}

i128 nearest_even(i128 a, i128 b) { return nearest_even(to_big(a), to_big(b)); }

i128 as_i32(i128 x) { return std::clamp(x, kI32Lo, kI32Hi); }

BigInt floor_root(const BigInt& x) {
  BigInt lo = 0;
  BigInt hi = 1;
  while (hi * hi <= x) hi *= 2;
  while (hi - lo > 1) {
    const BigInt middle = (lo + hi) / 2;
    (middle * middle <= x ? lo : hi) = middle;
  }
  return lo;
}

BigInt ceil_root(const BigInt& x) {
  const BigInt floor = floor_root(x);
  return floor * floor == x ? floor : BigInt(floor + 1);
}

BigInt squared_distance(const Values& x, const Values& y) {
  BigInt sum = 0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const BigInt difference = to_big(x[d]) - to_big(y[d]);
    sum += difference * difference;
  }
  return sum;
}

BigInt floor_distance(const Values& x, const Values& y) { return floor_root(squared_distance(x, y) << 32); }

World Case::world() const {
  World result{.dims = {{"K", records}, {"D", length}},
               .fields = {{"examples", examples}},
               .rows = {{"updates", updates}},
               .states = states,
               .advice = {},
               .members = members,
               .seed_high = seed_high,
               .seed_low = seed_low};
  result.states["model"] = model;
  if (slots > 0) result.dims["M"] = slots;
  return result;
}

std::size_t Case::member(std::size_t k) const { return members.empty() ? k : static_cast<std::size_t>(members[k]); }

Values sum_to_model(const Values& model, const Values& change) {
  Values result(model.size());
  for (std::size_t d = 0; d < model.size(); ++d) result[d] = as_i32(model[d] + change[d]);
  return result;
}

Values weighted_mean(const std::vector<Values>& rows, const std::vector<BigInt>& weights, const BigInt& total,
                     const Values& origin) {
  Values result(origin.size());
  for (std::size_t d = 0; d < origin.size() && total > 0; ++d) {
    BigInt sum = 0;
    for (std::size_t k = 0; k < rows.size(); ++k) sum += weights[k] * to_big(rows[k][d] - origin[d]);
    result[d] = nearest_even(sum, total);
  }
  return result;
}

Values fedavg_model(const Case& c) { return sum_to_model(c.model, example_mean(c)); }

Values fedavg_weights_model(const Case& c) { return example_mean(c); }

Values median_model(const Case& c) {
  return by_columns(c, all_of(c), [](const Values& column) {
    return nearest_even(column[(column.size() - 1) / 2] + column[column.size() / 2], 2);
  });
}

Values trimmed_mean_model(const Case& c, std::uint64_t cut) {
  return by_columns(c, all_of(c), [&](const Values& column) { return inner_mean(column, cut); });
}

Values trimmed_mean_share_model(const Case& c, i128 share) {
  return trimmed_mean_model(c, static_cast<std::size_t>(share * static_cast<i128>(c.records) / 10000));
}

Values mean_near_median_model(const Case& c, std::size_t f) {
  return by_columns(c, all_of(c), [&](const Values& column) { return mean_near_median(column, c.records - f); });
}

Values sign_vote_model(const Case& c, i128 step) {
  return by_columns(c, all_of(c), [&](const Values& column) {
    int votes = 0;
    for (const i128 x : column) votes += x > 0 ? 1 : x < 0 ? -1 : 0;
    return votes > 0 ? step : votes < 0 ? -step : 0;
  });
}

Values norm_clip_model(const Case& c, i128 bound) {
  std::vector<BigInt> factors;
  for (const Values& update : c.updates) {
    const BigInt norm = ceil_root(squared_distance(update, Values(c.length)));
    factors.push_back(norm <= to_big(bound) ? to_big(kOne30) : BigInt(to_big(bound) * to_big(kOne30) / norm));
  }
  const BigInt total = to_big(static_cast<i128>(c.records) * kOne30);
  return sum_to_model(c.model, weighted_mean(c.updates, factors, total, Values(c.length)));
}

Values krum_model(const Case& c, std::size_t f) {
  return sum_to_model(c.model, c.updates[best_by_krum(c, f, 1).front()]);
}

Values multi_krum_model(const Case& c, std::size_t f, std::size_t keep, MeanWeights weights) {
  std::vector<Values> rows;
  std::vector<BigInt> shares;
  BigInt total = 0;
  for (const std::size_t k : best_by_krum(c, f, std::min<std::size_t>(keep, c.records))) {
    rows.push_back(c.updates[k]);
    shares.push_back(weights == MeanWeights::kExamples ? to_big(c.examples[k]) : BigInt(1));
    total += shares.back();
  }
  return sum_to_model(c.model, weighted_mean(rows, shares, total, Values(c.length)));
}

Values bulyan_model(const Case& c, std::size_t f) { return near_median_of_picked(c, picked_one_by_one(c, f), f); }

Values bulyan_one_shot_model(const Case& c, std::size_t f) {
  return near_median_of_picked(c, best_by_krum(c, f, c.records - 2 * f), f);
}

Case bucketed(const Case& c, std::size_t size) {
  Case result = c;
  result.updates.clear();
  const Indices order = seeded_permutation(c);
  for (std::size_t first = 0; first < order.size(); first += size) {
    const auto end = std::min(first + size, order.size());
    result.updates.push_back(mean_of(
        c, {order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  result.records = result.updates.size();
  result.examples.resize(result.records);
  return result;
}

Case mixed_with_neighbours(const Case& c, std::size_t f) {
  Case result = c;
  for (std::size_t i = 0; i < c.records; ++i) {
    Indices order = all_of(c);
    std::vector<BigInt> distances;
    for (const std::size_t j : order) distances.push_back(squared_distance(c.updates[i], c.updates[j]));
    std::ranges::stable_sort(order, {}, [&](std::size_t j) { return distances[j]; });
    order.resize(c.records - f);
    result.updates[i] = mean_of(c, order);
  }
  return result;
}

}  // namespace tally::test
