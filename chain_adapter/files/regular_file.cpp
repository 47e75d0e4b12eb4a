#include "chain_adapter/files/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace tally::chain {

std::unexpected<FileRefusal> refuse_file(FileReason reason, const std::filesystem::path& path,
                                         const std::string& what) {
  return std::unexpected(FileRefusal{reason, path.string() + ": " + what});
}

void throw_file_error(const char* action, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string(action) + " " + path.string());
}

std::expected<RegularFile, FileRefusal> open_regular_file(const std::filesystem::path& path) {
  // O_NONBLOCK keeps a named pipe from holding the caller up before it is refused below.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.value() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return refuse_file(FileReason::kMissing, path, "no such file");
    // A link that leads to itself, and a socket.
    if (errno == ELOOP || errno == ENXIO) return refuse_file(FileReason::kNotRegular, path, "not a regular file");
    throw_file_error("cannot open", path, errno);
  }
  struct stat status = {};
  if (::fstat(descriptor.value(), &status) != 0) throw_file_error("cannot examine", path, errno);
  if (!S_ISREG(status.st_mode)) return refuse_file(FileReason::kNotRegular, path, "not a regular file");
  return RegularFile{std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace tally::chain
