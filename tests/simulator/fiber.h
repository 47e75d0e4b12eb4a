// A function that can stop in the middle and go on later, on the one thread of the simulation: what lets a daemon run
// as it is while it waits, in virtual time, for its transaction.
#pragma once

#include <ucontext.h>

#include <array>
#include <functional>
#include <memory>

namespace tally::simulator {

class Fiber {
 public:
  /// What suspend() throws in a fiber that is killed: no std::exception, so that no daemon takes it for a failure.
  struct Killed {};

  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs it until it suspends or ends. An exception that leaves the body is thrown here.
  void resume();
  /// From within: back to who resumed it.
  void suspend();
  /// Ends it where it stands. What it holds is destroyed, as far as its own code does that.
  void kill();

  [[nodiscard]] bool has_ended() const { return x_ended; }
  [[nodiscard]] bool is_running() const { return x_running; }

 private:
  /// The exceptions that a thread is handling are a list of its own; each fiber has another.
  using Handled = std::array<void*, 2>;

  static void start(unsigned high, unsigned low);
  void run();

  std::function<void()> x_body;
  std::unique_ptr<std::byte[]> x_stack;
  ucontext_t x_inside{};
  ucontext_t x_outside{};
  Handled x_handled{};
  std::exception_ptr x_error;
  bool x_killed = false;
  bool x_running = false;
  bool x_ended = false;
};

}  // namespace tally::simulator
