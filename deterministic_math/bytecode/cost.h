// What a program costs: work natively, and bytes and gas to prove one section on chain.
//
// All figures are worst cases for a task's shape, upper bounds that every role computes alike: they decide which
// programs a task may use (validate_for_task) and are what `tally program check` shows.
//
// Openings. A load of a table, state or advice element opens one leaf: at most leaf_bytes and 32 * ceil(log2(leaves)),
// and for the first leaf of a table the path of its commitment, 32 * ceil(log2(states)), or of advice and computed
// tables. A load of member, nonce or a field opens a record: its bytes and 32 * ceil(log2 K); a load of a row opens the
// record and then the row's leaf. Each opening has a head. What a section opens twice with unchanged coordinate
// registers is counted once. These are all the bytes of a witness.
//
// Gas, of the transaction that proves a section. kGasProof for what any takes, kGasPart for each dim, object and item
// of the program, and the larger of the calldata floor (kGasFloorByte for each opened byte) and of what runs: kGasByte
// for each opened byte, the opcodes' gas (opcodes.h), kGasOpening for each opening, and for each hash kGasHash and the
// precompile's 60 + 12 for each 32-byte word.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/program.h"

namespace tally::math {

/// Of one section. A transaction is at most twice as long, so a move has room for whatever else is in it.
inline constexpr std::uint64_t kMaxOpeningBytes = 64 * 1024;
inline constexpr std::size_t kOpeningHeadBytes = 16;  // object, record, leaf, size
inline constexpr std::uint64_t kMaxSectionGas = 8'000'000;
inline constexpr std::uint64_t kGasProof = 120'000;  // intrinsic gas, program and game from storage, settlement
inline constexpr std::uint64_t kGasPart = 70;        // of the program, which is read before a section runs
inline constexpr std::uint64_t kGasFloorByte = 40;   // EIP-7623
inline constexpr std::uint64_t kGasByte = 17;        // of calldata, and its place in memory
inline constexpr std::uint64_t kGasOpening = 1'500;  // beside its bytes and hashes
inline constexpr std::uint64_t kGasHash = 450;       // a call of the precompile, copying included
inline constexpr std::uint32_t kMinLeafBytes = 64;
inline constexpr std::uint32_t kMaxLeafBytes = 4096;

/// What a task fixes. `dims` has one entry for each dim of the program; the first is the most records that a batch may
/// have.
struct TaskShape {
  std::vector<std::uint64_t> dims;
  std::uint32_t leaf_bytes = 1024;
};

struct SectionCost {
  std::uint64_t instructions = 0;
  std::uint64_t openings = 0;
  std::uint64_t opening_bytes = 0;
  std::uint64_t gas = 0;
};

/// An item without that section (or body) costs nothing but what any proof takes.
[[nodiscard]] SectionCost section_cost(const Program& program, const TaskShape& shape, std::size_t item,
                                       CodeSection section);

/// Entries * (step instructions * fold length + finish instructions). A bucket (find_bucket) runs each step but once,
/// as a counting sort finds the entry it belongs to: (entries + length) * step + entries * finish. An empty section
/// counts as one instruction, and advice without a body as one for each entry, which must be made, stored and hashed.
/// Saturates.
[[nodiscard]] std::uint64_t item_work(const Program& program, const TaskShape& shape, std::size_t item);
[[nodiscard]] std::uint64_t program_work(const Program& program, const TaskShape& shape);

/// Where the step of a rank-1 item outside loops starts as `where key(e) == own index`: its first SKIPZ, whose
/// condition is an EQ of the entry's index with a value that depends on neither entry nor accumulators.
struct Bucket {
  std::size_t skip = 0;   // index of the SKIPZ in the step
  std::size_t equal = 0;  // index of the EQ
  std::uint8_t key = 0;   // the register that holds the key when the EQ runs
};

[[nodiscard]] std::optional<Bucket> find_bucket(const Program& program, std::size_t item);

}  // namespace tally::math
