// A file that says who is at work: held by one process at a time, and let go of when that process ends, however it
// ends.
#pragma once

#include <filesystem>
#include <optional>

#include "chain_adapter/files/descriptor.h"

namespace tally::chain {

class FileLock {
 public:
  /// Makes the file where there is none, and leaves it there. Absent: someone else holds it. std::system_error where it
  /// cannot be made or locked.
  [[nodiscard]] static std::optional<FileLock> take(const std::filesystem::path& path);

 private:
  explicit FileLock(Descriptor descriptor) : x_descriptor(std::move(descriptor)) {}

  Descriptor x_descriptor;
};

}  // namespace tally::chain
