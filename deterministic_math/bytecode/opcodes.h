// What each opcode uses of an instruction, where it may stand, and what it costs on chain.
//
// One table that interpreter, validator, codec, disassembler and range proof read; the contracts are tested against it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

/// What an instruction's imm holds.
enum class ImmUse : std::uint8_t {
  kNone,      // zero
  kValue,     // a signed number
  kConstant,  // an index of the constant pool
  kVariable,  // a Variable, or kFirstDimVariable + dim
  kObject,    // an ObjectId; the object's rank says how many of a, b are coordinates
  kC,         // register c in the low byte, the rest zero
  kBits,      // 1..127
  kColumn,    // a result column of the item
};

enum class OpSections : std::uint8_t { kBoth, kStepOnly, kFinishOnly };

/// Bits of OpInfo::registers.
inline constexpr std::uint8_t kUsesDst = 1;
inline constexpr std::uint8_t kUsesA = 2;
inline constexpr std::uint8_t kUsesB = 4;

struct OpInfo {
  Op op = Op::kImm;
  std::string_view mnemonic;
  std::uint8_t registers = 0;  // kUsesDst | kUsesA | kUsesB; kLoad uses as many of a, b as its object's rank
  ImmUse imm = ImmUse::kNone;
  OpSections sections = OpSections::kBoth;
  std::uint32_t gas = 0;  // worst case on chain, dispatch included, openings excluded (cost.h adds those)
  [[nodiscard]] constexpr bool uses(std::uint8_t bits) const { return (registers & bits) == bits; }
};

/// Bytes of one instruction.
inline constexpr std::size_t kInstructionBytes = 8;

/// Ascending by wire value. Gas figures are what the contracts take on the operands that cost most, and about a quarter
/// more: some 400 to fetch and dispatch an instruction, isqrt eight steps of Newton's, prf one call of the SHA-256
/// precompile, ld an element of a row whose leaf was opened before.
inline constexpr std::array<OpInfo, 26> kOpcodes = {{
    {Op::kImm, "imm", kUsesDst, ImmUse::kValue, OpSections::kBoth, 500},
    {Op::kConst, "const", kUsesDst, ImmUse::kConstant, OpSections::kBoth, 600},
    {Op::kMov, "mov", kUsesDst | kUsesA, ImmUse::kNone, OpSections::kBoth, 500},
    {Op::kVar, "var", kUsesDst, ImmUse::kVariable, OpSections::kBoth, 600},
    {Op::kLoad, "ld", kUsesDst | kUsesA | kUsesB, ImmUse::kObject, OpSections::kBoth, 4500},
    {Op::kAdd, "add", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 600},
    {Op::kSub, "sub", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 600},
    {Op::kMul, "mul", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 600},
    {Op::kMin, "min", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 650},
    {Op::kMax, "max", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 650},
    {Op::kDiv, "div", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 800},
    {Op::kMod, "mod", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 800},
    {Op::kDivRound, "divr", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 1200},
    {Op::kShl, "shl", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 600},
    {Op::kShr, "shr", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 650},
    {Op::kShrRound, "shrr", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 800},
    {Op::kIsqrt, "isqrt", kUsesDst | kUsesA, ImmUse::kNone, OpSections::kBoth, 2200},
    {Op::kWrap, "wrap", kUsesDst | kUsesA, ImmUse::kBits, OpSections::kBoth, 800},
    {Op::kLt, "lt", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 600},
    {Op::kLe, "le", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 650},
    {Op::kEq, "eq", kUsesDst | kUsesA | kUsesB, ImmUse::kNone, OpSections::kBoth, 650},
    {Op::kSel, "sel", kUsesDst | kUsesA | kUsesB, ImmUse::kC, OpSections::kBoth, 700},
    {Op::kPrf, "prf", kUsesDst | kUsesA | kUsesB, ImmUse::kC, OpSections::kBoth, 1200},
    {Op::kSkipZ, "skipz", kUsesA, ImmUse::kNone, OpSections::kStepOnly, 400},
    {Op::kReq, "req", kUsesA, ImmUse::kNone, OpSections::kFinishOnly, 400},
    {Op::kRet, "ret", kUsesA, ImmUse::kColumn, OpSections::kFinishOnly, 1200},
}};

namespace detail {

constexpr std::array<std::uint8_t, 256> opcode_index() {
  std::array<std::uint8_t, 256> index{};
  index.fill(0xff);
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) {
    index[static_cast<std::uint8_t>(kOpcodes[i].op)] = static_cast<std::uint8_t>(i);
  }
  return index;
}

inline constexpr std::array<std::uint8_t, 256> kOpcodeIndex = opcode_index();

constexpr bool opcodes_ascend() {
  for (std::size_t i = 1; i < kOpcodes.size(); ++i) {
    if (static_cast<std::uint8_t>(kOpcodes[i - 1].op) >= static_cast<std::uint8_t>(kOpcodes[i].op)) return false;
  }
  return true;
}

constexpr bool opcodes_are_complete() {
  for (const OpInfo& info : kOpcodes) {
    if (info.mnemonic.empty() || info.gas == 0) return false;
  }
  return true;
}

}  // namespace detail

static_assert(detail::opcodes_ascend(), "opcodes stand in order of their wire values");
static_assert(detail::opcodes_are_complete(), "every opcode has a mnemonic and a cost");

/// The entry of an opcode; null for a byte that is none.
[[nodiscard]] constexpr const OpInfo* find_opcode(Op op) {
  const std::uint8_t index = detail::kOpcodeIndex[static_cast<std::uint8_t>(op)];
  return index == 0xff ? nullptr : &kOpcodes[index];
}

/// The entry of an opcode that is known to be one.
[[nodiscard]] inline const OpInfo& opcode_info(Op op) {
  const std::uint8_t index = detail::kOpcodeIndex[static_cast<std::uint8_t>(op)];
  TALLY_ASSERT(index < kOpcodes.size());
  return kOpcodes[index];
}

static_assert(find_opcode(Op::kSel)->imm == ImmUse::kC && find_opcode(static_cast<Op>(0)) == nullptr);

}  // namespace tally::math
