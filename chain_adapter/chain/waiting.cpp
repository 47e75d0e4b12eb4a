#include "chain_adapter/chain/waiting.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace tally::chain {

namespace {

constexpr std::chrono::milliseconds kFirstPause(5);
constexpr std::chrono::milliseconds kLongestPause(500);

}  // namespace

void sleep_unless_stopped(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
}

Wait::Wait(const Waiting& waiting, std::string what)
    : x_waiting(waiting), x_what(std::move(what)), x_pause(kFirstPause) {}

void Wait::pause() {
  if (!x_told && x_waiting.tell && std::chrono::steady_clock::now() - x_start >= x_waiting.tell_after) {
    x_told = true;
    x_waiting.tell(x_what + " waits for a block");
  }
  sleep_unless_stopped(x_waiting.stop, x_pause);
  x_pause = std::min(2 * x_pause, kLongestPause);
}

}  // namespace tally::chain
