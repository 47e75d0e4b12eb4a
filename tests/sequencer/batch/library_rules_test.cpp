// Every aggregation rule of the library, and the ledger, once from end to end: inputs to a batch directory, replayed by
// the verifier, evaluated again entry by entry by the scalar interpreter, and forged.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "tests/support/library_shapes.h"
#include "tests/support/memory_world.h"
#include "tests/support/test_batch.h"
#include "tests/support/written_batch.h"

namespace tally::sequencer {
namespace {

using test::TemporaryFolder;
using test::TestBatch;

constexpr std::uint64_t kLength = 300;

bool is_rule(const math::LibraryProgram& program) {
  return program.text.find("\nnext model = ") != std::string_view::npos || program.name == "contribution_ledger";
}

TEST(LibraryRules, are_built_verified_interpreted_alike_and_a_changed_weight_is_found) {
  const TemporaryFolder folder;
  std::size_t rules = 0;
  for (const math::LibraryProgram& rule : math::library_programs()) {
    if (!is_rule(rule)) continue;
    ++rules;
    SCOPED_TRACE(rule.name);
    const auto parameters = test::parameters_of(rule);
    const std::vector<std::uint64_t> dims =
        test::dims_of(test::compile_library_program(std::string(rule.name), parameters), {.length = kLength});
    const TestBatch batch(rule.name, {.parameters = parameters, .dims = dims, .leaf_bytes = 256});
    const std::filesystem::path path = folder.path() / rule.name;
    const auto built = test::build(batch.inputs(), path, 2);
    ASSERT_TRUE(built.has_value()) << built.error().message;
    const verifier::VerifyReport report = test::verify(path, verifier::Findings::kAll, 2);
    ASSERT_TRUE(report.findings.empty()) << report.findings.front().message;
    const math::BatchValues values = proof::batch_values(dims, proof::kFirstBatch, {});
    ASSERT_EQ(test::WrittenBatch(path, batch.program(), values).first_wrong(), std::nullopt);

    const bool ledger = rule.name == "contribution_ledger";
    const std::string table = ledger ? "next_balance" : "next_model";
    const std::uint64_t weight = ledger ? 3 : 217;
    const math::Object& object = batch.program().program.objects[static_cast<std::size_t>(
        std::ranges::find(batch.program().names.objects, table) - batch.program().names.objects.begin())];
    const auto before = test::read_bytes(path / "tables" / (table + ".bin"));
    const bool at_end = math::read_element(std::as_bytes(std::span(before)), object.type, weight) == object.range.hi;
    test::forge_table(path, batch.program(), table, weight, at_end ? -1 : 1);
    const verifier::VerifyReport forged = test::verify(path, verifier::Findings::kFirst, 2);
    ASSERT_EQ(forged.findings.size(), 1U);
    EXPECT_EQ(forged.findings[0].name, table);
    EXPECT_EQ(forged.findings[0].entry, weight);
  }
  EXPECT_EQ(rules, 31U);
}

}  // namespace
}  // namespace tally::sequencer
