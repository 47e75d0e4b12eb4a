// A program as every role sees it: dims, objects, items and their bytecode.
//
// A Program is what the canonical bytecode encodes, one to one (codec.h): nothing here is a name, a comment or a hint.
// Names, source positions and hints stand beside it in CompiledProgram (language/compile.h) and are outside the hash.
//
//   dims      the sizes a program speaks of; dim 0 is always K, the records of the batch
//   objects   everything that a load can read, in this fixed order:
//             member, nonce, fields, rows, states, then the advice and computed tables in program order
//   items     advice, tables and checks in program order; an item is a set of entries and, but for plain advice, a body
//   body      one fold: accumulators start at `init`, `step` runs once for each fold index, `finish` returns
//
// An item's entries are numbered by flattened index, row-major. Inside a loop the loop's index is the leading dim of
// each of its items and tables, so a loop item's extents (and its tables') start with the loop's extent.
//
// Registers: accumulator j is register j at both ends of step and finish; all other registers start at zero. Values are
// i128. docs/spec.md gives each opcode's meaning; interpreter/section.h is the definition.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "deterministic_math/numbers/int128.h"

namespace tally::math {

// Limits of the language (DESIGN section 4). The compiler and the validator enforce the same ones.
inline constexpr std::size_t kMaxItems = 64;
inline constexpr std::size_t kMaxAccumulators = 8;
inline constexpr std::size_t kRegisters = 64;
inline constexpr std::size_t kMaxSectionInstructions = 256;
inline constexpr std::size_t kMaxProgramBytes = 16 * 1024;
inline constexpr std::size_t kMaxRows = 16;
inline constexpr std::size_t kMaxFields = 32;
inline constexpr std::size_t kMaxStates = 64;
inline constexpr std::size_t kMaxResults = 16;  // result tables of one item
inline constexpr std::size_t kMaxDims = 32;
inline constexpr std::size_t kMaxRank = 2;
inline constexpr std::uint64_t kMaxDim = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kMaxTableElements = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kMaxBatchNumber = std::uint64_t{1} << 40;

enum class ElementType : std::uint8_t { kI8 = 0, kI16 = 1, kI32 = 2, kI64 = 3, kI128 = 4 };

[[nodiscard]] constexpr std::size_t element_bytes(ElementType type) {
  return std::size_t{1} << static_cast<unsigned>(type);
}

/// An inclusive interval of integers; lo <= hi.
struct Range {
  i128 lo = 0;
  i128 hi = 0;
  [[nodiscard]] constexpr bool contains(i128 value) const { return lo <= value && value <= hi; }
  [[nodiscard]] constexpr bool contains(const Range& other) const { return lo <= other.lo && other.hi <= hi; }
  [[nodiscard]] constexpr i128 clamp(i128 value) const { return value < lo ? lo : value > hi ? hi : value; }
  bool operator==(const Range&) const = default;
};

[[nodiscard]] constexpr Range type_range(ElementType type) {
  const unsigned bits = 8U << static_cast<unsigned>(type);
  if (bits == 128) return {kI128Min, kI128Max};
  const i128 half = i128{1} << (bits - 1);
  return {-half, half - 1};
}

enum class DimRole : std::uint8_t { kRecords = 0, kMembers = 1, kOther = 2 };

/// A size with its declared bounds; lo == hi where it is fixed. Index 0 of Program::dims has role kRecords (K), no
/// other has; at most one has role kMembers (M).
struct Dim {
  DimRole role = DimRole::kOther;
  std::uint64_t lo = 0;
  std::uint64_t hi = 0;
  bool operator==(const Dim&) const = default;
};

enum class ExtentKind : std::uint8_t { kConstant = 0, kDim = 1 };

/// The number of positions of an index: a constant, or dim number `value`.
struct Extent {
  ExtentKind kind = ExtentKind::kConstant;
  std::uint64_t value = 1;
  bool operator==(const Extent&) const = default;
};

enum class ObjectKind : std::uint8_t {
  kMember = 0,    // member[k]: registration index in the record
  kNonce = 1,     // nonce[k]: nonce of the record, 0..2^64-1
  kField = 2,     // a signed i64 of each record
  kRow = 3,       // a signed vector of each record; extents {K, length}
  kState = 4,     // carried from batch to batch
  kAdvice = 5,    // claimed by the poster
  kComputed = 6,  // a result of a table item
};

/// kDeclared: `range` was written in the program, or is the element type's (inputs without a range). For a computed
/// table a result outside it is FAIL. kProved: `range` is what the range proof gives (computed tables without a
/// declared range).
enum class RangeOrigin : std::uint8_t { kDeclared = 0, kProved = 1 };

/// Something that a load can read. A loaded value is clamped to `range`; the one exception is a load, inside a loop, of
/// a table of a later item of the same loop with origin kProved: it is clamped to its type's range (visibility.h).
struct Object {
  ObjectKind kind = ObjectKind::kField;
  ElementType type = ElementType::kI64;  // member and nonce: kI128, as a nonce does not fit i64
  std::uint8_t rank = 0;
  std::array<Extent, kMaxRank> extents{};  // unused ones are constant 1
  RangeOrigin origin = RangeOrigin::kDeclared;
  Range range;
  bool operator==(const Object&) const = default;
};

using ObjectId = std::uint16_t;
inline constexpr ObjectId kMemberObject = 0;
inline constexpr ObjectId kNonceObject = 1;

/// Wire values; never renumbered. Operand use of each opcode is in opcodes.h.
enum class Op : std::uint8_t {
  kImm = 0x01,       // dst = sign-extended imm
  kConst = 0x02,     // dst = pool[imm]
  kMov = 0x03,       // dst = a
  kVar = 0x04,       // dst = variable imm (Variable, or kFirstDimVariable + dim)
  kLoad = 0x05,      // dst = object imm at [a, b]
  kAdd = 0x10,       // a + b
  kSub = 0x11,       // a - b
  kMul = 0x12,       // a * b
  kMin = 0x13,       // min(a, b)
  kMax = 0x14,       // max(a, b)
  kDiv = 0x20,       // floor(a / b)
  kMod = 0x21,       // a - b * floor(a / b)
  kDivRound = 0x22,  // nearest, ties to the even quotient
  kShl = 0x23,       // a * 2^b
  kShr = 0x24,       // floor(a / 2^b)
  kShrRound = 0x25,  // as kDivRound by 2^b
  kIsqrt = 0x26,     // floor(sqrt(a))
  kWrap = 0x27,      // signed residue of a modulo 2^imm
  kLt = 0x30,        // a < b
  kLe = 0x31,        // a <= b
  kEq = 0x32,        // a == b
  kSel = 0x33,       // c ? a : b
  kPrf = 0x40,       // word c of the PRF keyed by a, b
  kSkipZ = 0x50,     // step only: a == 0 ends the step as the identity
  kReq = 0x51,       // finish only: a == 0 makes the entry FAIL
  kRet = 0x52,       // finish only: result column imm = a
};

/// What kVar reads.
enum class Variable : std::int32_t {
  kIndex0 = 0,  // the entry's first index (inside a loop: the loop's)
  kIndex1 = 1,
  kFold = 2,  // the fold index; step only
  kBatch = 3,
  kSeedHigh = 4,  // signed i128 halves of the seed, big-endian; operands a and b of kPrf only
  kSeedLow = 5,
};
inline constexpr std::int32_t kFirstDimVariable = 16;

/// [op u8][dst u8][a u8][b u8][imm i32 big-endian]; register c sits in imm's low byte; unused bytes are zero.
struct Instruction {
  Op op = Op::kImm;
  std::uint8_t dst = 0;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::int32_t imm = 0;
  [[nodiscard]] constexpr std::uint8_t c() const { return static_cast<std::uint8_t>(imm & 0xff); }
  bool operator==(const Instruction&) const = default;
};

enum class FoldKind : std::uint8_t { kNone = 0, kFold = 1 };

/// Without a fold there are no accumulators and no step. `accumulators[j]` is the proved range of accumulator j over
/// all states of the fold, the initial one included.
struct Body {
  FoldKind fold = FoldKind::kNone;
  Extent length;           // of the fold; constant 1 without one
  std::vector<i128> init;  // one constant for each accumulator
  std::vector<Range> accumulators;
  std::vector<Instruction> step;
  std::vector<Instruction> finish;
  bool operator==(const Body&) const = default;
};

enum class ItemKind : std::uint8_t { kAdvice = 0, kTable = 1, kCheck = 2 };

/// kOutside, or the number of the loop that holds the item.
using LoopId = std::uint16_t;
inline constexpr LoopId kOutside = 0xffff;

struct Item {
  ItemKind kind = ItemKind::kTable;
  LoopId loop = kOutside;
  std::uint8_t rank = 0;
  std::array<Extent, kMaxRank> extents{};
  std::vector<ObjectId> results;  // advice: its own object; table: one or more, in order of columns; check: none
  std::optional<Body> body;       // absent only for advice without a check
  bool operator==(const Item&) const = default;
};

/// A loop's items are consecutive; each carries the loop's number.
struct Loop {
  Extent extent;
  bool operator==(const Loop&) const = default;
};

/// After the batch, state `state` holds what computed table `table` holds.
struct Next {
  ObjectId state = 0;
  ObjectId table = 0;
  bool operator==(const Next&) const = default;
};

enum class RecordRule : std::uint8_t { kManyPerMember = 0, kOnePerMember = 1 };

struct Program {
  RecordRule record_rule = RecordRule::kManyPerMember;
  std::vector<Dim> dims;
  std::vector<Object> objects;
  std::vector<i128> constants;  // the pool, in order of first use, each once, none that fits an imm
  std::vector<Loop> loops;
  std::vector<Item> items;
  std::vector<Next> next;         // ascending by state
  std::vector<ObjectId> payable;  // states of extents {M}, ascending
  bool operator==(const Program&) const = default;
};

/// What a batch fixes: the actual dims (in order of Program::dims), its number and its seed.
struct BatchValues {
  std::vector<std::uint64_t> dims;
  std::uint64_t batch = 1;
  i128 seed_high = 0;
  i128 seed_low = 0;
};

[[nodiscard]] inline std::uint64_t extent_value(const Extent& extent, const BatchValues& values) {
  return extent.kind == ExtentKind::kConstant ? extent.value : values.dims.at(extent.value);
}

/// The largest value that an extent may take within the declared bounds.
[[nodiscard]] inline std::uint64_t extent_max(const Extent& extent, const Program& program) {
  return extent.kind == ExtentKind::kConstant ? extent.value : program.dims.at(extent.value).hi;
}

/// Elements of a shape at actual dims; fits 64 bits for any two dims within kMaxDim.
[[nodiscard]] inline std::uint64_t element_count(const std::array<Extent, kMaxRank>& extents,
                                                 const BatchValues& values) {
  return extent_value(extents[0], values) * extent_value(extents[1], values);
}

}  // namespace tally::math
