#include "fraud_proof/commitments/batch_shape.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::proof {

std::vector<math::ObjectId> objects_of(const math::Program& program, math::ObjectKind kind) {
  std::vector<math::ObjectId> ids;
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    if (program.objects[id].kind == kind) ids.push_back(static_cast<math::ObjectId>(id));
  }
  return ids;
}

std::vector<math::ObjectId> table_objects(const math::Program& program) {
  std::vector<math::ObjectId> ids;
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const math::ObjectKind kind = program.objects[id].kind;
    if (kind == math::ObjectKind::kAdvice || kind == math::ObjectKind::kComputed)
      ids.push_back(static_cast<math::ObjectId>(id));
  }
  return ids;
}

bool is_table(math::ObjectKind kind) {
  return kind == math::ObjectKind::kState || kind == math::ObjectKind::kAdvice || kind == math::ObjectKind::kComputed;
}

std::vector<std::uint64_t> batch_dims(const TaskPreimage& task, std::uint64_t record_count) {
  std::vector<std::uint64_t> dims{record_count};
  dims.insert(dims.end(), task.dims.begin(), task.dims.end());
  return dims;
}

math::BatchValues batch_values(std::vector<std::uint64_t> dims, std::uint64_t number, const Digest& seed) {
  math::ByteReader halves(seed.bytes);
  math::BatchValues values{.dims = std::move(dims), .batch = number};
  values.seed_high = halves.i128be();
  values.seed_low = halves.i128be();
  return values;
}

bool reads_seed(std::span<const math::Instruction> code) {
  return std::ranges::any_of(code, [](const math::Instruction& instruction) {
    return instruction.op == math::Op::kVar &&
           (instruction.imm == static_cast<std::int32_t>(math::Variable::kSeedHigh) ||
            instruction.imm == static_cast<std::int32_t>(math::Variable::kSeedLow));
  });
}

bool reads_seed(const math::Program& program) {
  return std::ranges::any_of(program.items, [](const math::Item& item) {
    return item.body && (reads_seed(item.body->step) || reads_seed(item.body->finish));
  });
}

RecordShape record_shape(const math::Program& program) {
  return {.rows = objects_of(program, math::ObjectKind::kRow).size(),
          .fields = objects_of(program, math::ObjectKind::kField).size()};
}

RecordOrder record_order(const math::Program& program) {
  switch (program.record_rule) {
    case math::RecordRule::kManyPerMember:
      return RecordOrder::kByAddressAndNonce;
    case math::RecordRule::kOnePerMember:
      return RecordOrder::kByMember;
  }
  TALLY_ASSERT(false);
}

TableShape table_shape(const math::Object& object, const math::BatchValues& values) {
  return {.element_bytes = static_cast<std::uint8_t>(math::element_bytes(object.type)),
          .rank = object.rank,
          .dim0 = math::extent_value(object.extents[0], values),
          .dim1 = math::extent_value(object.extents[1], values)};
}

TableShape row_shape(const math::Object& row, const math::BatchValues& values) {
  return {.element_bytes = static_cast<std::uint8_t>(math::element_bytes(row.type)),
          .rank = 1,
          .dim0 = math::extent_value(row.extents[1], values),
          .dim1 = 1};
}

std::vector<Digest> next_state(const math::Program& program, std::vector<Digest> states,
                               std::span<const Digest> tables) {
  const std::vector<math::ObjectId> state_ids = objects_of(program, math::ObjectKind::kState);
  const std::vector<math::ObjectId> table_ids = table_objects(program);
  TALLY_ASSERT(states.size() == state_ids.size());
  TALLY_ASSERT(tables.size() == table_ids.size());
  const auto place = [](const std::vector<math::ObjectId>& ids, math::ObjectId id) {
    const auto found = std::ranges::find(ids, id);
    TALLY_ASSERT(found != ids.end());
    return static_cast<std::size_t>(found - ids.begin());
  };
  for (const math::Next& next : program.next)
    states[place(state_ids, next.state)] = tables[place(table_ids, next.table)];
  return states;
}

}  // namespace tally::proof
