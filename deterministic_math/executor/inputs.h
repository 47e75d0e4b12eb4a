// What a fold reads: record fields, rows and tables. The core does no I/O; the caller lends memory and a source of
// rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

/// Gives ranges of rows. Called from several threads at once.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Elements [first, first + count) of record `record`'s row of object `row`, raw little-endian. The result is either
  /// memory that outlives the execution (a mapped file) or `scratch`, which holds count elements at least. The executor
  /// asks in blocks: `first` is a multiple of kRowBlock, and count is kRowBlock or the rest of the row, so that a
  /// source may prepare (quantise, hash) a block when it is first asked for.
  [[nodiscard]] virtual std::span<const std::byte> view(ObjectId row, std::uint64_t record, std::uint64_t first,
                                                        std::size_t count, std::span<std::byte> scratch) = 0;
};

/// Elements of a row block. A multiple of every leaf size: 8192 elements of any type are whole leaves.
inline constexpr std::size_t kRowBlock = 8192;

/// All that loads can reach, by object. `tables[object]` is raw little-endian, element_count elements, for states,
/// advice and computed tables (for a computed table that is being built: the memory its entries are written to).
struct Inputs {
  std::span<const std::uint64_t> members;             // K
  std::span<const std::uint64_t> nonces;              // K
  std::vector<std::span<const std::int64_t>> fields;  // by object id; K each; empty for other kinds
  std::vector<std::span<const std::byte>> tables;     // by object id; empty for other kinds
  RowSource* rows = nullptr;                          // may be null where the program has no rows
};

}  // namespace tally::math
