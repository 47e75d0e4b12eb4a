// Loads, one at a time or for a run of lanes: where an object's elements are and which of them a load sees.
//
// The rules are those of bytecode/visibility.h; here they are decided once for each load of a body and then applied to
// many lanes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/executor/clones.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/lanes.h"

namespace tally::math {

/// Where a value stands: the same for all lanes, base + lane, or one value for each lane.
enum class Form : std::uint8_t { kUniform, kRun, kLanes };

/// An object at a batch's dims.
struct ObjectView {
  ObjectKind kind = ObjectKind::kField;
  ObjectId id = 0;
  ElementType type = ElementType::kI64;
  std::uint8_t rank = 0;
  std::array<std::uint64_t, kMaxRank> extents{1, 1};
  const std::byte* data = nullptr;  // null for rows
};

[[nodiscard]] ObjectView view_object(const Program& program, const BatchValues& values, const Inputs& inputs,
                                     ObjectId id);

/// Asks for memory that is read soon.
TALLY_INLINE inline void prefetch(const std::byte* memory, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(memory + at, 0, 2);
}

/// Blocks of rows that one load may hold at a time, for plans that read several records together.
inline constexpr std::size_t kLoadCaches = 16;

/// One load of a body. Loads of rank 2 have the caches `cache` .. `cache` + kLoadCaches - 1 of their worker.
struct Load {
  ObjectView object;
  LoadRule rule = LoadRule::kVisible;
  Range clamp;
  std::size_t cache = 0;
};

/// The entry that loads, or the first of a run of entries: its flattened index and its loop index.
struct EntryPosition {
  i128 flat = 0;
  i128 round = 0;
  Form flat_form = Form::kUniform;
  Form round_form = Form::kUniform;
};

/// Blocks of rows that a worker has asked for: the last one of each load.
class RowBlocks {
 public:
  explicit RowBlocks(RowSource* source) : x_source(source) {}
  /// The block that holds element `position` of a record's row, and the position of its first element.
  struct Block {
    std::span<const std::byte> data;
    std::uint64_t first = 0;
    std::size_t count = 0;
    bool lasting = false;  // memory of the source, not the cache's own
  };
  [[nodiscard]] Block block(const Load& load, std::uint64_t record, std::uint64_t position);

 private:
  struct Held {
    bool valid = false;
    ObjectId row = 0;
    std::uint64_t record = 0;
    Block block;
    std::vector<std::byte> scratch;
  };
  RowSource* x_source;
  std::vector<Held> x_held;
};

/// The value at coordinates (a, b), clamped.
[[nodiscard]] i128 load_scalar(const Load& load, RowBlocks& rows, i128 a, i128 b, const EntryPosition& entry);

/// Coordinates of `count` lanes; a form of kRun in at most one of them. `lanes` (k64 values) is set where the form is
/// kLanes, `base` otherwise.
struct LaneCoordinate {
  Form form = Form::kUniform;
  i128 base = 0;
  const std::byte* lanes = nullptr;
};

/// A run: the last coordinate is base + lane and others are uniform, so that elements are contiguous. Gives the memory
/// that holds the lanes: the object's own where it can be read in place, else `dst`. `ahead` elements of a row after
/// these are asked for, so that memory works while these lanes are computed.
[[nodiscard]] const std::byte* load_run(const Load& load, RowBlocks& rows, LaneType type, std::byte* dst,
                                        const LaneCoordinate& a, const LaneCoordinate& b, const EntryPosition& entry,
                                        std::size_t count, std::size_t ahead);

/// The same run where it can be read in place for as long as the source lives; else null.
[[nodiscard]] const std::byte* row_in_place(const Load& load, RowBlocks& rows, LaneType type, const LaneCoordinate& a,
                                            const LaneCoordinate& b, const EntryPosition& entry, std::size_t count);

/// Any coordinates. `flats` and `rounds` hold the entry's for each lane (k64) where the position's form is kLanes.
struct EntryLanes {
  const std::byte* flats = nullptr;
  const std::byte* rounds = nullptr;
};
void load_gather(const Load& load, RowBlocks& rows, LaneType type, std::byte* dst, const LaneCoordinate& a,
                 const LaneCoordinate& b, const EntryPosition& entry, const EntryLanes& lanes, std::size_t count);

}  // namespace tally::math
