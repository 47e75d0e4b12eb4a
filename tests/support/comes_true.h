// Waiting for what other threads, processes or nodes do.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace tally::test {

/// Waits until it is so; false if that takes too long.
inline bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace tally::test
