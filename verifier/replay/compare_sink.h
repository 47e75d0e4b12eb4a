// Compares the results of an item with what was committed, and keeps the smallest entries that differ.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "deterministic_math/executor/executor.h"

namespace tally::verifier {

/// An entry that is not its fold.
struct WrongEntry {
  std::size_t column = 0;  // the first that differs; 0 for FAIL
  bool fails = false;
  math::i128 right = 0;
};

class CompareSink final : public math::EntrySink {
 public:
  struct Column {
    math::ElementType type{};
    /// Empty: nothing to compare with; the column can only be wrong by FAIL.
    std::span<const std::byte> committed;
  };

  /// Keeps at most `limit` entries, the smallest ones.
  CompareSink(std::vector<Column> columns, std::size_t limit) : x_columns(std::move(columns)), x_limit(limit) {}

  void accept(const math::EntryBlock& block) override;

  /// By entry.
  [[nodiscard]] const std::map<std::uint64_t, WrongEntry>& wrong() const { return x_wrong; }
  [[nodiscard]] bool dropped() const { return x_dropped; }

 private:
  void keep(std::uint64_t entry, const WrongEntry& wrong);
  void compare_entry(const math::EntryBlock& block, std::size_t i);

  std::vector<Column> x_columns;
  std::size_t x_limit;
  std::mutex x_mutex;
  std::map<std::uint64_t, WrongEntry> x_wrong;
  bool x_dropped = false;
};

}  // namespace tally::verifier
