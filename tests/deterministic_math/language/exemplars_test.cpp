// The two programs of LANGUAGE.md, word for word, and the rules that come with Tallystick.
#include "tests/deterministic_math/language/compile_support.h"

namespace tally::math {
namespace {

using test::compiled;
using test::exemplar;
using test::object_named;

TEST(Exemplars, fedavg_becomes_two_tables_with_proved_ranges) {
  const auto source = find_library_program("fedavg");
  ASSERT_TRUE(source);
  const CompiledProgram fedavg = compiled(source->text);
  ASSERT_EQ(fedavg.names.items, (std::vector<std::string>{"total", "next_model"}));
  EXPECT_EQ(fedavg.names.dims, (std::vector<std::string>{"K", "D"}));
  EXPECT_EQ(fedavg.names.objects,
            (std::vector<std::string>{"member", "nonce", "examples", "updates", "model", "total", "next_model"}));
  EXPECT_EQ(object_named(fedavg, "total").range, (Range{0, i128{65536} * 32767}));
  EXPECT_EQ(object_named(fedavg, "next_model").range, type_range(ElementType::kI32));
  ASSERT_EQ(fedavg.program.next.size(), 1U);
  EXPECT_EQ(fedavg.program.next[0].state, 4);
  EXPECT_EQ(fedavg.program.next[0].table, 6);
  // s + updates[k, d] * examples[k]: two indices, two loads, a product, and the sum in the accumulator's register.
  const Body& body = *fedavg.program.items[1].body;
  EXPECT_EQ(body.step.size(), 6U);
  EXPECT_EQ(body.step.back(), (Instruction{.op = Op::kAdd, .dst = 0, .a = 0, .b = 1, .imm = 0}));
}

TEST(Exemplars, ledger_payout_compiles_word_for_word) {
  const CompiledProgram ledger = compiled(exemplar("ledger_payout"), {{"pool", 1'000'000}});
  EXPECT_EQ(ledger.names.items, (std::vector<std::string>{"points", "rep2, since2", "total", "base, rest", "left",
                                                          "extra.cut", "balance2"}));
  EXPECT_EQ(ledger.names.dims, (std::vector<std::string>{"K", "M", "H"}));
  EXPECT_EQ(ledger.program.dims[1].role, DimRole::kMembers);
  EXPECT_EQ(object_named(ledger, "member").range, (Range{0, (1 << 20) - 1}));
  EXPECT_EQ(object_named(ledger, "base").range, (Range{0, 1'000'000}));
  EXPECT_EQ(object_named(ledger, "extra.cut").range, type_range(ElementType::kI128));
  EXPECT_EQ(ledger.program.payable.size(), 1U);
  EXPECT_EQ(ledger.program.next.size(), 3U);
  ASSERT_EQ(ledger.hints.size(), 1U);
  EXPECT_EQ(ledger.hints[0].kind, HintKind::kKth);
  EXPECT_EQ(ledger.hints[0].item, 5U);
  // The guard `who[e] == m` comes first and ends the step of other members' events.
  const std::vector<Instruction>& step = ledger.program.items[0].body->step;
  ASSERT_GE(step.size(), 5U);
  EXPECT_EQ(step[4].op, Op::kSkipZ);
}

TEST(Exemplars, multi_krum_proves_the_ranges_that_the_language_states) {
  const std::string source = exemplar("multi_krum");
  const CompiledProgram krum = compiled(source, {{"f", 2}, {"m", 3}});
  EXPECT_EQ(krum.names.items, (std::vector<std::string>{"dist", "far", "score", "win.cut", "next_model"}));
  EXPECT_EQ(krum.program.dims[0], (Dim{DimRole::kRecords, 7, 4096}));
  const i128 two88 = i128{1} << 88;
  EXPECT_EQ(object_named(krum, "dist").range.lo, 0);
  EXPECT_LT(object_named(krum, "dist").range.hi, two88);
  EXPECT_EQ(object_named(krum, "far").range, object_named(krum, "dist").range);
  EXPECT_LT(object_named(krum, "score").range.hi, i128{1} << 101);
}

TEST(Exemplars, every_rule_of_the_library_compiles_and_its_source_stands_alone) {
  for (const LibraryProgram& rule : library_programs()) {
    CompileOptions options = test::options_with({});
    const auto declared = declared_parameters(rule.text, options);
    ASSERT_TRUE(declared) << rule.name;
    for (const Parameter& parameter : *declared) options.parameters[parameter.name] = parameter.range.lo;
    const auto first = compile(rule.text, options);
    ASSERT_TRUE(first) << first.error().listing;
    EXPECT_EQ(first->names.program, rule.name);
    options.template_library = {};
    const auto second = compile(first->source, options);
    ASSERT_TRUE(second) << second.error().listing;
    EXPECT_EQ(first->program, second->program) << rule.name;
    EXPECT_EQ(first->source, second->source);
  }
}

TEST(Exemplars, a_source_with_its_templates_written_in_compiles_alone_to_the_same_program) {
  const CompiledProgram first = compiled(exemplar("ledger_payout"), {{"pool", 5}});
  CompileOptions alone;
  alone.parameters = {{"pool", 5}};
  const auto second = compile(first.source, alone);
  ASSERT_TRUE(second) << second.error().listing;
  EXPECT_EQ(first.program, second->program);
  EXPECT_EQ(first.source, second->source);
  EXPECT_NE(first.source.find("template top"), std::string::npos);
}

}  // namespace
}  // namespace tally::math
