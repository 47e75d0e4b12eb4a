// Where the results of an item go that become a table's file, whoever computes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "deterministic_math/executor/executor.h"

namespace tally::chain {

/// Stores the results of an item, and remembers the first entry that is FAIL (its values are stored as 0).
class StoringSink final : public math::EntrySink {
 public:
  /// One span for each column, of the whole table; empty: that column is not stored.
  explicit StoringSink(std::vector<std::span<std::byte>> columns) : x_columns(std::move(columns)) {}

  void accept(const math::EntryBlock& block) override;

  [[nodiscard]] std::optional<std::uint64_t> first_failed() const { return x_first_failed; }

 private:
  std::vector<std::span<std::byte>> x_columns;
  std::mutex x_mutex;
  std::optional<std::uint64_t> x_first_failed;
};

}  // namespace tally::chain
