// Lets whoever lent the threads end a fold that takes long.
#pragma once

#include <cstdint>

#include "deterministic_math/executor/task_pool.h"

namespace tally::math {

/// Of one thread. Asks the pool once for every so many lanes that went through a step: some milliseconds of work, so
/// that neither the asking is felt nor the waiting.
class StopChecks {
 public:
  /// No pool is never asked.
  explicit StopChecks(const TaskPool* pool) : x_pool(pool) {}

  void spend(std::uint64_t lanes) {
    x_spent += lanes;
    if (x_spent < kLanesBetween) return;
    x_spent = 0;
    if (x_pool != nullptr) x_pool->check();
  }

 private:
  static constexpr std::uint64_t kLanesBetween = std::uint64_t{1} << 18;

  const TaskPool* x_pool;
  std::uint64_t x_spent = 0;
};

}  // namespace tally::math
