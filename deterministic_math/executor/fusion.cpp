#include "deterministic_math/executor/fusion.h"

#include <algorithm>
#include <array>
#include <span>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/visibility.h"

namespace tally::math {
namespace {

bool is_candidate(const Item& item) { return item.rank == 1 && item.loop == kOutside; }

/// Whether an instruction loads a table of an item from `first` on.
bool loads_run(const Program& program, const Instruction& op, std::size_t first) {
  if (op.op != Op::kLoad) return false;
  const auto owner = owner_item(program, static_cast<ObjectId>(op.imm));
  return owner.has_value() && *owner >= first;
}

bool loads_run_at_own_index(const Program& program, std::span<const Instruction> code, std::size_t first) {
  std::array<bool, kRegisters> own_index{};
  for (const Instruction& op : code) {
    if (loads_run(program, op, first) && !own_index.at(op.a)) return false;
    const OpInfo* const info = find_opcode(op.op);
    if (info == nullptr || !info->uses(kUsesDst)) continue;
    own_index.at(op.dst) = op.op == Op::kVar && op.imm == static_cast<std::int32_t>(Variable::kIndex0);
  }
  return true;
}

bool joins(const CompiledProgram& compiled, std::size_t item, std::size_t first) {
  const Program& program = compiled.program;
  if (const auto& body = program.items[item].body; body) {
    if (!loads_run_at_own_index(program, body->step, first)) return false;
    if (!loads_run_at_own_index(program, body->finish, first)) return false;
  }
  const auto hint = std::ranges::find(compiled.hints, item, &Hint::item);
  if (hint == compiled.hints.end()) return true;
  const auto loads = [&](const Instruction& op) { return loads_run(program, op, first); };
  return std::ranges::none_of(hint->keys, loads) && std::ranges::none_of(hint->rank, loads);
}

}  // namespace

std::size_t fused_end(const CompiledProgram& compiled, std::size_t item) {
  const std::vector<Item>& items = compiled.program.items;
  std::size_t end = item + 1;
  if (!is_candidate(items[item]) || !joins(compiled, item, item)) return end;
  while (end < items.size() && is_candidate(items[end]) && items[end].extents == items[item].extents &&
         joins(compiled, end, item)) {
    ++end;
  }
  return end;
}

}  // namespace tally::math
