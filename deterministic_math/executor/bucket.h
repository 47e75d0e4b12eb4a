// The bucket plan: `fold e in K where key(e) == m`, m the entry's own last index.
//
// The keys of all fold indices are evaluated once and sorted by counting, order kept; an entry then takes only the
// steps that are its own. Entries and steps cost their sum instead of their product.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/executor/graph.h"

namespace tally::math {

struct Plan;

/// The key of a step that a guard compares with the entry's last index, if there is one.
[[nodiscard]] std::optional<NodeId> match_bucket(const Plan& plan);

/// Fold indices by key, for keys first .. first + count - 1.
class Buckets {
 public:
  Buckets(const Plan& plan, NodeId key, std::uint64_t first, std::uint64_t count);
  /// Ascending.
  [[nodiscard]] std::span<const std::uint32_t> steps(std::uint64_t key) const {
    const std::uint64_t at = key - x_first;
    return std::span(x_steps).subspan(x_starts[at], x_starts[at + 1] - x_starts[at]);
  }

 private:
  std::uint64_t x_first;
  std::vector<std::uint32_t> x_starts;
  std::vector<std::uint32_t> x_steps;
};

}  // namespace tally::math
