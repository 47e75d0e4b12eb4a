#include "deterministic_math/language/advice_lint.h"

#include "tests/deterministic_math/language/compile_support.h"

namespace tally::math {
namespace {

using test::compiled;

std::vector<LintKind> kinds(const std::vector<LintFinding>& findings) {
  std::vector<LintKind> result;
  for (const LintFinding& finding : findings) result.push_back(finding.kind);
  return result;
}

constexpr std::string_view kStart = "program p\ndim K in 1..8\nrecord x: i64 in -5..9\n";

std::string maximum(std::string_view requirement) {
  return std::string(kStart) +
         "advice top: i64 in -5..9 hint kth(k in K: x[k], K-1)\n"
         "check { fold k in K { le = le + (x[k] <= top)  eq = eq + (x[k] == top) } from le = 0, eq = 0\n"
         "require " +
         std::string(requirement) + " }\n";
}

TEST(AdviceLint, passes_an_advice_that_its_check_fixes) {
  EXPECT_TRUE(lint_advice(compiled(maximum("le == K and eq > 0")), {}).empty());
}

TEST(AdviceLint, reports_an_input_for_which_two_advices_pass) {
  const auto findings = lint_advice(compiled(maximum("le == K")), {});
  ASSERT_EQ(kinds(findings), (std::vector{LintKind::kTwoAdvicesPass}));
  EXPECT_NE(findings[0].description.find("x = "), std::string::npos) << findings[0].description;
  EXPECT_NE(findings[0].description.find("top = "), std::string::npos);
}

TEST(AdviceLint, reports_an_input_for_which_no_advice_passes) {
  // With ties at the maximum nothing passes.
  const auto findings = lint_advice(compiled(maximum("le == K and eq == 1")), {});
  EXPECT_EQ(kinds(findings), (std::vector{LintKind::kNoAdvicePasses}));
}

TEST(AdviceLint, reports_a_require_that_never_holds) {
  const auto findings = lint_advice(compiled(maximum("le > K")), {});
  EXPECT_EQ(kinds(findings), (std::vector{LintKind::kNoAdvicePasses, LintKind::kRequireNeverHolds}));
}

TEST(AdviceLint, says_when_it_did_not_try_everything) {
  LintOptions options;
  options.max_evaluations = 100;
  EXPECT_EQ(kinds(lint_advice(compiled(maximum("le == K and eq > 0")), options)),
            (std::vector{LintKind::kNotEnumerated}));
}

TEST(AdviceLint, follows_loops_round_by_round) {
  const std::string source =
      std::string(kStart) +
      "loop t in 2 {\n"
      "  advice a: i64 in -9..9 hint kth(k in 1: b[t-1] + x[t], 0) { require a[t] == b[t-1] + x[t] }\n"
      "  table b: i64 { return clamp(a[t], -9, 9) }\n"
      "}\n";
  EXPECT_TRUE(lint_advice(compiled(source), {}).empty());
}

TEST(AdviceLint, passes_every_rule_of_the_library) {
  for (const LibraryProgram& rule : library_programs()) {
    CompileOptions options = test::options_with({});
    const auto declared = declared_parameters(rule.text, options);
    ASSERT_TRUE(declared) << declared.error().listing;
    for (const Parameter& parameter : *declared) options.parameters[parameter.name] = parameter.range.lo;
    const auto program = compile(rule.text, options);
    ASSERT_TRUE(program) << program.error().listing;
    LintOptions lint;
    lint.max_inputs = 20;
    for (const LintFinding& finding : lint_advice(*program, lint)) {
      ADD_FAILURE() << rule.name << ": " << finding.description;
    }
  }
}

// At their lowest parameters these programs have little to divide, to draw or to rank.
TEST(AdviceLint, passes_programs_of_a_network_with_something_at_stake) {
  const struct {
    const char* name;
    test::Parameters parameters;
  } cases[] = {{"histogram", {{"parts", 3}, {"keep", 2}}},
               {"model_revenue",
                {{"unit", 1},
                 {"subscription", 1},
                 {"included", 2},
                 {"month", 2},
                 {"period", 1},
                 {"burn_share", 5000},
                 {"registrar", 0}}},
               {"trainer_selection",
                {{"least_uptime", 0},
                 {"least_capacity", 0},
                 {"least_latency", 0},
                 {"most_latency", 1},
                 {"least_reputation", 0},
                 {"tolerated", 1},
                 {"quarantine", 1},
                 {"registrar", 0}}},
               {"validation_cycle", {{"alpha", 5000}, {"turn", 5000}, {"minted", 3}, {"memory", 1}}}};
  for (const auto& [name, parameters] : cases) {
    const auto program = find_library_program(name);
    ASSERT_TRUE(program) << name;
    LintOptions options;
    options.max_inputs = 30;
    options.input_window = 2;
    for (const LintFinding& finding : lint_advice(compiled(program->text, parameters), options)) {
      ADD_FAILURE() << name << ": " << finding.description;
    }
  }
}

TEST(AdviceLint, passes_both_exemplars) {
  LintOptions options;
  options.max_inputs = 20;
  for (const LintFinding& finding :
       lint_advice(compiled(test::exemplar("multi_krum"), {{"f", 0}, {"m", 2}}), options)) {
    ADD_FAILURE() << finding.description;
  }
  options.input_window = 2;
  for (const LintFinding& finding : lint_advice(compiled(test::exemplar("ledger_payout"), {{"pool", 7}}), options)) {
    ADD_FAILURE() << finding.description;
  }
}

}  // namespace
}  // namespace tally::math
