// Waiting for a chain: what ends it, and who is told where it takes long.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace tally::chain {

struct Waiting {
  std::stop_token stop{};
  /// For a person: of what takes long, and of nodes that do not answer. Absent: nobody hears of it.
  std::function<void(const std::string& message)> tell{};
  std::chrono::milliseconds tell_after{10'000};
};

/// A wait was told to stop. The message says what may still happen, and how to go on.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Sleeps, unless and until it is asked to stop.
void sleep_unless_stopped(const std::stop_token& stop, std::chrono::milliseconds time);

/// One wait for what others do, in pauses that become longer: a development node has it at once, others after a block.
class Wait {
 public:
  /// `what` begins a sentence: who is told hears that it waits for a block.
  Wait(const Waiting& waiting, std::string what);

  /// Sleeps. Tells of it once.
  void pause();
  [[nodiscard]] bool is_stopped() const { return x_waiting.stop.stop_requested(); }

 private:
  const Waiting& x_waiting;
  std::string x_what;
  std::chrono::steady_clock::time_point x_start = std::chrono::steady_clock::now();
  std::chrono::milliseconds x_pause;
  bool x_told = false;
};

}  // namespace tally::chain
