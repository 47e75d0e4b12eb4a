// What programs mean: compiled texts run by the scalar interpreter.
#include <rapidcheck.h>

#include <algorithm>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/lint_batch.h"
#include "tests/deterministic_math/language/compile_support.h"

namespace tally::math {
namespace {

using test::compiled;
using test::object_named;

constexpr std::string_view kStart = "program p\ndim K in 1..8\nrecord x: i64 in 0..9\n";

std::string with(std::string_view text) { return std::string(kStart) + std::string(text) + "\n"; }

/// Runs every table of a program with three records x = 3, 5, 9; the last element of the last table.
std::optional<i128> run(const CompiledProgram& compiled_program) {
  const Program& program = compiled_program.program;
  if (program.items.empty()) return std::nullopt;
  BatchValues values;
  for (const Dim& dim : program.dims) values.dims.push_back(std::clamp<std::uint64_t>(3, dim.lo, dim.hi));
  values.batch = 17;
  LintBatch batch(program, values);
  const std::array<i128, 3> x{3, 5, 9};
  for (std::uint64_t k = 0; k < 3; ++k) batch.set(2, k, x.at(k));
  std::optional<i128> last;
  const Evaluation evaluation{program, values, batch.inputs()};
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    const Item& item = program.items[i];
    if (item.kind != ItemKind::kTable) continue;
    for (std::uint64_t entry = 0; entry < element_count(item.extents, values); ++entry) {
      const auto results = evaluate_entry(evaluation, i, entry);
      if (!results) return std::nullopt;
      for (std::size_t column = 0; column < item.results.size(); ++column) {
        batch.set(item.results[column], entry, results->at(column));
        last = results->at(column);
      }
    }
  }
  return last;
}

std::optional<i128> value_of(const std::string& expression) {
  return run(compiled(with("table t: i128 { return " + expression + " }")));
}

TEST(Language, expressions_have_the_values_that_the_manual_gives) {
  const std::vector<std::pair<std::string, i128>> cases{
      {"2 + 3 * 4", 14},
      {"-2 * -3", 6},
      {"(2 + 3) * 4", 20},
      {"10 - 3 - 2", 5},
      {"1 << 3 + 1", 16},
      {"x[0] + x[1] * x[2]", 48},
      {"x[3]", 0},
      {"x[0-1]", 0},
      {"div(x[0] - 10, 2)", -4},
      {"mod(x[0] - 10, 4)", 1},
      {"div_round(x[1], 2)", 2},
      {"div_round(x[0] + 4, 2)", 4},
      {"shr(x[2], 1)", 4},
      {"shr_round(x[1], 1)", 2},
      {"shl(x[0], x[1])", 96},
      {"sq(x[1])", 25},
      {"abs(x[0] - x[2])", 6},
      {"min(x[2], x[0], x[1])", 3},
      {"max(x[0], x[2], 4)", 9},
      {"clamp(x[2], 0, 4)", 4},
      {"clamp(x[2] * 100, i8)", 127},
      {"select(x[0] < x[1], 7, 8)", 7},
      {"select(x[0] > x[1], 7, 8)", 8},
      {"isqrt(max(x[2] * x[2] - 1, 0))", 8},
      {"wrap(x[2], 4)", -7},
      {"x[0] == 3 and x[1] != 3", 1},
      {"x[0] != 3 or x[1] <= 4", 0},
      {"not (x[0] >= 4)", 1},
      {"x[0] >= 3", 1},
      {"x[0] > 3", 0},
      {"x[0] <= 3", 1},
      {"x[0] < 3", 0},
      {"batch", 17},
      {"K", 3},
      {"fx(0.9, 24)", 15099494},
      {"fx(0.5, 0)", 0},
      {"fx(1.5, 0)", 2},
      {"fx(-2.5, 0)", -2},
      {"fx(3, 4)", 48},
      {"member[2]", 2},
      {"nonce[1]", 0},
  };
  for (const auto& [expression, expected] : cases) {
    const auto value = value_of(expression);
    ASSERT_TRUE(value) << expression;
    EXPECT_EQ(*value, expected) << expression << " is " << to_string(*value);
  }
}

TEST(Language, constants_fold_to_what_the_interpreter_computes) {
  // The same operation on loads and on literals.
  const std::vector<std::string> operations{"div(A - 7, B)",
                                            "mod(A - 7, B)",
                                            "div_round(A - 7, B)",
                                            "shr(A - 7, B)",
                                            "shl(A - 7, B)",
                                            "shr_round(A - 7, B)",
                                            "isqrt(A * B)",
                                            "wrap(A * B, 5)",
                                            "A < B",
                                            "A <= B",
                                            "A == B",
                                            "min(A - 7, B) - max(A, B)",
                                            "select(A < B, A, B)",
                                            "abs(A - B) + sq(A)"};
  for (const std::string& operation : operations) {
    for (const auto& [a, b] : std::vector<std::pair<int, int>>{{3, 5}, {5, 9}, {9, 3}, {3, 3}, {9, 5}}) {
      const auto filled = [&](const std::string& left, const std::string& right) {
        std::string text;
        for (const char c : operation) text += c == 'A' ? left : c == 'B' ? right : std::string(1, c);
        return text;
      };
      const auto load = [](int value) {
        return "max(x[" + std::to_string(value == 3 ? 0 : value == 5 ? 1 : 2) + "], 1)";
      };
      const auto folded =
          compiled(with("table t: i128 { return " + filled(std::to_string(a), std::to_string(b)) + " }"));
      EXPECT_EQ(folded.program.items.at(0).body->finish.size(), 2U) << operation;
      EXPECT_EQ(run(folded), value_of(filled(load(a), load(b)))) << operation << " of " << a << " and " << b;
    }
  }
}

TEST(Language, statements_of_a_step_run_in_order_and_see_new_values) {
  const std::string swap =
      "table t: i128 { fold k in K { let old = a  a = clamp(b + x[k], 0, 100)  b = clamp(old + a, 0, 1000) } "
      "from a = 1, b = 2  return a * 1000 + b }";
  i128 a = 1;
  i128 b = 2;
  for (const int x : {3, 5, 9}) {
    const i128 old = a;
    a = b + x;
    b = old + a;
  }
  EXPECT_EQ(run(compiled(with(swap))), a * 1000 + b);
}

TEST(Language, where_skips_steps_and_entry_lets_reach_every_section) {
  EXPECT_EQ(run(compiled(with("table t[m in 10]: i64 { let w = m*m fold k in K where x[k] < m { s = s + w } from s = 0 "
                              "return s + w }"))),
            9 * 9 * 2 + 81);
}

TEST(Language, tables_read_their_own_smaller_entries) {
  EXPECT_EQ(run(compiled(with("table t[i in 10]: i64 in 0..1000 { return min(t[i-1] + t[i-2] + (i < 1), 1000) }"))),
            55);
}

TEST(Language, loops_lead_with_their_index_and_see_earlier_rounds_of_later_items) {
  const std::string source = with(
      "loop r in 4 {\n"
      "  table a[i in 2]: i64 in 0..1000 { return clamp(b[r-1, i] + 1, 0, 1000) }\n"
      "  table b[i in 2]: i64 in 0..1000 { return clamp(a[r, i] * 2 + b[r, i], 0, 1000) }\n"
      "}\n"
      "table t: i64 { return b[3, 1] }");
  const CompiledProgram program = compiled(source);
  EXPECT_EQ(program.program.loops.size(), 1U);
  EXPECT_EQ(object_named(program, "a").rank, 2);
  // Item by item this order of evaluation is not the batch's, so only the shape is looked at here; the lint's test runs
  // loops round by round.
  EXPECT_EQ(program.program.items[2].loop, kOutside);
  EXPECT_EQ(program.program.items[0].loop, 0);
}

TEST(Language, require_and_expect_make_an_entry_fail) {
  EXPECT_EQ(value_of("expect(x[0], 0, 3)"), 3);
  EXPECT_EQ(value_of("expect(x[1], 0, 3)"), std::nullopt);
  EXPECT_EQ(value_of("select(x[0] > 100, expect(x[1], 0, 3), 1)"), std::nullopt);
  EXPECT_EQ(run(compiled(with("table t: i64 { require x[0] > 5 return 1 }"))), std::nullopt);
  EXPECT_EQ(run(compiled(with("table t: i64 in 0..4 { return x[1] }"))), std::nullopt);
}

TEST(Language, functions_see_what_was_declared_before_them) {
  EXPECT_EQ(run(compiled(
                with("const a = 5\nfn f(x) = x + a\nfn g = f(1) * 2\ntable t: i64 { let a = 100 return g + f(a) }"))),
            117);
}

TEST(Language, templates_take_tables_functions_and_expressions) {
  const std::string source = with(
      "template pick(n, f, table_, first_, by) { const two = 2\n"
      "  table sum: i64 { fold i in n { s = s + f(i) + table_[i] + first_ * by } from s = 0 return s * two }\n"
      "  fn twice = sum * two }\n"
      "fn f(i) = x[i] + 1\n"
      "table y[i in K]: i64 { return i }\n"
      "table one: i64 { return 1 }\n"
      "use pick(K, f, y, one, 3 + 4) as p\n"
      "table t: i64 { return p.twice + p.two }");
  EXPECT_EQ(run(compiled(source)), (20 + 3 + 21) * 4 + 2);
  EXPECT_EQ(compiled(source).names.items, (std::vector<std::string>{"y", "one", "p.sum", "t"}));
}

TEST(Language, parameters_become_constants_and_their_order_is_of_no_matter) {
  const CompiledProgram first =
      compiled(with("param a: 0..9\nparam b: 0..9\ntable t: i64 { return a * 10 + b }"), {{"a", 1}, {"b", 2}});
  const CompiledProgram second =
      compiled(with("param b: 0..9\nparam a: 0..9\ntable t: i64 { return a * 10 + b }"), {{"a", 1}, {"b", 2}});
  const CompiledProgram third = compiled(with("table t: i64 { return 12 }"));
  EXPECT_EQ(first.program, second.program);
  EXPECT_EQ(first.program, third.program);
  EXPECT_EQ(first.program.items[0].body->finish[0], (Instruction{.op = Op::kImm, .dst = 0, .imm = 12}));
}

TEST(Language, declared_parameters_are_as_wide_as_missing_ones_allow) {
  const std::string source = "program p\nparam f: 0..10\nconst g = f + 1\nparam m: g..20 - f\nparam z: 0..3\n";
  const auto none = declared_parameters(source, {});
  ASSERT_TRUE(none) << none.error().listing;
  ASSERT_EQ(none->size(), 3U);
  EXPECT_EQ(none->at(1).name, "m");
  EXPECT_EQ(none->at(1).range, (Range{1, 20}));
  CompileOptions options;
  options.parameters = {{"f", 2}};
  EXPECT_EQ(declared_parameters(source, options)->at(1).range, (Range{3, 18}));
}

TEST(Language, a_determinant_of_loads_shares_its_minors) {
  std::string text =
      "dim D = 4\nrow u: i32[D] in -100..100\n"
      "fn d2(r, a, b) = u[r,a]*u[r+1,b] - u[r,b]*u[r+1,a]\n"
      "fn d3(r, a, b, c) = u[r,a]*d2(r+1,b,c) - u[r,b]*d2(r+1,a,c) + u[r,c]*d2(r+1,a,b)\n"
      "table t: i128 { return u[0,0]*d3(1,1,2,3) - u[0,1]*d3(1,0,2,3) + u[0,2]*d3(1,0,1,3) - u[0,3]*d3(1,0,1,2) }";
  const CompiledProgram program = compiled(with(text));
  EXPECT_LT(program.program.items[0].body->finish.size(), 256U);
  EXPECT_LT(program.program.items[0].body->finish.size(), 100U);
}

TEST(Language, ranges_follow_from_clamps_and_copies) {
  const CompiledProgram program =
      compiled(with("table a: i64 { fold k in K { s = s + x[k] } from s = 0 return s }\n"
                    "advice b[i in K]: i64 in range(a)\n"
                    "state s: i8[3]\n"
                    "table c: i64 { return b[0] + x[1] + s[0] }"));
  EXPECT_EQ(object_named(program, "a").range, (Range{0, 72}));
  EXPECT_EQ(object_named(program, "a").origin, RangeOrigin::kProved);
  EXPECT_EQ(object_named(program, "b").range, (Range{0, 72}));
  EXPECT_EQ(object_named(program, "b").origin, RangeOrigin::kDeclared);
  EXPECT_EQ(object_named(program, "c").range, (Range{-128, 72 + 9 + 127}));
}

TEST(Language, objects_stand_in_the_order_of_the_data_model_whatever_the_text) {
  const CompiledProgram program = compiled(
      "program p\ndim D = 3\nstate s: i64[D]\nrow u: i32[D]\ndim M in 1..5\n"
      "dim K in 1..4\nrecord x: i64\none record per member\n"
      "table t[m in M]: i64 { return member[0] }\n");
  EXPECT_EQ(program.names.objects, (std::vector<std::string>{"member", "nonce", "x", "u", "s", "t"}));
  EXPECT_EQ(program.names.dims, (std::vector<std::string>{"K", "D", "M"}));
  EXPECT_EQ(program.program.dims[2].role, DimRole::kMembers);
  EXPECT_EQ(program.program.record_rule, RecordRule::kOnePerMember);
  EXPECT_EQ(object_named(program, "t").range, (Range{0, 4}));
  EXPECT_EQ(object_named(program, "u").extents, (std::array{Extent{ExtentKind::kDim, 0}, Extent{ExtentKind::kDim, 1}}));
}

TEST(Language, the_seed_reaches_prf) {
  const CompiledProgram program =
      compiled(with("fn random(i) = prf(seed[0], seed[1], i)\ntable t[i in 4]: i64 { return random(i) }"));
  const std::vector<Instruction>& code = program.program.items[0].body->finish;
  EXPECT_EQ(std::ranges::count(code, Op::kPrf, &Instruction::op), 1);
  EXPECT_EQ(object_named(program, "t").range, (Range{0, 0xffffffff}));
}

TEST(Language, hints_carry_their_keys_condition_and_rank) {
  const CompiledProgram program =
      compiled(with("advice a[i in K]: i64 hint kth(j in K where j != i: x[j] + (1<<40), K - 2)\n"
                    "advice b: i64 hint input\n"
                    "advice c[i in K]: i64 hint perm(v in K: x[v])"));
  ASSERT_EQ(program.hints.size(), 3U);
  EXPECT_EQ(program.hints[0].constants, (std::vector<i128>{i128{1} << 40}));
  EXPECT_EQ(std::ranges::count(program.hints[0].keys, Op::kRet, &Instruction::op), 2);
  EXPECT_FALSE(program.hints[0].rank.empty());
  EXPECT_EQ(program.hints[1].kind, HintKind::kInput);
  EXPECT_TRUE(program.hints[1].keys.empty());
  EXPECT_EQ(program.hints[2].over, (Extent{ExtentKind::kDim, 0}));
  EXPECT_TRUE(program.program.constants.empty());
}

TEST(Language, error_listings_point_at_the_place) {
  const auto result = compile(with("table t: i64 {\n\treturn x[0] + y\n}"), test::options_with({}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().listing,
            "test.tally:5:16: error: `y` is not declared before this place; names are declared before they are used\n"
            "    \treturn x[0] + y\n"
            "    \t              ^\n");
}

TEST(Language, compiling_twice_gives_the_same_program) {
  const std::string source = test::exemplar("ledger_payout");
  const CompiledProgram first = compiled(source, {{"pool", 99}});
  const CompiledProgram second = compiled(source, {{"pool", 99}});
  EXPECT_EQ(first.program, second.program);
  EXPECT_EQ(first.names.items, second.names.items);
}

/// Words of the language in random order, mostly inside a program that starts well.
std::string soup() {
  static const std::vector<std::string> kWords{
      "program", "use",    "template", "const",   "fn",     "param",
      "dim",     "record", "row",      "state",   "advice", "check",
      "table",   "loop",   "next",     "payable", "to",     "member",
      "one",     "per",    "let",      "fold",    "where",  "from",
      "require", "return", "and",      "or",      "not",    "in",
      "range",   "hint",   "kth",      "perm",    "input",  "i8",
      "i64",     "i128",   "K",        "M",       "x",      "s",
      "t",       "a",      "b",        "seed",    "batch",  "div",
      "min",     "select", "expect",   "clamp",   "prf",    "fx",
      "wrap",    "0",      "1",        "7",       "0.5",    "340282366920938463463374607431768211455",
      "..",      "==",     "<=",       "<<",      "<",      "=",
      "+",       "-",      "*",        "(",       ")",      "[",
      "]",       "{",      "}",        ",",       ":",      ".",
      "as",      "#",      "\n",       "$"};
  std::string text = *rc::gen::arbitrary<bool>() ? std::string(kStart) : std::string();
  if (*rc::gen::arbitrary<bool>())
    text += "table t[i in K]: i64 { fold k in K { s = s + x[k] } from s = 0 return s }\n";
  for (int i = *rc::gen::inRange(0, 60); i > 0; --i) text += *rc::gen::elementOf(kWords) + " ";
  return text;
}

TEST(Language, no_order_of_words_crashes_the_compiler) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = soup();
    const auto result = compile(text, test::options_with({}));
    if (!result) RC_ASSERT(!result.error().listing.empty());
    const auto declared = declared_parameters(text, {});
    RC_ASSERT((declared.has_value() || !declared.error().listing.empty()));
  }));
}

TEST(Language, no_damage_to_a_program_crashes_the_compiler) {
  EXPECT_TRUE(rc::check([] {
    std::string text = test::exemplar(*rc::gen::element(std::string("ledger_payout"), std::string("multi_krum")));
    for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      const auto length = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(30, text.size() - at) + 1);
      const auto from = *rc::gen::inRange<std::size_t>(0, text.size() - 8);
      text.replace(at, length, text.substr(from, *rc::gen::inRange<std::size_t>(0, 8)));
    }
    const auto result = compile(text, test::options_with({{"pool", 3}, {"f", 1}, {"m", 2}}));
    RC_ASSERT((result.has_value() || !result.error().listing.empty()));
  }));
}

}  // namespace
}  // namespace tally::math
