// A sink that keeps everything, for comparing the executor with the interpreter.
#pragma once

#include <cstring>
#include <mutex>
#include <vector>

#include "deterministic_math/executor/executor.h"

namespace tally::test {

class EntryCollector final : public math::EntrySink {
 public:
  /// Room for `entries` entries of an item, counted from entry `first`.
  EntryCollector(const math::Program& program, std::size_t item, std::uint64_t first, std::uint64_t entries)
      : x_first(first), x_failed(entries, 2) {
    if (program.items[item].kind != math::ItemKind::kTable) return;
    for (const math::ObjectId id : program.items[item].results) {
      x_widths.push_back(math::element_bytes(program.objects[id].type));
      x_columns.emplace_back(entries * x_widths.back());
    }
  }

  void accept(const math::EntryBlock& block) override {
    const std::lock_guard lock(x_mutex);
    const auto at = static_cast<std::size_t>(block.first - x_first);
    ascending = ascending && block.first >= x_next;
    x_next = block.first + block.count;
    ++blocks;
    for (std::size_t i = 0; i < block.count; ++i) {
      repeated = repeated || x_failed[at + i] != 2;
      x_failed[at + i] = block.failed[i];
    }
    for (std::size_t c = 0; c < x_columns.size(); ++c) {
      std::memcpy(x_columns[c].data() + at * x_widths[c], block.columns[c].data(), block.count * x_widths[c]);
    }
  }

  [[nodiscard]] const std::vector<std::byte>& column(std::size_t c) const { return x_columns[c]; }
  /// 0 or 1 for each entry; 2 where the sink was not called.
  [[nodiscard]] const std::vector<std::uint8_t>& failed() const { return x_failed; }

  bool ascending = true;
  bool repeated = false;
  std::size_t blocks = 0;

 private:
  std::mutex x_mutex;
  std::uint64_t x_first;
  std::uint64_t x_next = 0;
  std::vector<std::size_t> x_widths;
  std::vector<std::vector<std::byte>> x_columns;
  std::vector<std::uint8_t> x_failed;
};

}  // namespace tally::test
