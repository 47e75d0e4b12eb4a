// Which element a load reads: the one place where visibility and clamping are decided.
//
// Each coordinate is compared with its bound as a signed 128-bit value. Out of bounds, or not visible, reads as 0. What
// is visible follows from the kind of the object and from where its item stands:
//
//   member, nonce, fields, rows, states    always
//   tables and advice of an earlier item   always; inside the same loop, up to the entry's own round (t' <= t)
//   the item's own tables, any column      elements at a smaller flattened index than the entry's
//   the item's own advice (its check)      always; inside a loop, up to the entry's own round (t' <= t)
//   a later item of the same loop          earlier rounds only (t' < t)
//   any other later item                   never; the validator refuses such a load
//
// t is the loop's index: the first coordinate of each of the loop's tables. For computed tables that is exactly
// "smaller in (t, item position, flattened index)".
//
// The value, or the 0, is then clamped to the object's range; a computed table of a later item of the same loop without
// a declared range is clamped to its type's range, as its own range is not yet proved there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

enum class LoadRule : std::uint8_t {
  kVisible,       // every element
  kSmallerFlat,   // flattened index < the entry's
  kUpToRound,     // first coordinate <= the entry's loop index
  kEarlierRound,  // first coordinate < the entry's loop index
  kNever,
};

/// How loads of one object from one item behave, whatever the indices: for the executor to decide once.
struct LoadSite {
  LoadRule rule = LoadRule::kVisible;
  Range clamp;
};

/// An element of `object` (absent where the load reads 0), and the range that the value is clamped to.
struct ResolvedLoad {
  std::optional<std::uint64_t> element;
  Range clamp;
};

using Coordinates = std::array<i128, kMaxRank>;

/// The position of the item that owns a table or advice; absent for inputs.
[[nodiscard]] std::optional<std::size_t> owner_item(const Program& program, ObjectId object);

/// What the body's sections load, each once.
[[nodiscard]] std::set<ObjectId> loaded_objects(const Body& body);

/// `item` and `object` must be in range.
[[nodiscard]] LoadSite load_site(const Program& program, std::size_t item, ObjectId object);

/// `entry` is the flattened index of the entry that loads. Coordinates beyond the object's rank are ignored.
[[nodiscard]] ResolvedLoad resolve_load(const Program& program, const BatchValues& values, std::size_t item,
                                        std::uint64_t entry, ObjectId object, const Coordinates& coordinates);

/// The entry's indices from its flattened index, row-major; those beyond the item's rank are 0.
[[nodiscard]] std::array<std::uint64_t, kMaxRank> entry_indices(const Item& item, const BatchValues& values,
                                                                std::uint64_t entry);

}  // namespace tally::math
