// The definition of what bytecode means: one section (a step or a finish) of one entry.
//
// run_section is written once and instantiated for running (values come from memory), recording (the same, and the
// loads are listed) and replaying (values come from a witness, which may not hold one): an Access decides.
//
//   struct Access { i128 load(ObjectId object, std::uint64_t element); };                  // run, record
//   struct Access { std::optional<i128> load(ObjectId object, std::uint64_t element); };   // replay; absent: refused
//
// load() is called exactly for the loads that are in bounds and visible, in program order, and gives the raw committed
// value; clamping is done here. It is total: bytecode that no validator has seen gives a defined result too
// (numbers/arithmetic.h). There, registers are taken modulo 64; an unknown opcode, an instruction in the wrong section,
// and a RET of a column that the item does not have do nothing; unknown variables, constants and objects are 0.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/arithmetic.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/prf.h"

namespace tally::math {

/// kHint runs like a finish, but may read the fold index, and its results have no range.
enum class SectionKind : std::uint8_t { kStep, kFinish, kHint };

/// kDone: the accumulators (step) or results (finish) are written. kSkipped: a step ended as the identity.
/// kFail: a REQ failed or a RET was out of range; ends a finish at once. kRefused: the access had no value for a load.
enum class SectionOutcome : std::uint8_t { kDone, kSkipped, kFail, kRefused };

/// Where a section runs.
struct SectionContext {
  const Program& program;
  const BatchValues& values;
  std::size_t item = 0;
  std::uint64_t entry = 0;  // flattened index
  std::uint64_t fold = 0;   // fold index; of no effect in a finish
  SectionKind kind = SectionKind::kStep;
  std::span<const i128> constants;  // the program's pool, or a hint's own
};

namespace detail {

using Registers = std::array<i128, kRegisters>;

[[nodiscard]] inline i128 variable_value(const SectionContext& context, std::int32_t variable) {
  const BatchValues& values = context.values;
  if (variable >= kFirstDimVariable) {
    const auto dim = static_cast<std::size_t>(variable - kFirstDimVariable);
    return dim < values.dims.size() ? static_cast<i128>(values.dims[dim]) : 0;
  }
  const auto indices = entry_indices(context.program.items[context.item], values, context.entry);
  switch (static_cast<Variable>(variable)) {
    case Variable::kIndex0:
      return indices[0];
    case Variable::kIndex1:
      return indices[1];
    case Variable::kFold:
      return context.kind == SectionKind::kFinish ? 0 : static_cast<i128>(context.fold);
    case Variable::kBatch:
      return values.batch;
    case Variable::kSeedHigh:
      return values.seed_high;
    case Variable::kSeedLow:
      return values.seed_low;
  }
  return 0;
}

/// False where the access refuses.
template <class Access>
[[nodiscard]] bool load_value(const SectionContext& context, const Instruction& op, const Registers& r, Access& access,
                              i128& value) {
  value = 0;
  if (op.imm < 0 || static_cast<std::size_t>(op.imm) >= context.program.objects.size()) return true;
  const auto object = static_cast<ObjectId>(op.imm);
  const ResolvedLoad load = resolve_load(context.program, context.values, context.item, context.entry, object,
                                         {r[op.a % kRegisters], r[op.b % kRegisters]});
  if (load.element) {
    const auto raw = access.load(object, *load.element);
    if constexpr (std::is_same_v<std::remove_const_t<decltype(raw)>, i128>) {
      value = raw;
    } else {
      if (!raw) return false;
      value = *raw;
    }
  }
  value = load.clamp.clamp(value);
  return true;
}

/// The opcodes that only compute: dst from registers a, b, c and imm.
[[nodiscard]] inline i128 compute(const SectionContext& context, const Instruction& op, i128 a, i128 b, i128 c) {
  switch (op.op) {
    case Op::kImm:
      return op.imm;
    case Op::kConst:
      return op.imm >= 0 && static_cast<std::size_t>(op.imm) < context.constants.size()
                 ? context.constants[static_cast<std::size_t>(op.imm)]
                 : 0;
    case Op::kMov:
      return a;
    case Op::kVar:
      return variable_value(context, op.imm);
    case Op::kAdd:
      return wrapping_add(a, b);
    case Op::kSub:
      return wrapping_sub(a, b);
    case Op::kMul:
      return wrapping_mul(a, b);
    case Op::kMin:
      return std::min(a, b);
    case Op::kMax:
      return std::max(a, b);
    case Op::kDiv:
      return floor_div(a, b);
    case Op::kMod:
      return floor_mod(a, b);
    case Op::kDivRound:
      return div_round(a, b);
    case Op::kShl:
      return shift_left(a, b);
    case Op::kShr:
      return shift_right(a, b);
    case Op::kShrRound:
      return shift_right_round(a, b);
    case Op::kIsqrt:
      return isqrt(a);
    case Op::kWrap:
      return wrap_to_bits(a, op.imm);
    case Op::kLt:
      return a < b ? 1 : 0;
    case Op::kLe:
      return a <= b ? 1 : 0;
    case Op::kEq:
      return a == b ? 1 : 0;
    case Op::kSel:
      return c != 0 ? a : b;
    case Op::kPrf:
      return prf(a, b, c);
    case Op::kLoad:
    case Op::kSkipZ:
    case Op::kReq:
    case Op::kRet:
      break;
  }
  return 0;
}

/// False where the returned value lies outside its table's range.
[[nodiscard]] inline bool store_result(const SectionContext& context, std::int32_t column, i128 value,
                                       std::span<i128> results) {
  if (column < 0 || static_cast<std::size_t>(column) >= results.size()) return true;
  const auto index = static_cast<std::size_t>(column);
  if (context.kind == SectionKind::kFinish) {
    const Item& item = context.program.items[context.item];
    if (item.kind != ItemKind::kTable || index >= item.results.size()) return true;
    if (!context.program.objects[item.results[index]].range.contains(value)) return false;
  }
  results[index] = value;
  return true;
}

}  // namespace detail

/// Runs one section. A step reads and, when done, writes `accumulators`; a finish reads them and writes `results`, one
/// for each column (those not returned become 0).
template <class Access>
[[nodiscard]] SectionOutcome run_section(const SectionContext& context, std::span<const Instruction> code,
                                         Access& access, std::span<i128> accumulators, std::span<i128> results) {
  TALLY_ASSERT(accumulators.size() <= kMaxAccumulators);
  const bool is_step = context.kind == SectionKind::kStep;
  detail::Registers r{};
  std::ranges::copy(accumulators, r.begin());
  std::ranges::fill(results, i128{0});
  for (const Instruction& op : code) {
    const i128 a = r[op.a % kRegisters];
    i128& dst = r[op.dst % kRegisters];
    if (op.op == Op::kLoad) {
      i128 value = 0;
      if (!detail::load_value(context, op, r, access, value)) return SectionOutcome::kRefused;
      dst = value;
    } else if (op.op == Op::kSkipZ) {
      if (is_step && a == 0) return SectionOutcome::kSkipped;
    } else if (op.op == Op::kReq) {
      if (!is_step && a == 0) return SectionOutcome::kFail;
    } else if (op.op == Op::kRet) {
      if (!is_step && !detail::store_result(context, op.imm, a, results)) return SectionOutcome::kFail;
    } else if (find_opcode(op.op) != nullptr) {
      dst = detail::compute(context, op, a, r[op.b % kRegisters], r[op.c() % kRegisters]);
    }
  }
  if (is_step) std::ranges::copy_n(r.begin(), static_cast<std::ptrdiff_t>(accumulators.size()), accumulators.begin());
  return SectionOutcome::kDone;
}

}  // namespace tally::math
