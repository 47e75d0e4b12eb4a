// Every aggregation rule of the library, and the ledger, once from end to end: inputs to a batch directory, replayed by
// the verifier, evaluated again entry by entry by the scalar interpreter, and forged.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/records/record.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using math::ObjectId;
using math::ObjectKind;
using test::TemporaryFolder;
using test::TestBatch;

constexpr std::uint64_t kLength = 300;

/// Small values that make each rule do something, whatever rule has the parameter.
math::i128 parameter_value(const math::Parameter& parameter) {
  static const std::map<std::string, math::i128> chosen{{"rounds", 2},
                                                        {"size", 2},
                                                        {"keep", 2},
                                                        {"share", 2500},
                                                        {"quantile", 5000},
                                                        {"epoch_s", 1 << 26},
                                                        {"skew_s", 1 << 26},
                                                        {"window_s", 1 << 20},
                                                        {"pool", 1'000'003},
                                                        {"alpha", 5000},
                                                        {"beta", 3000},
                                                        {"gamma", 2000},
                                                        {"rate", 1 << 30},
                                                        {"keep_m", 966'367'642},
                                                        {"keep_v", 1'063'004'406},
                                                        {"momentum", 1 << 29},
                                                        {"bound", 50'000'000},
                                                        {"newcomer", 1 << 29},
                                                        {"limit", 35}};
  const auto found = chosen.find(parameter.name);
  const math::i128 wanted = found == chosen.end() ? 1 : found->second;
  return std::clamp(wanted, parameter.range.lo, parameter.range.hi);
}

std::map<std::string, math::i128> parameters_of(const math::LibraryProgram& rule) {
  math::CompileOptions options;
  options.template_library = math::template_library();
  std::map<std::string, math::i128> values;
  const std::vector<math::Parameter> declared = math::declared_parameters(rule.text, options).value();
  for (const math::Parameter& parameter : declared) {
    values[parameter.name] = parameter_value(parameter);
  }
  return values;
}

bool is_rule(const math::LibraryProgram& program) {
  return program.text.find("\nnext model = ") != std::string_view::npos || program.name == "contribution_ledger";
}

/// Two records above the least; every other dim of about as many, but the parameters of the model.
std::vector<std::uint64_t> dims_of(const math::LibraryProgram& rule, const std::map<std::string, math::i128>& values) {
  math::CompileOptions options;
  options.template_library = math::template_library();
  options.parameters = values;
  const auto compiled = math::compile(rule.text, options).value();
  std::vector<std::uint64_t> dims;
  for (std::size_t i = 0; i < compiled.program.dims.size(); ++i) {
    const math::Dim& dim = compiled.program.dims[i];
    const std::uint64_t wanted = compiled.names.dims[i] == "D" ? kLength : dim.lo + 2 + 10 * i;
    dims.push_back(std::clamp(wanted, dim.lo, dim.hi));
  }
  dims.front() = std::max<std::uint64_t>(dims.front(), 5);
  return dims;
}

/// What was written to a batch directory, as folds read it.
class WrittenBatch final : public math::RowSource {
 public:
  WrittenBatch(const std::filesystem::path& path, const math::CompiledProgram& compiled,
               const std::vector<std::uint64_t>& dims)
      : x_compiled(compiled), x_paths(path), x_values(proof::batch_values(dims, proof::kFirstBatch, {})) {
    const math::Program& program = compiled.program;
    x_inputs.fields.resize(program.objects.size());
    x_inputs.tables.resize(program.objects.size());
    read_records();
    for (ObjectId id = 0; id < program.objects.size(); ++id) {
      const ObjectKind kind = program.objects[id].kind;
      if (kind < ObjectKind::kState) continue;
      const std::string& name = compiled.names.objects[id];
      x_bytes[id] = test::read_bytes(kind == ObjectKind::kState ? x_paths.state(name) : x_paths.table(name));
      x_inputs.tables[id] = std::as_bytes(std::span(x_bytes.at(id)));
    }
    x_inputs.rows = this;
  }

  std::span<const std::byte> view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte>) override {
    const std::size_t width = math::element_bytes(x_compiled.program.objects[row].type);
    return std::as_bytes(std::span(x_rows.at({row, record}))).subspan(first * width, count * width);
  }

  /// Every entry of every item is what the interpreter says.
  void expect_interpreted() {
    const math::Program& program = x_compiled.program;
    for (std::size_t index = 0; index < program.items.size(); ++index) {
      const math::Item& item = program.items[index];
      if (!item.body) continue;
      for (std::uint64_t entry = 0; entry < math::element_count(item.extents, x_values); ++entry) {
        const auto right = math::evaluate_entry({program, x_values, x_inputs}, index, entry);
        ASSERT_TRUE(right.has_value()) << x_compiled.names.items[index] << ' ' << entry;
        if (item.kind != math::ItemKind::kTable) continue;
        for (std::size_t column = 0; column < item.results.size(); ++column) {
          const ObjectId id = item.results[column];
          ASSERT_EQ(math::read_element(x_inputs.tables[id], program.objects[id].type, entry), (*right)[column])
              << x_compiled.names.objects[id] << ' ' << entry;
        }
      }
    }
  }

 private:
  void read_records() {
    const math::Program& program = x_compiled.program;
    const proof::RecordShape shape = proof::record_shape(program);
    const std::vector<std::uint8_t> bytes = test::read_bytes(x_paths.file(chain::kRecordsFile));
    const std::vector<ObjectId> fields = proof::objects_of(program, ObjectKind::kField);
    for (std::uint64_t k = 0; k < x_values.dims.front(); ++k) {
      const proof::Record record =
          proof::decode_record(std::span(bytes).subspan(k * shape.record_bytes(), shape.record_bytes()), shape).value();
      x_members.push_back(record.member);
      x_nonces.push_back(record.nonce);
      for (std::size_t i = 0; i < fields.size(); ++i) x_fields[fields[i]].push_back(record.fields[i]);
      for (const ObjectId row : proof::objects_of(program, ObjectKind::kRow)) {
        x_rows[{row, k}] = test::read_bytes(x_paths.row(x_compiled.names.objects[row], k));
      }
    }
    x_inputs.members = x_members;
    x_inputs.nonces = x_nonces;
    for (const ObjectId id : fields) x_inputs.fields[id] = x_fields[id];
  }

  const math::CompiledProgram& x_compiled;
  chain::BatchPaths x_paths;
  math::BatchValues x_values;
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::map<ObjectId, std::vector<std::int64_t>> x_fields;
  std::map<std::pair<ObjectId, std::uint64_t>, std::vector<std::uint8_t>> x_rows;
  std::map<ObjectId, std::vector<std::uint8_t>> x_bytes;
  math::Inputs x_inputs;
};

TEST(LibraryRules, are_built_verified_interpreted_alike_and_a_changed_weight_is_found) {
  const TemporaryFolder folder;
  std::size_t rules = 0;
  for (const math::LibraryProgram& rule : math::library_programs()) {
    if (!is_rule(rule)) continue;
    ++rules;
    SCOPED_TRACE(rule.name);
    const auto parameters = parameters_of(rule);
    const std::vector<std::uint64_t> dims = dims_of(rule, parameters);
    const TestBatch batch(rule.name, {.parameters = parameters, .dims = dims, .leaf_bytes = 256});
    const std::filesystem::path path = folder.path() / rule.name;
    const auto built = test::build(batch.inputs(), path, 2);
    ASSERT_TRUE(built.has_value()) << built.error().message;
    const verifier::VerifyReport report = test::verify(path, verifier::Findings::kAll, 2);
    ASSERT_TRUE(report.findings.empty()) << report.findings.front().message;
    WrittenBatch(path, batch.program(), dims).expect_interpreted();

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
