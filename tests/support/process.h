// Runs a program as a user would: arguments without a shell, output captured, a time limit, signals.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tally::test {

struct Finished {
  int exit_code = -1;  // where the program exited by itself
  int signal = 0;      // where a signal ended it
  bool timed_out = false;
  std::string out;
  std::string err;
};

/// kStarter: also where the thread that started it ends, however that comes about.
enum class EndsWith : std::uint8_t { kObject, kStarter };

struct ProcessOptions {
  std::filesystem::path folder = {};                            // to run in; the current one if empty
  std::optional<std::uint64_t> max_file_bytes = {};             // RLIMIT_FSIZE: writing beyond it fails
  std::optional<std::uint64_t> max_data_bytes = {};             // RLIMIT_DATA: memory beyond it is not given
  std::chrono::milliseconds timeout = std::chrono::minutes(1);  // then it is killed
  EndsWith ends_with = EndsWith::kObject;
};

/// A program that runs. It has no standard input and no terminal.
class Process {
 public:
  /// `argv[0]` is the path of the program.
  explicit Process(const std::vector<std::string>& argv, ProcessOptions options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] ::pid_t id() const { return x_id; }
  void send(int signal) const;
  /// Waits until `condition` holds; false where it does not within the time limit.
  [[nodiscard]] bool waits_until(const std::function<bool()>& condition) const;
  /// What it wrote to its standard output so far.
  [[nodiscard]] std::string output() const;
  /// Once only.
  [[nodiscard]] Finished wait();

 private:
  [[nodiscard]] bool ended_within(std::chrono::milliseconds time, int& status);

  ProcessOptions x_options;
  int x_out = -1;
  int x_err = -1;
  ::pid_t x_id = -1;  // -1 once it was waited for
};

}  // namespace tally::test
