// --threads, the same on every command that computes.
#pragma once

#include <CLI/CLI.hpp>
#include <thread>

namespace tally::cli {

inline void add_threads_option(CLI::App& command, unsigned& threads) {
  command.add_option("--threads", threads, "Threads to compute with (0: one for each processor)")
      ->check(CLI::Range(0U, 1024U));
}

[[nodiscard]] inline unsigned thread_count(unsigned asked) {
  return asked != 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace tally::cli
