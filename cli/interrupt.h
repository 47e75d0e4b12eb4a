// Ctrl-C and SIGTERM as a stop token: long work sees it, cleans up and ends. A second signal ends the process at once.
#pragma once

#include <stop_token>
#include <thread>

namespace tally::cli {

/// Make one before any other thread starts: it blocks the signals in this thread and those it starts.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] std::stop_token token() const { return x_source.get_token(); }

 private:
  std::stop_source x_source;
  std::thread x_waiter;
};

}  // namespace tally::cli
