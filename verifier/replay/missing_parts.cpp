#include "verifier/replay/missing_parts.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace tally::verifier {

namespace {

math::i128 leaf_count(const MissingPart& part) { return math::i128{part.records} * part.leaves; }

proof::OpeningKey leaf_at(const MissingPart& part, math::i128 n) {
  return {.object = part.object,
          .record = part.first_record + static_cast<std::uint32_t>(n / part.leaves),
          .leaf = static_cast<std::uint64_t>(n % part.leaves)};
}

}  // namespace

math::i128 leaf_count(std::span<const MissingPart> parts) {
  math::i128 count = 0;
  for (const MissingPart& part : parts) count += leaf_count(part);
  return count;
}

bool lacks(std::span<const MissingPart> parts, math::ObjectId object, std::uint32_t record) {
  const auto behind = std::ranges::upper_bound(parts, std::tuple(object, record), {}, [](const MissingPart& part) {
    return std::tuple(part.object, part.first_record);
  });
  if (behind == parts.begin()) return false;
  const MissingPart& part = *std::prev(behind);
  return part.object == object && record - part.first_record < part.records;
}

std::optional<proof::OpeningKey> first_leaf_but(const std::function<bool(const proof::OpeningKey& leaf)>& is_taken,
                                                std::span<const MissingPart> parts, math::i128 n) {
  for (const MissingPart& part : parts) {
    const math::i128 leaves = leaf_count(part);
    for (; n < leaves; ++n) {
      const proof::OpeningKey leaf = leaf_at(part, n);
      if (!is_taken(leaf)) return leaf;
    }
    n -= leaves;
  }
  return std::nullopt;
}

}  // namespace tally::verifier
