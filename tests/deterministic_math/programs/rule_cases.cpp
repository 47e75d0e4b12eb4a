#include "tests/deterministic_math/programs/rule_cases.h"

#include <cmath>

namespace tally::test {

Case random_case(std::mt19937_64& random, std::uint64_t records, std::uint64_t length, Spread spread) {
  const auto value = [&]() -> i128 {
    switch (spread) {
      case Spread::kTies:
        return static_cast<i128>(random() % 3) - 1;
      case Spread::kSmall:
        return static_cast<i128>(random() % 2001) - 1000;
      case Spread::kFull:
        return static_cast<std::int32_t>(random());
      case Spread::kExtremes:
        return random() % 2 == 0 ? kI32Lo : kI32Hi;
    }
    return 0;
  };
  Case result;
  result.records = records;
  result.length = length;
  result.updates.assign(records, Values(length));
  result.model.resize(length);
  result.examples.resize(records);
  for (Values& row : result.updates) std::ranges::generate(row, value);
  std::ranges::generate(result.model, value);
  std::ranges::generate(result.examples, [&] { return static_cast<i128>(1 + random() % 32767); });
  return result;
}

void for_each_case(std::initializer_list<std::uint64_t> record_counts, const std::function<void(const Case&)>& check) {
  std::mt19937_64 random(20260131);
  for (const std::uint64_t records : record_counts) {
    for (const std::uint64_t length : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{300}}) {
      for (const Spread spread : {Spread::kTies, Spread::kSmall, Spread::kFull, Spread::kExtremes}) {
        SCOPED_TRACE("K = " + std::to_string(records) + ", D = " + std::to_string(length) + ", spread " +
                     std::to_string(static_cast<int>(spread)));
        check(random_case(random, records, length, spread));
      }
    }
  }
}

std::map<std::string, Values> run_tables(const math::CompiledProgram& program, const World& world) {
  Outcome outcome = run_world(program, world);
  EXPECT_FALSE(outcome.failed.has_value());
  EXPECT_EQ(run_world(program, world, 3).tables, outcome.tables);
  return std::move(outcome.tables);
}

std::map<std::string, Values> run_case(const math::CompiledProgram& program, const Case& rule_case) {
  return run_tables(program, rule_case.world());
}

void expect_model(const math::CompiledProgram& program, const Case& rule_case, const Values& expected) {
  EXPECT_EQ(run_case(program, rule_case).at("next_model"), expected);
}

Case published(std::initializer_list<double> updates, double start) {
  const auto fixed = [](double x) { return static_cast<i128>(std::llround(x * 65536)); };
  Case result;
  result.records = updates.size();
  for (const double update : updates) result.updates.push_back({fixed(update)});
  result.model = {fixed(start)};
  result.examples.assign(updates.size(), 1);
  return result;
}

double real(i128 fixed) { return static_cast<double>(fixed) / 65536; }

}  // namespace tally::test
