#include "tests/support/written_batch.h"

#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/records/record.h"
#include "tests/support/test_batch.h"

namespace tally::test {

using math::ObjectId;
using math::ObjectKind;

WrittenBatch::WrittenBatch(const std::filesystem::path& path, const math::CompiledProgram& compiled,
                           const math::BatchValues& values)
    : x_compiled(compiled), x_values(values), x_paths(path) {
  const math::Program& program = compiled.program;
  x_inputs.fields.resize(program.objects.size());
  x_inputs.tables.resize(program.objects.size());
  read_records();
  for (ObjectId id = 0; id < program.objects.size(); ++id) {
    const ObjectKind kind = program.objects[id].kind;
    if (kind < ObjectKind::kState) continue;
    const std::string& name = compiled.names.objects[id];
    x_bytes[id] = read_bytes(kind == ObjectKind::kState ? x_paths.state(name) : x_paths.table(name));
    x_inputs.tables[id] = std::as_bytes(std::span(x_bytes.at(id)));
  }
  x_inputs.rows = this;
}

std::span<const std::byte> WrittenBatch::view(ObjectId row, std::uint64_t record, std::uint64_t first,
                                              std::size_t count, std::span<std::byte> /*scratch*/) {
  const std::size_t width = math::element_bytes(x_compiled.program.objects[row].type);
  return std::as_bytes(std::span(x_rows.at({row, record}))).subspan(first * width, count * width);
}

math::i128 WrittenBatch::element(ObjectId table, std::uint64_t place) const {
  return math::read_element(x_inputs.tables[table], x_compiled.program.objects[table].type, place);
}

std::optional<std::string> WrittenBatch::wrong_entry(std::size_t index, std::uint64_t entry) const {
  const math::Program& program = x_compiled.program;
  const math::Item& item = program.items[index];
  const std::string where = x_compiled.names.items[index] + " " + std::to_string(entry);
  if (item.kind == math::ItemKind::kAdvice &&
      !program.objects[item.results[0]].range.contains(element(item.results[0], entry))) {
    return where + " is out of its range";
  }
  if (!item.body) return std::nullopt;
  const auto right = math::evaluate_entry({program, x_values, x_inputs}, index, entry);
  if (!right) return where + " is FAIL";
  if (item.kind != math::ItemKind::kTable) return std::nullopt;
  for (std::size_t column = 0; column < item.results.size(); ++column) {
    if (element(item.results[column], entry) != (*right)[column]) return where;
  }
  return std::nullopt;
}

std::optional<std::string> WrittenBatch::first_wrong() const {
  const math::Program& program = x_compiled.program;
  for (std::size_t index = 0; index < program.items.size(); ++index) {
    for (std::uint64_t entry = 0; entry < math::element_count(program.items[index].extents, x_values); ++entry) {
      if (auto wrong = wrong_entry(index, entry)) return wrong;
    }
  }
  return std::nullopt;
}

void WrittenBatch::read_records() {
  const math::Program& program = x_compiled.program;
  const proof::RecordShape shape = proof::record_shape(program);
  const std::vector<std::uint8_t> bytes = read_bytes(x_paths.file(chain::kRecordsFile));
  const std::vector<ObjectId> fields = proof::objects_of(program, ObjectKind::kField);
  for (std::uint64_t k = 0; k < x_values.dims.front(); ++k) {
    const proof::Record record =
        proof::decode_record(std::span(bytes).subspan(k * shape.record_bytes(), shape.record_bytes()), shape).value();
    x_members.push_back(record.member);
    x_nonces.push_back(record.nonce);
    for (std::size_t i = 0; i < fields.size(); ++i) x_fields[fields[i]].push_back(record.fields[i]);
    for (const ObjectId row : proof::objects_of(program, ObjectKind::kRow)) {
      x_rows[{row, k}] = read_bytes(x_paths.row(x_compiled.names.objects[row], k));
    }
  }
  x_inputs.members = x_members;
  x_inputs.nonces = x_nonces;
  for (const ObjectId id : fields) x_inputs.fields[id] = x_fields[id];
}

}  // namespace tally::test
