// What long work over a batch shares between its threads: a stop flag, progress, and how the time is spent.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>

namespace tally::chain {

/// Ends work whose stop token was asked to stop. Thrown through the pool, caught where the work began.
struct Stopped {};

/// `done` and `total` are bytes.
using Progress = std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)>;

enum class Activity : std::uint8_t { kRead, kQuantise, kHash, kWrite };
inline constexpr std::size_t kActivities = 4;

class Work {
 public:
  Work(std::stop_token stop, Progress progress) : x_stop(std::move(stop)), x_progress(std::move(progress)) {}

  /// Not while other threads work.
  void begin(std::string_view phase, std::uint64_t total);
  /// Called from any thread for each block of work. Throws Stopped.
  void advance(std::uint64_t bytes);
  /// Throws Stopped.
  void check() const {
    if (x_stop.stop_requested()) throw Stopped{};
  }

  void spend(Activity activity, std::chrono::nanoseconds time) {
    x_spent.at(static_cast<std::size_t>(activity)).fetch_add(time.count(), std::memory_order_relaxed);
  }
  /// Over all threads.
  [[nodiscard]] double seconds(Activity activity) const {
    return 1e-9 * static_cast<double>(x_spent.at(static_cast<std::size_t>(activity)).load(std::memory_order_relaxed));
  }
  [[nodiscard]] double seconds() const;

 private:
  std::stop_token x_stop;
  Progress x_progress;
  std::mutex x_mutex;
  std::string_view x_phase;
  std::uint64_t x_total = 0;
  std::atomic<std::uint64_t> x_done = 0;
  std::uint64_t x_reported = 0;
  std::array<std::atomic<std::int64_t>, kActivities> x_spent{};
};

/// Adds the time of its scope, or of the parts between laps, to activities of a Work.
class Stopwatch {
 public:
  explicit Stopwatch(Work& work) : x_work(work), x_start(std::chrono::steady_clock::now()) {}
  void lap(Activity activity) {
    const auto now = std::chrono::steady_clock::now();
    x_work.spend(activity, now - std::exchange(x_start, now));
  }

 private:
  Work& x_work;
  std::chrono::steady_clock::time_point x_start;
};

}  // namespace tally::chain
