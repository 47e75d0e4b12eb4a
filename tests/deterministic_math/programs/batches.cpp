#include "tests/deterministic_math/programs/batches.h"

#include <numeric>

namespace tally::test {

Tables advance(const math::CompiledProgram& program, World& world) {
  constexpr std::string_view kNext = "next_";
  Tables tables = run_tables(program, world);
  for (const auto& [name, values] : tables) {
    if (name.starts_with(kNext)) world.states[name.substr(kNext.size())] = values;
  }
  ++world.batch;
  return tables;
}

void set_records(World& world, const Values& members, const std::map<std::string, Values>& fields) {
  world.dims["K"] = members.size();
  world.members = members;
  world.fields = fields;
}

i128 total(const Values& values) { return std::accumulate(values.begin(), values.end(), i128{0}); }

Values largest_remainders(i128 pool, const Values& weights) {
  BigInt sum = 0;
  for (const i128 weight : weights) sum += to_big(weight);
  Values shares(weights.size());
  if (sum == 0) return shares;
  std::vector<std::pair<BigInt, std::size_t>>
      rests;  // negated, so that the largest comes first and then the lowest index
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const BigInt product = to_big(pool) * to_big(weights[i]);
    shares[i] = from_big(product / sum);
    rests.emplace_back(-(product % sum), i);
  }
  std::ranges::sort(rests);
  const auto left = static_cast<std::size_t>(pool - total(shares));
  for (std::size_t r = 0; r < left; ++r) ++shares[rests[r].second];
  return shares;
}

i128 below(std::mt19937_64& random, std::uint64_t bound) { return static_cast<i128>(random() % bound); }

}  // namespace tally::test
