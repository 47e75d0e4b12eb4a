// For each rule that takes advice: the hints' advice passes, and with any one claim of it changed the batch fails. (The
// lint in language/advice_lint_test.cpp goes through all advices of smaller batches.)
#include <set>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

struct AdviceCase {
  const char* program;
  std::map<std::string, i128> parameters;
  std::uint64_t records = 7;
};

std::ostream& operator<<(std::ostream& out, const AdviceCase& advice_case) { return out << advice_case.program; }

struct Claims {
  std::string name;
  math::Range range;
};

std::vector<Claims> advice_of(const math::CompiledProgram& program) {
  std::vector<Claims> result;
  for (std::size_t id = 0; id < program.program.objects.size(); ++id) {
    const math::Object& object = program.program.objects[id];
    if (object.kind == math::ObjectKind::kAdvice) result.push_back({program.names.objects[id], object.range});
  }
  return result;
}

class Advice : public testing::TestWithParam<AdviceCase> {};

TEST_P(Advice, any_other_claim_fails) {
  const auto program = compile_library_program(GetParam().program, GetParam().parameters);
  const std::vector<Claims> advice = advice_of(program);
  ASSERT_FALSE(advice.empty());
  std::mt19937_64 random(3);
  for (const Spread spread : {Spread::kTies, Spread::kSmall}) {
    const Case c = random_case(random, GetParam().records, 2, spread);
    const Outcome honest = run_world(program, c.world());
    ASSERT_FALSE(honest.failed.has_value());
    World world = c.world();
    for (const Claims& claims : advice) world.advice[claims.name] = honest.tables.at(claims.name);
    ASSERT_FALSE(run_world(program, world).failed.has_value());
    for (const Claims& claims : advice) {
      for (std::size_t i = 0; i < world.advice.at(claims.name).size(); ++i) {
        i128& claim = world.advice.at(claims.name)[i];
        const i128 right = claim;
        for (const i128 wrong : std::set<i128>{right - 2, right - 1, right + 1, right + 2, -1, 0, 1, claims.range.hi}) {
          if (wrong == right || wrong < claims.range.lo || wrong > claims.range.hi) continue;
          claim = wrong;
          EXPECT_TRUE(run_world(program, world).failed.has_value())
              << claims.name << "[" << i << "] = " << math::to_string(wrong) << " for " << math::to_string(right);
        }
        claim = right;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, Advice,
    testing::Values(
        AdviceCase{"median", {}}, AdviceCase{"median", {}, 8}, AdviceCase{"trimmed_mean", {{"cut", 2}}},
        AdviceCase{"trimmed_mean_share", {{"share", 2500}}, 8}, AdviceCase{"mean_near_median", {{"f", 2}}},
        AdviceCase{"mean_near_median", {{"f", 3}}, 8}, AdviceCase{"krum", {{"f", 2}}},
        AdviceCase{"multi_krum", {{"f", 2}, {"keep", 3}}}, AdviceCase{"multi_krum_weighted", {{"f", 1}, {"keep", 100}}},
        AdviceCase{"bulyan", {{"f", 1}}, 8}, AdviceCase{"bulyan_one_shot", {{"f", 1}}, 8},
        AdviceCase{"bucketing_median", {{"size", 2}}}, AdviceCase{"bucketing_trimmed_mean", {{"size", 2}, {"cut", 1}}},
        AdviceCase{"bucketing_krum", {{"size", 2}, {"f", 0}}, 8}, AdviceCase{"neighbour_mixing_median", {{"f", 2}}},
        AdviceCase{"neighbour_mixing_trimmed_mean", {{"f", 2}}}, AdviceCase{"neighbour_mixing_krum", {{"f", 2}}}));

}  // namespace
}  // namespace tally::test
