// What benches take of the machine: a folder, and a look at memory.
#pragma once

#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "deterministic_math/numbers/assert.h"

namespace tally {

/// Below TALLY_BENCH_DIR, or else the current folder; removed at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& name_of_bench) {
    const char* const chosen = std::getenv("TALLY_BENCH_DIR");
    std::string name = (std::filesystem::path(chosen != nullptr ? chosen : ".") / (name_of_bench + "_XXXXXX")).string();
    TALLY_ASSERT(::mkdtemp(name.data()) != nullptr);
    x_path = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return x_path; }

 private:
  std::filesystem::path x_path;
};

inline std::uint64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  }
  return 0;
}

/// The most memory that a piece of work holds beyond what was held before it, exactly, from the kernel's high-water
/// mark. Absent where the kernel does not let the mark be set back.
template <class Work>
std::optional<std::uint64_t> peak_bytes_of(const Work& work) {
  const auto status = [](const std::string& name) -> std::uint64_t {
    std::ifstream file("/proc/self/status");
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
    }
    return 0;
  };
  ::malloc_trim(0);
  std::ofstream mark("/proc/self/clear_refs");
  mark << 5 << std::flush;
  const bool is_set = mark.good();
  const std::uint64_t before = status("VmRSS:");
  work();
  if (!is_set) return std::nullopt;
  return std::max(status("VmHWM:"), before) - before;
}

/// Samples until it ends.
class PeakMemory {
 public:
  PeakMemory()
      : x_thread([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            x_peak = std::max(x_peak.load(), anonymous_bytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
        }) {}
  [[nodiscard]] double megabytes() const { return static_cast<double>(x_peak.load()) * 1e-6; }

 private:
  std::atomic<std::uint64_t> x_peak = anonymous_bytes();
  std::jthread x_thread;
};

}  // namespace tally
