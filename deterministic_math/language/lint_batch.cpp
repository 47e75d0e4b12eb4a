#include "deterministic_math/language/lint_batch.h"

#include "deterministic_math/interpreter/interpreter.h"

namespace tally::math {
namespace {

bool is_input(ObjectKind kind) {
  return kind == ObjectKind::kField || kind == ObjectKind::kRow || kind == ObjectKind::kState;
}

bool is_per_record(ObjectKind kind) { return kind == ObjectKind::kMember || kind == ObjectKind::kNonce; }

}  // namespace

LintBatch::LintBatch(const Program& program, const BatchValues& values) : x_program(program), x_values(values) {
  const std::uint64_t records = values.dims.front();
  const auto slots = static_cast<std::uint64_t>(program.objects[kMemberObject].range.hi) + 1;
  for (std::uint64_t k = 0; k < records; ++k) x_members.push_back(k % slots);
  x_nonces.assign(records, 0);
  x_fields.resize(program.objects.size());
  x_memory.resize(program.objects.size());
  x_inputs.members = x_members;
  x_inputs.nonces = x_nonces;
  x_inputs.fields.resize(program.objects.size());
  x_inputs.tables.resize(program.objects.size());
  x_inputs.rows = this;
  for (std::size_t i = 0; i < program.objects.size(); ++i) {
    const Object& object = program.objects[i];
    const auto id = static_cast<ObjectId>(i);
    if (is_per_record(object.kind)) continue;
    if (object.kind == ObjectKind::kField) {
      x_fields[i].assign(records, 0);
      x_inputs.fields[i] = x_fields[i];
    } else {
      x_memory[i].assign(elements(id) * element_bytes(object.type), std::byte{0});
      if (object.kind != ObjectKind::kRow) x_inputs.tables[i] = x_memory[i];
    }
    for (std::uint64_t element = 0; is_input(object.kind) && element < elements(id); ++element) {
      x_slots.push_back({id, element});
    }
  }
}

std::uint64_t LintBatch::elements(ObjectId object) const {
  return element_count(x_program.objects[object].extents, x_values);
}

i128 LintBatch::get(ObjectId object, std::uint64_t element) const {
  if (x_program.objects[object].kind == ObjectKind::kField) return x_fields[object][element];
  return read_element(x_memory[object], x_program.objects[object].type, element);
}

void LintBatch::set(ObjectId object, std::uint64_t element, i128 value) {
  if (x_program.objects[object].kind == ObjectKind::kField) {
    x_fields[object][element] = static_cast<std::int64_t>(value);
  } else {
    write_element(x_memory[object], x_program.objects[object].type, element, value);
  }
}

std::span<const std::byte> LintBatch::view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                           std::span<std::byte> /*scratch*/) {
  const Object& object = x_program.objects[row];
  const std::size_t width = element_bytes(object.type);
  const std::uint64_t length = extent_value(object.extents[1], x_values);
  return std::span<const std::byte>(x_memory[row]).subspan((record * length + first) * width, count * width);
}

}  // namespace tally::math
