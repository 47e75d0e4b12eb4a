#include "chain_adapter/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "chain_adapter/files/descriptor.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string(action) + " " + path.string());
}

}  // namespace

MappedFile::~MappedFile() {
  if (!x_bytes.empty()) ::munmap(x_bytes.data(), x_bytes.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : x_bytes(std::exchange(other.x_bytes, {})), x_access(other.x_access) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(x_bytes, other.x_bytes);
  std::swap(x_access, other.x_access);
  return *this;
}

MappedFile MappedFile::map(int descriptor, const std::filesystem::path& path, std::uint64_t size, Access access) {
  if (size == 0) return {{}, access};
  const int protection = access == Access::kWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const memory = ::mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) fail("cannot map", path, errno);
  return {{static_cast<std::byte*>(memory), size}, access};
}

std::expected<MappedFile, FileRefusal> MappedFile::open(const std::filesystem::path& path, std::uint64_t size) {
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
  const auto actual = static_cast<std::uint64_t>(status.st_size);
  if (actual != size) {
    return refuse(FileReason::kWrongSize, std::to_string(actual) + " bytes instead of " + std::to_string(size));
  }
  return map(descriptor.value(), path, size, Access::kRead);
}

MappedFile MappedFile::create(const std::filesystem::path& path, std::uint64_t size) {
  const Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kSharedFileMode));
  if (descriptor.value() < 0) fail("cannot create", path, errno);
  if (::ftruncate(descriptor.value(), static_cast<::off_t>(size)) != 0) fail("cannot enlarge", path, errno);
  return map(descriptor.value(), path, size, Access::kWrite);
}

std::span<std::byte> MappedFile::writable() const {
  TALLY_ASSERT(x_access == Access::kWrite);
  return x_bytes;
}

void sync_file(const std::filesystem::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.value() < 0) fail("cannot open", path, errno);
  if (::fsync(descriptor.value()) != 0) fail("cannot sync", path, errno);
}

}  // namespace tally::chain
