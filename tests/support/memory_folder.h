// Where tests of thousands of small files put them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace tally::test {

/// In memory, where the system has such a folder and room in it: nothing there waits for a disk.
[[nodiscard]] inline std::filesystem::path memory_folder() {
  const std::filesystem::path shared = "/dev/shm";
  constexpr std::uintmax_t kRoom = std::uintmax_t{1} << 30;
  std::error_code absent;
  const std::filesystem::space_info space = std::filesystem::space(shared, absent);
  return !absent && space.available >= kRoom ? shared : std::filesystem::temp_directory_path();
}

}  // namespace tally::test
