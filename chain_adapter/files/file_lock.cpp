#include "chain_adapter/files/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "chain_adapter/files/regular_file.h"

namespace tally::chain {

std::optional<FileLock> FileLock::take(const std::filesystem::path& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kSharedFileMode));
  if (descriptor.value() < 0) throw_file_error("cannot open", path, errno);
  while (::flock(descriptor.value(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) throw_file_error("cannot lock", path, errno);
  }
  return FileLock(std::move(descriptor));
}

}  // namespace tally::chain
