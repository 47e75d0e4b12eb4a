#include "cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace tally::cli {

namespace {

// SIGUSR1 is how the destructor ends the waiting thread; nothing else sends it.
sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as shells report it

}  // namespace

Interrupt::Interrupt() {
  // Writing beyond a limit on the size of files is then an error like a full disk, and what was begun is removed.
  std::signal(SIGXFSZ, SIG_IGN);
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  x_waiter = std::thread([this] {
    const sigset_t waited = watched_signals();
    for (int signal = 0; sigwait(&waited, &signal) == 0;) {
      if (signal == SIGUSR1) return;
      if (!x_source.request_stop()) _exit(kExitInterrupted);
    }
  });
}

Interrupt::~Interrupt() {
  pthread_kill(x_waiter.native_handle(), SIGUSR1);
  x_waiter.join();
}

}  // namespace tally::cli
