#include "chain_adapter/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "chain_adapter/files/descriptor.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string(action) + " " + path.string());
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path, ::mode_t mode) : x_path(std::move(path)) {
  const std::string hidden = std::string(".").append(x_path.filename().string()).append(".XXXXXX");
  std::string name = (folder_of(x_path) / hidden).string();
  x_descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (x_descriptor < 0) fail("cannot create a file beside", x_path, errno);
  x_temporary = name;
  if (::fchmod(x_descriptor, mode) != 0) {
    const int error = errno;
    ::close(x_descriptor);
    ::unlink(x_temporary.c_str());
    fail("cannot set the permissions of", x_temporary, error);
  }
}

AtomicFile::~AtomicFile() {
  if (x_descriptor >= 0) ::close(x_descriptor);
  if (!x_temporary.empty()) ::unlink(x_temporary.c_str());
}

void AtomicFile::write(math::Bytes data) {
  TALLY_ASSERT(x_descriptor >= 0);
  while (!data.empty()) {
    const ::ssize_t written = ::write(x_descriptor, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", x_path, errno);
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::finish_writing() {
  TALLY_ASSERT(x_descriptor >= 0);
  if (::fsync(x_descriptor) != 0) fail("cannot sync", x_path, errno);
  if (::close(std::exchange(x_descriptor, -1)) != 0) fail("cannot close", x_path, errno);
}

void AtomicFile::commit() {
  finish_writing();
  if (::rename(x_temporary.c_str(), x_path.c_str()) != 0) fail("cannot rename to", x_path, errno);
  x_temporary.clear();
  sync_folder(folder_of(x_path));
}

void AtomicFile::commit_new() {
  finish_writing();
  // Unlike a rename, a link never replaces a file. The destructor removes the temporary name.
  if (::link(x_temporary.c_str(), x_path.c_str()) != 0) fail("cannot create", x_path, errno);
  sync_folder(folder_of(x_path));
}

void write_file_atomically(const std::filesystem::path& path, math::Bytes data, ::mode_t mode) {
  AtomicFile file(path, mode);
  file.write(data);
  file.commit();
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.value() < 0) fail("cannot open", folder, errno);
  if (::fsync(descriptor.value()) != 0) fail("cannot sync", folder, errno);
}

std::expected<std::vector<std::uint8_t>, FileRefusal> read_file(const std::filesystem::path& path,
                                                                std::size_t max_bytes) {
  const auto refuse = [&](FileReason reason, const std::string& what) {
    return std::unexpected(FileRefusal{reason, path.string() + ": " + what});
  };
  // O_NONBLOCK keeps a named pipe from holding the caller up before it is refused below.
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.value() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return refuse(FileReason::kMissing, "no such file");
    fail("cannot open", path, errno);
  }
  struct stat status = {};
  if (::fstat(descriptor.value(), &status) != 0) fail("cannot examine", path, errno);
  if (!S_ISREG(status.st_mode)) return refuse(FileReason::kNotRegular, "not a regular file");
  const std::string limit = "larger than " + std::to_string(max_bytes) + " bytes";
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) return refuse(FileReason::kTooLarge, limit);

  // One byte beyond the size seen, so that the usual file ends with a read of nothing.
  std::vector<std::uint8_t> data(static_cast<std::size_t>(size) + 1);
  std::size_t filled = 0;
  while (true) {
    if (filled == data.size()) data.resize(data.size() + std::max<std::size_t>(data.size() / 2, 4096));
    const ::ssize_t count = ::read(descriptor.value(), data.data() + filled, data.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read", path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > max_bytes) return refuse(FileReason::kTooLarge, limit);
  }
  data.resize(filled);
  return data;
}

}  // namespace tally::chain
