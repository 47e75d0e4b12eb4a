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

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path, ::mode_t mode) : x_path(std::move(path)) {
  const std::string hidden = std::string(".").append(x_path.filename().string()).append(".XXXXXX");
  std::string name = (folder_of(x_path) / hidden).string();
  x_descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (x_descriptor < 0) throw_file_error("cannot create a file beside", x_path, errno);
  x_temporary = name;
  if (::fchmod(x_descriptor, mode) != 0) {
    const int error = errno;
    ::close(x_descriptor);
    ::unlink(x_temporary.c_str());
    throw_file_error("cannot set the permissions of", x_temporary, error);
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
    if (written < 0) throw_file_error("cannot write", x_path, errno);
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::finish_writing() {
  TALLY_ASSERT(x_descriptor >= 0);
  if (::fsync(x_descriptor) != 0) throw_file_error("cannot sync", x_path, errno);
  if (::close(std::exchange(x_descriptor, -1)) != 0) throw_file_error("cannot close", x_path, errno);
}

void AtomicFile::commit() {
  finish_writing();
  if (::rename(x_temporary.c_str(), x_path.c_str()) != 0) throw_file_error("cannot rename to", x_path, errno);
  x_temporary.clear();
  sync_folder(folder_of(x_path));
}

void AtomicFile::commit_new() {
  finish_writing();
  // Unlike a rename, a link never replaces a file. The destructor removes the temporary name.
  if (::link(x_temporary.c_str(), x_path.c_str()) != 0) throw_file_error("cannot create", x_path, errno);
  sync_folder(folder_of(x_path));
}

void write_file_atomically(const std::filesystem::path& path, math::Bytes data, ::mode_t mode) {
  AtomicFile file(path, mode);
  file.write(data);
  file.commit();
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.value() < 0) throw_file_error("cannot open", folder, errno);
  if (::fsync(descriptor.value()) != 0) throw_file_error("cannot sync", folder, errno);
}

std::expected<std::vector<std::uint8_t>, FileRefusal> read_file(const std::filesystem::path& path,
                                                                std::size_t max_bytes) {
  const auto opened = open_regular_file(path);
  if (!opened) return std::unexpected(opened.error());
  const std::string limit = "larger than " + std::to_string(max_bytes) + " bytes";
  if (opened->size > max_bytes) return refuse_file(FileReason::kTooLarge, path, limit);

  // One byte beyond the size seen, so that the usual file ends with a read of nothing.
  std::vector<std::uint8_t> data(static_cast<std::size_t>(opened->size) + 1);
  std::size_t filled = 0;
  while (true) {
    if (filled == data.size()) data.resize(data.size() + std::max<std::size_t>(data.size() / 2, 4096));
    const ::ssize_t count = ::read(opened->descriptor.value(), data.data() + filled, data.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_file_error("cannot read", path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > max_bytes) return refuse_file(FileReason::kTooLarge, path, limit);
  }
  data.resize(filled);
  return data;
}

}  // namespace tally::chain
