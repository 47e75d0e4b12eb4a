// Regular files, opened without trust: a pipe, a folder or a missing file is refused by name, and what else the
// operating system says is a std::system_error that names the path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "chain_adapter/files/descriptor.h"

namespace tally::chain {

/// Permissions of files that others may read, and of files that hold a secret.
inline constexpr ::mode_t kSharedFileMode = 0644;
inline constexpr ::mode_t kSecretFileMode = 0600;

enum class FileReason : std::uint8_t { kMissing, kNotRegular, kTooLarge, kWrongSize };

struct FileRefusal {
  FileReason reason;
  std::string message;
};

[[nodiscard]] std::unexpected<FileRefusal> refuse_file(FileReason reason, const std::filesystem::path& path,
                                                       const std::string& what);

/// errno with the action and the path.
[[noreturn]] void throw_file_error(const char* action, const std::filesystem::path& path, int error);

struct RegularFile {
  Descriptor descriptor;
  std::uint64_t size = 0;  // when it was opened
};

/// For reading. kMissing or kNotRegular.
[[nodiscard]] std::expected<RegularFile, FileRefusal> open_regular_file(const std::filesystem::path& path);

}  // namespace tally::chain
