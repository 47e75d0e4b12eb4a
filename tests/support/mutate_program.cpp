#include "tests/support/mutate_program.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::test {

using namespace tally::math;

namespace {

template <class T>
T* any_of(std::vector<T>& values, Rng& rng) {
  return values.empty() ? nullptr : &values[pick(rng, 0, values.size() - 1)];
}

Instruction random_instruction(const Program& program, Rng& rng) {
  Instruction op;
  op.op = kOpcodes[pick(rng, 0, kOpcodes.size() - 1)].op;
  op.dst = static_cast<std::uint8_t>(pick(rng, 0, 20));
  op.a = static_cast<std::uint8_t>(pick(rng, 0, 20));
  op.b = static_cast<std::uint8_t>(pick(rng, 0, 20));
  op.imm = static_cast<std::int32_t>(pick(rng, 0, std::max<std::size_t>(program.objects.size(), 20)));
  if (op.op == Op::kImm) op.imm = static_cast<std::int32_t>(rng());
  const OpInfo& info = opcode_info(op.op);
  if (info.imm == ImmUse::kNone) op.imm = 0;
  if (!info.uses(kUsesDst)) op.dst = 0;
  if (!info.uses(kUsesA)) op.a = 0;
  if (!info.uses(kUsesB)) op.b = 0;
  return op;
}

void mutate_code(const Program& program, const Item& item, CodeSection section, std::vector<Instruction>& code,
                 Rng& rng) {
  if (code.empty()) return;
  for (int attempt = 0; attempt < 50; ++attempt) {
    Instruction op = random_instruction(program, rng);
    if (op.op == Op::kLoad && static_cast<std::size_t>(op.imm) < program.objects.size()) {
      const std::uint8_t rank = program.objects[static_cast<std::size_t>(op.imm)].rank;
      if (rank < 1) op.a = 0;
      if (rank < 2) op.b = 0;
    }
    if (check_instruction(program, item, section, op)) continue;
    code[pick(rng, 0, code.size() - 1)] = op;
    return;
  }
}

i128 anything(Rng& rng) { return pick_value(rng, {kI128Min, kI128Max}, ValueStyle::kExtreme); }

void mutate_range(Range& range, Rng& rng) {
  range = {anything(rng), anything(rng)};
  if (range.lo > range.hi) std::swap(range.lo, range.hi);
}

void mutate_extent(const Program& program, Extent& extent, Rng& rng) {
  extent.kind = static_cast<ExtentKind>(pick(rng, 0, 1));
  extent.value = extent.kind == ExtentKind::kDim ? pick(rng, 0, program.dims.size()) : rng() >> pick(rng, 30, 63);
}

void mutate_object(const Program& program, Object& object, Rng& rng) {
  switch (pick(rng, 0, 5)) {
    case 0:
      object.kind = static_cast<ObjectKind>(pick(rng, 0, 6));
      break;
    case 1:
      object.type = static_cast<ElementType>(pick(rng, 0, 4));
      break;
    case 2:
      object.rank = static_cast<std::uint8_t>(pick(rng, 0, 2));
      break;
    case 3:
      mutate_extent(program, object.extents[pick(rng, 0, 1)], rng);
      break;
    case 4:
      object.origin = static_cast<RangeOrigin>(pick(rng, 0, 1));
      break;
    default:
      mutate_range(object.range, rng);
      break;
  }
}

void mutate_item(const Program& program, Item& item, Rng& rng) {
  switch (pick(rng, 0, 5)) {
    case 0:
      item.kind = static_cast<ItemKind>(pick(rng, 0, 2));
      break;
    case 1:
      item.loop = static_cast<LoopId>(pick(rng, 0, program.loops.size()));
      break;
    case 2:
      item.rank = static_cast<std::uint8_t>(pick(rng, 0, 2));
      break;
    case 3:
      mutate_extent(program, item.extents[pick(rng, 0, 1)], rng);
      break;
    case 4:
      item.results.push_back(static_cast<ObjectId>(pick(rng, 0, program.objects.size())));
      break;
    default:
      item.body.reset();
      break;
  }
}

}  // namespace

void mutate_body(Program& program, Rng& rng) {
  Item* item = any_of(program.items, rng);
  if (item == nullptr || !item->body) return;
  Body& body = *item->body;
  switch (pick(rng, 0, 5)) {
    case 0:
      if (i128* init = any_of(body.init, rng)) *init = anything(rng);
      break;
    case 1:
      if (Range* range = any_of(body.accumulators, rng)) mutate_range(*range, rng);
      break;
    case 2:
    case 3:
      mutate_code(program, *item, CodeSection::kStep, body.step, rng);
      break;
    default:
      mutate_code(program, *item, CodeSection::kFinish, body.finish, rng);
      break;
  }
}

bool settle(Program& program) {
  const std::vector<i128> pool = std::exchange(program.constants, {});
  const auto renumber = [&](std::vector<Instruction>& code) {
    for (Instruction& op : code) {
      if (op.op != Op::kConst) continue;
      const i128 value = pool[static_cast<std::size_t>(op.imm)];
      const auto found = std::ranges::find(program.constants, value) - program.constants.begin();
      op.imm = static_cast<std::int32_t>(found);
      if (static_cast<std::size_t>(found) == program.constants.size()) program.constants.push_back(value);
    }
  };
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    if (!program.items[item].body) continue;
    Body& body = *program.items[item].body;
    renumber(body.step);
    renumber(body.finish);
    const auto ranges = prove_item(program, item);
    if (!ranges) return false;
    body.accumulators = ranges->accumulators;
    for (std::size_t column = 0; column < ranges->results.size(); ++column) {
      Object& table = program.objects[program.items[item].results[column]];
      if (table.origin == RangeOrigin::kProved) table.range = ranges->results[column];
    }
  }
  program.next.clear();
  return validate(program).has_value();
}

void mutate_program(Program& program, Rng& rng) {
  switch (pick(rng, 0, 7)) {
    case 0:
      if (Dim* dim = any_of(program.dims, rng)) {
        *dim = {static_cast<DimRole>(pick(rng, 0, 2)), pick(rng, 0, 9), rng() >> pick(rng, 20, 60)};
      }
      break;
    case 1:
      if (Object* object = any_of(program.objects, rng)) mutate_object(program, *object, rng);
      break;
    case 2:
      program.constants.push_back(anything(rng));
      break;
    case 3:
      program.loops.push_back({Extent{ExtentKind::kConstant, pick(rng, 0, 5)}});
      break;
    case 4:
      if (Item* item = any_of(program.items, rng)) mutate_item(program, *item, rng);
      break;
    case 5:
      program.next.push_back({static_cast<ObjectId>(pick(rng, 0, program.objects.size())),
                              static_cast<ObjectId>(pick(rng, 0, program.objects.size()))});
      break;
    case 6:
      program.payable.push_back(static_cast<ObjectId>(pick(rng, 0, program.objects.size())));
      break;
    default:
      mutate_body(program, rng);
      break;
  }
}

}  // namespace tally::test
