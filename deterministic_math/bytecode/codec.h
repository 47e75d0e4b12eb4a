// The canonical bytes of a program: one encoding for each program, one program for each encoding.
//
// Fixed-width and big-endian, so that a contract finds any part with a few additions; items, which vary in size, are
// listed with their offsets. docs/spec.md gives the layout. decode_program accepts exactly what encode_program
// writes and refuses everything else with a reason; what it accepts is well formed (every register, object, constant,
// variable and column exists), so running it is safe, but only validate() says that it is a valid program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::math {

enum class DecodeReason : std::uint8_t {
  kTooLong,         // more than kMaxProgramBytes
  kBadMagic,        // other first four bytes
  kBadLength,       // the length in the header is not the number of bytes
  kTruncated,       // a part runs past the end
  kTrailingBytes,   // bytes are left after the last item
  kTooMany,         // a count above its limit
  kUnknownValue,    // a byte that names nothing: role, kind, type, origin, rule, presence
  kBadDim,          // lo > hi, or hi above kMaxDim
  kBadExtent,       // a constant above kMaxDim, or a dim that is not there
  kUnusedExtent,    // an extent beyond the rank that is not constant 1
  kBadRank,         // above kMaxRank
  kEmptyRange,      // lo > hi
  kBadItemOffset,   // an item does not start where the header says
  kBadReference,    // an object, loop, state or table that is not there
  kUnusedBodyPart,  // a body without a fold has a length, accumulators or a step
  kUnknownOpcode,   // a byte that is no opcode
  kWrongSection,    // an opcode or variable that may not stand in this section
  kBadRegister,     // 64 or above
  kUnusedBits,      // bits that the instruction does not use are not zero
  kBadOperand,      // imm names no constant, variable, object, width or column
};
inline constexpr std::size_t kDecodeReasonCount = 20;

[[nodiscard]] std::string_view to_string(DecodeReason reason);

struct DecodeError {
  DecodeReason reason = DecodeReason::kTruncated;
  std::size_t offset = 0;  // of the first byte after the part that was refused
};

[[nodiscard]] std::string describe(const DecodeError& error);

/// The program's bytes. A program that is not well formed, or too large for its counts, gives bytes that do not decode
/// to it.
[[nodiscard]] std::vector<std::uint8_t> encode_program(const Program& program);

[[nodiscard]] std::expected<Program, DecodeError> decode_program(Bytes bytes);

/// SHA-256 of the program's bytes.
[[nodiscard]] Digest program_hash(const Program& program);

enum class CodeSection : std::uint8_t { kStep, kFinish };

/// Whether an instruction is well formed in a section of item `item`; absent if so. Needs the program's dims,
/// constants, objects, and the item's kind, rank and results.
[[nodiscard]] std::optional<DecodeReason> check_instruction(const Program& program, const Item& item,
                                                            CodeSection section, const Instruction& instruction);

}  // namespace tally::math
