// What a batch's data lacks, in as few words as there are gaps: its leaves may be too many to list.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "deterministic_math/numbers/int128.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

/// All leaves of a table (of "record" 0 then), of a row in adjoining records, or of adjoining records themselves
/// (math::kMemberObject, a leaf each).
struct MissingPart {
  math::ObjectId object = 0;
  std::uint32_t first_record = 0;
  std::uint64_t records = 1;
  std::uint64_t leaves = 1;  // of each record
  auto operator<=>(const MissingPart&) const = default;
};

[[nodiscard]] math::i128 leaf_count(std::span<const MissingPart> parts);

/// Whether that record of the object is among parts that are in ascending order and do not overlap.
[[nodiscard]] bool lacks(std::span<const MissingPart> parts, math::ObjectId object, std::uint32_t record);

/// The first leaf, in the order of the parts from the n-th leaf on, but for those that are taken.
[[nodiscard]] std::optional<proof::OpeningKey> first_leaf_but(
    const std::function<bool(const proof::OpeningKey& leaf)>& is_taken, std::span<const MissingPart> parts,
    math::i128 n);

}  // namespace tally::verifier
