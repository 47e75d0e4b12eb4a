// Cutting entries into tasks, and lending each task the memory of a worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace tally::math {

/// Workers are made on demand by `make`, and lent to one task at a time.
template <class W>
class LentWorkers {
 public:
  template <class Make, class F>
  void use(Make&& make, F&& function) {
    std::unique_ptr<W> worker;
    {
      const std::lock_guard lock(x_mutex);
      if (!x_idle.empty()) {
        worker = std::move(x_idle.back());
        x_idle.pop_back();
      }
    }
    if (!worker) worker = make();
    function(*worker);
    const std::lock_guard lock(x_mutex);
    x_idle.push_back(std::move(worker));
  }

 private:
  std::mutex x_mutex;
  std::vector<std::unique_ptr<W>> x_idle;
};

/// Entries [first, first + count), cut at multiples of `block` from the start of each row of `row` entries.
class Cuts {
 public:
  Cuts(std::uint64_t first, std::uint64_t count, std::uint64_t row, std::uint64_t block)
      : x_first(first), x_last(first + count), x_row(row), x_block(block), x_per_row((row + block - 1) / block) {
    if (count == 0) return;
    x_begin = number(first);
    x_end = number(x_last - 1) + 1;
  }

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(x_end - x_begin); }

  /// The first entry of a cut, and how many it has.
  [[nodiscard]] std::pair<std::uint64_t, std::size_t> operator[](std::size_t index) const {
    const std::uint64_t cut = x_begin + index;
    const std::uint64_t row_start = cut / x_per_row * x_row;
    const std::uint64_t start = row_start + cut % x_per_row * x_block;
    const std::uint64_t first = std::max(x_first, start);
    const std::uint64_t last = std::min({x_last, start + x_block, row_start + x_row});
    return {first, static_cast<std::size_t>(last - first)};
  }

 private:
  [[nodiscard]] std::uint64_t number(std::uint64_t entry) const {
    return entry / x_row * x_per_row + entry % x_row / x_block;
  }

  std::uint64_t x_first;
  std::uint64_t x_last;
  std::uint64_t x_row;
  std::uint64_t x_block;
  std::uint64_t x_per_row;
  std::uint64_t x_begin = 0;
  std::uint64_t x_end = 0;
};

}  // namespace tally::math
