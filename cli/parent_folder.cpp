#include "cli/parent_folder.h"

#include <cerrno>
#include <system_error>

#include "cli/exit_code.h"

namespace tally::cli {

void make_parent_folder(const std::filesystem::path& file, ::mode_t mode) {
  const std::filesystem::path folder = file.parent_path();
  std::error_code unknown;
  if (folder.empty() || std::filesystem::exists(folder, unknown)) return;
  make_parent_folder(folder, mode);
  if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return;
  throw Failure(ExitCode::kOutsideWorld,
                folder.string() + ": cannot be made: " + std::generic_category().message(errno));
}

}  // namespace tally::cli
