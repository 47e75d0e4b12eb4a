#include <algorithm>

#include "chain_adapter/data/manifest.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

using math::ObjectKind;

std::vector<std::uint64_t> numbers(const math::Object& object, const math::BatchValues& values) {
  std::vector<std::uint64_t> dims;
  for (std::size_t i = 0; i < object.rank; ++i) dims.push_back(math::extent_value(object.extents.at(i), values));
  return dims;
}

}  // namespace

ManifestShape manifest_shape(const math::CompiledProgram& compiled, const std::vector<std::uint64_t>& dims) {
  const math::Program& program = compiled.program;
  const std::vector<std::string>& names = compiled.names.objects;
  TALLY_ASSERT(dims.size() == program.dims.size() && names.size() == program.objects.size());
  const std::string& source = compiled.source;
  math::BatchValues values;
  values.dims = dims;

  ManifestShape shape;
  shape.program = compiled.names.program;
  shape.program_sha256 = math::sha256(math::unsigned_bytes(source));
  for (const math::Parameter& parameter : compiled.parameters) {
    shape.params.emplace_back(parameter.name, parameter.value);
  }
  for (std::size_t i = 0; i < dims.size(); ++i) shape.dims.emplace_back(compiled.names.dims.at(i), dims[i]);
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const math::Object& object = program.objects[id];
    ManifestResult table;
    table.name = names[id];
    table.type = object.type;
    table.dims = numbers(object, values);
    table.kind = object.kind;
    switch (object.kind) {
      case ObjectKind::kMember:
      case ObjectKind::kNonce:
        break;
      case ObjectKind::kField:
        shape.fields.push_back(table.name);
        break;
      case ObjectKind::kRow:
        table.dims.erase(table.dims.begin());
        shape.rows.push_back(table);
        break;
      case ObjectKind::kState:
        shape.state.push_back(table);
        break;
      case ObjectKind::kAdvice:
      case ObjectKind::kComputed:
        shape.tables.push_back(table);
        break;
    }
  }
  for (const math::Next& next : program.next) shape.next.emplace_back(names.at(next.state), names.at(next.table));
  return shape;
}

}  // namespace tally::chain
