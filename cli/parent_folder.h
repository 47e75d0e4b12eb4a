// The folder of a file that a command writes.
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace tally::cli {

inline constexpr ::mode_t kAnyone = 0777;  // that the umask lets
inline constexpr ::mode_t kOwnerOnly = 0700;

/// Makes the folders above `file` that are missing, with these permissions. A Failure (outside world) names the folder.
void make_parent_folder(const std::filesystem::path& file, ::mode_t mode = kAnyone);

}  // namespace tally::cli
