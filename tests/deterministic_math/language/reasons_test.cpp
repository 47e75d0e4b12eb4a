// Every reason for which a program is refused, with the exact place, and proof that none is missing here.
#include "deterministic_math/language/reasons.h"

#include <set>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/proving.h"
#include "tests/deterministic_math/language/compile_support.h"

namespace tally::math {
namespace {

struct Refusal {
  CompileReason reason;
  std::uint32_t line;
  std::uint32_t column;
  std::string source;
  test::Parameters parameters = {};
};

// Three lines before the text of most cases.
const std::string kStart = "program p\ndim K in 1..8\nrecord x: i64 in 0..9\n";

std::string with(std::string_view text) { return kStart + std::string(text) + "\n"; }

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

/// A body whose 70 values are all needed twice, the second time in the other direction.
std::string many_live_values() {
  std::string text = "table t: i128 {\nlet v0 = x[0]\n";
  std::string up = "v0";
  std::string down = "v69";
  for (int i = 1; i < 70; ++i) {
    text += "let v" + std::to_string(i) + " = v" + std::to_string(i - 1) + " + x[1]\n";
    up += " + v" + std::to_string(i);
    down += " - v" + std::to_string(69 - i);
  }
  return text + "return (" + up + ") * (" + down + ")\n}";
}

/// 300 different sums.
std::string long_section() {
  std::string text = "table t: i128 { return 0";
  for (int i = 0; i < 300; ++i) text += " + x[" + std::to_string(i) + "]";
  return text + " }";
}

/// Functions that each call the one before twice.
std::string explosion() {
  std::string text = "fn f0 = x[0]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "f" + std::to_string(i - 1);
    text.append("fn f")
        .append(std::to_string(i))
        .append(" = ")
        .append(before)
        .append(" + ")
        .append(before)
        .append("\n");
  }
  return text + "table t: i128 { return f29 }";
}

/// Functions that call one another in a chain deeper than the limit.
std::string chain() {
  std::string text = "fn f0 = 1\n";
  for (int i = 1; i < 700; ++i) text += "fn f" + std::to_string(i) + " = f" + std::to_string(i - 1) + "\n";
  return text + "const c = f699";
}

/// Twelve tables of some 200 instructions each.
std::string large_program() {
  std::string text;
  for (int t = 0; t < 12; ++t) {
    text += "table t" + std::to_string(t) + ": i128 { return 0";
    for (int i = 0; i < 60; ++i) text += " + x[" + std::to_string(i + t) + "]";
    text += " }\n";
  }
  return text;
}

std::vector<Refusal> refusals() {
  using enum CompileReason;
  return {
      {kSourceTooLong, 1, 1, std::string(kMaxSourceBytes + 1, ' ')},
      {kBadCharacter, 4, 11, with("const a = $")},
      {kBadCharacter, 4, 13, with("const a = 1 / 2")},
      {kBadNumber, 4, 11, with("const a = 12ab")},
      {kBadNumber, 4, 11, with("const a = 170141183460469231731687303715884105728")},
      {kSyntax, 4, 9, with("const a 1")},
      {kSyntax, 5, 1, with("const a = ")},
      {kSyntax, 4, 1, with("tabel t: i64 { return 1 }")},
      {kTooDeep, 4, 75, with("const a = " + repeated("(", 100) + "1" + repeated(")", 100))},
      {kTooDeep, 4, 1609, with("const a = " + repeated("1 + ", 500) + "1")},
      {kTooDeep, 104, 11, with(chain())},
      {kTooMuchInlining, 7, 14, with(explosion())},
      {kChainedComparison, 4, 17, with("const a = 1 < 2 < 3")},

      {kUnknownName, 4, 23, with("table t: i64 { return y[0] }")},
      {kUnknownName, 4, 11, with("const a = b\nconst b = 1")},
      {kUsedBeforeDeclaration, 4, 8, with("fn f = g\nfn g = 1\nconst a = f")},
      {kDuplicateName, 5, 7, with("const a = 1\nconst a = 2")},
      {kDuplicateName, 4, 31,
       with("table t: i64 { let a = 1 fold a in K { let a = 2 s = s + a } from s = 0 return s }")},
      {kDuplicateName, 4, 9, with("fn f(a, a) = a")},
      {kDuplicateName, 5, 10, with("template a() {}\ntemplate a() {}")},
      {kReservedName, 4, 7, with("const min = 1")},
      {kReservedName, 4, 7, with("const i64 = 1")},
      {kRecursion, 4, 11, with("fn f(a) = f(a)\nconst b = f(1)")},
      {kRecursion, 4, 20, with("template a() { use a() as b }\nuse a() as c")},
      {kWrongKind, 4, 23, with("table t: i64 { return x(0) }")},
      {kWrongKind, 4, 23, with("table t: i64 { return K[0] }")},
      {kWrongKind, 4, 23, with("table t: i64 { return i32 }")},
      {kWrongKind, 5, 11, with("const a = 1\nconst b = a.c")},
      {kWrongArgumentCount, 4, 11, with("const a = div(1)")},
      {kWrongArgumentCount, 5, 11, with("fn f(a) = a\nconst b = f(1, 2)")},
      {kWrongArgumentCount, 5, 5, with("template a(b) {}\nuse a() as c")},
      {kWrongRank, 4, 23, with("table t: i64 { return x }")},
      {kWrongRank, 4, 23, with("table t: i64 { return x[0, 1] }")},
      {kWrongRank, 4, 23, with("table t: i64 { return member }")},
      {kUnknownTemplate, 4, 5, with("use nothing() as b")},

      {kMisplacedItem, 4, 15, with("loop t in 3 { loop u in 3 {} }")},
      {kMisplacedItem, 4, 15, with("loop t in 3 { dim D = 3 }")},
      {kMisplacedItem, 4, 16, with("template a() { dim D = 3 }\nuse a() as b")},
      {kMisplacedItem, 5, 1, with("check {}\ndim D = 3")},
      {kMissingProgram, 1, 1, "dim K in 1..8\n"},
      {kMissingRecordsDim, 1, 1, "program p\n"},
      {kDuplicateClause, 4, 1, with("program q")},
      {kDuplicateClause, 5, 1, with("one record per member\none record per member")},
      {kDuplicateClause, 7, 6, with("state s: i64\ntable t: i64 { return 1 }\nnext s = t\nnext s = t")},
      {kDuplicateClause, 7, 9, with("dim M = 3\nstate s: i64[M]\npayable s to member\npayable s to member")},
      {kMissingParameter, 4, 7, with("param f: 0..3")},
      {kUnknownParameter, 1, 1, with(""), {{"f", 1}}},
      {kParameterOutOfRange, 4, 7, with("param f: 0..3"), {{"f", 4}}},
      {kBadDim, 4, 10, with("dim D in 3..2")},
      {kBadDim, 4, 10, with("dim D <= 1<<29")},
      {kBadExtent, 4, 14, with("table t[i in 0]: i64 { return 1 }")},
      {kBadExtent, 4, 14, with("table t[i in x]: i64 { return 1 }")},
      {kBadShape, 4, 25, with("table t[i in K, j in K, k in K]: i64 { return 1 }")},
      {kBadShape, 4, 5, with("row u: i32")},
      {kBadShape, 4, 12, with("row u: i32[K]")},
      {kBadFieldType, 4, 8, with("record y: i32")},
      {kEmptyRange, 4, 18, with("record y: i64 in 3..2")},
      {kEmptyRange, 4, 23, with("table t: i64 { return clamp(x[0], 3, 2) }")},
      {kRangeOutsideType, 4, 16, with("state s: i8 in 0..128")},
      {kRangeNotKnown, 4, 64, with("loop t in 3 { table a: i64 { return 1 } advice b: i64 in range(a) }")},
      {kTableTooLarge, 5, 7, with("dim D <= 1<<28\ntable t[i in D, j in D]: i8 { return 1 }")},
      {kTableTooLarge, 5, 1, with("dim D <= 1<<28\ncheck[i in D, j in D] {}")},
      {kTableTooLarge, 5, 7, with("dim D <= 1<<20\ntable t[i in D, j in D]: i8 { return 1 }")},
      {kEmptyLoop, 4, 1, with("loop t in 3 { const a = 1 }")},
      {kTooMany, 4, 11, with("const a = min(" + repeated("1, ", 64) + "1)")},
      {kTooMany, 4, 20489, with("check { " + repeated("require 1 ", 2049) + "}")},
      {kTooMany, 68, 1, with(repeated("check {}\n", 65))},
      {kTooMany, 4, 76,
       with("table t: i64 { fold k in K {} from a=0, b=0, c=0, d=0, e=0, f=0, g=0, h=0, "
            "i=0 return a }")},
      {kBadNext, 5, 6, with("table t: i64 { return 1 }\nnext x = t")},
      {kBadNext, 6, 10, with("state s: i32\ntable t: i64 { return 1 }\nnext s = t")},
      {kBadNext, 6, 10, with("state s: i64[3]\ntable t: i64 { return 1 }\nnext s = t")},
      {kBadNext, 6, 10, with("state s: i64 in 0..5\ntable t: i64 { return 6 }\nnext s = t")},
      {kBadNext, 5, 10, with("state s: i64\nnext s = s")},
      {kBadPayable, 5, 9, with("state s: i64[3]\npayable s to member")},

      {kNotConstant, 4, 11, with("const a = x[0]")},
      {kNotConstant, 4, 11, with("const a = K")},
      {kNotConstant, 4, 23, with("table t: i64 { return 0.5 }")},
      {kConstantOverflow, 4, 11, with("const a = 2 * (1 << 126)")},
      {kConstantOverflow, 4, 11, with("const a = fx(0.123456789012345678901234567890123456789, 24)")},
      {kBadDivisor, 4, 11, with("const a = div(1, 0)")},
      {kBadDivisor, 4, 23, with("table t: i64 { return div(1, x[0]) }")},
      {kBadShift, 4, 11, with("const a = 1 << 127")},
      {kBadShift, 4, 23, with("table t: i64 { return shr(1, x[0] - 1) }")},
      {kShiftOfVariable, 4, 23, with("table t: i64 { return x[0] << 2 }")},
      {kNegativeRoot, 4, 11, with("const a = isqrt(0-1)")},
      {kNegativeRoot, 4, 23, with("table t: i64 { return isqrt(x[0] - 1) }")},
      {kBadPrfCounter, 4, 23, with("table t: i64 { return prf(1, 2, x[0] - 1) }")},
      {kBadWidth, 4, 19, with("const a = wrap(1, 128)")},
      {kBadSeed, 4, 23, with("table t: i64 { return seed[2] }")},
      {kBadSeed, 4, 23, with("table t: i64 { return seed[0] + 1 }")},
      {kBadSeed, 4, 24, with("table t: i128 { return seed[0] }")},
      {kBadSeed, 4, 23, with("table t: i64 { return prf(1, 2, seed[0]) }")},

      {kNotAnAccumulator, 4, 30, with("table t: i64 { fold k in K { a = 1 } from s = 0 return s }")},
      {kMisplacedStatement, 4, 16, with("table t: i64 { require 1 fold k in K {} from s = 0 return s }")},
      {kMisplacedStatement, 4, 42,
       with("table t: i64 { fold k in K {} from s = 0 fold k in K {} from r = 0 return s }")},
      {kMisplacedStatement, 4, 30, with("table t: i64 { fold k in K { require 1 } from s = 0 return s }")},
      {kMisplacedStatement, 4, 25, with("table t: i64 { return 1 let a = 1 }")},
      {kMisplacedStatement, 4, 16, with("table t: i64 { a = 1 return 1 }")},
      {kMisplacedStatement, 4, 34, with("table t: i64 { fold k in K { s = expect(x[k], 0, 1) } from s = 0 return s }")},
      {kMissingReturn, 4, 16, with("table t: i64 { }")},
      {kReturnCount, 4, 16, with("table t: i64 { return 1, 2 }")},
      {kUnexpectedReturn, 4, 9, with("check { return 1 }")},
      {kSectionTooLong, 4, 1, with(long_section())},
      {kTooManyLiveValues, 68, 11, with(many_live_values())},

      {kNotLogical, 4, 30, with("check { require x[0] < 1 and x[1] }")},
      {kNotLogical, 4, 17, with("check { require x[0] }")},
      {kNotLogical, 4, 17, with("check { require 2 }")},
      {kNotLogical, 4, 34, with("table t: i64 { fold k in K where x[k] { s = s + 1 } from s = 0 return s }")},
      {kOverflow, 5, 24, with("advice a: i128\ntable t: i128 { return a + 1 }")},
      {kUnboundedAccumulator, 4, 52, with("table t: i128 { fold k in K { s = s + s + 1 } from s = 0 return s }")},
      {kUnboundedResult, 4, 34, with("table t[i in 100]: i128 { return t[i-1] * 2 + 1 }")},
      {kResultTooWide, 4, 22, with("table t: i8 { return x[0] * 100 }")},
      {kProgramTooLarge, 1, 1, with(large_program())},
      {kResultOutsideDeclared, 4, 31, with("table t: i64 in 0..5 { return x[0] + 6 }")},
  };
}

TEST(CompileReasons, each_is_reported_at_its_exact_place) {
  for (const Refusal& refusal : refusals()) {
    const auto result = compile(refusal.source, test::options_with(refusal.parameters));
    const std::string text = refusal.source.size() < 2000 ? refusal.source : "(long)";
    if (result) {
      ADD_FAILURE() << "compiled: " << name_of(refusal.reason) << "\n" << text;
      continue;
    }
    const CompileError& error = result.error();
    EXPECT_EQ(error.reason, refusal.reason) << name_of(refusal.reason) << ", not " << name_of(error.reason) << "\n"
                                            << error.listing.substr(0, 2000);
    EXPECT_EQ(error.span.line, refusal.line) << name_of(refusal.reason) << "\n" << error.listing.substr(0, 2000);
    EXPECT_EQ(error.span.column, refusal.column) << name_of(refusal.reason) << "\n" << error.listing.substr(0, 2000);
  }
}

TEST(CompileReasons, a_program_that_only_the_validator_refuses_is_refused) {
  CompiledProgram program = test::compiled(with("table t: i64 { return x[0] }"));
  ItemPlaces places{{{4, 7, 1}}, {1, 1, 7}};
  EXPECT_NO_THROW(check_valid(program.program, places));
  program.program.objects.back().range.hi += 1;
  try {
    check_valid(program.program, places);
    FAIL() << "accepted";
  } catch (const CompileFailure& failure) {
    EXPECT_EQ(failure.reason, CompileReason::kRefused);
    EXPECT_EQ(failure.span.line, 4U);
  }
}

TEST(CompileReasons, none_is_without_a_test) {
  std::set<CompileReason> covered{CompileReason::kRefused};  // by the test above
  for (const Refusal& refusal : refusals()) covered.insert(refusal.reason);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCompileReasons; ++i) {
    const auto reason = static_cast<CompileReason>(i);
    EXPECT_TRUE(covered.contains(reason)) << name_of(reason);
    names.insert(name_of(reason));
  }
  EXPECT_EQ(names.size(), kCompileReasons);
}

}  // namespace
}  // namespace tally::math
