#include "chain_adapter/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "chain_adapter/files/descriptor.h"
#include "chain_adapter/files/shortened_files.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

MappedFile::~MappedFile() {
  if (x_bytes.empty()) return;
  if (x_access == Access::kRead) forget_mapping(x_bytes);
  ::munmap(x_bytes.data(), x_bytes.size());
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
  if (memory == MAP_FAILED) throw_file_error("cannot map", path, errno);
  const std::span<std::byte> bytes(static_cast<std::byte*>(memory), size);
  if (access == Access::kRead) remember_mapping(bytes);
  return {bytes, access};
}

std::expected<MappedFile, FileRefusal> MappedFile::open(const std::filesystem::path& path) {
  const auto opened = open_regular_file(path);
  if (!opened) return std::unexpected(opened.error());
  return map(opened->descriptor.value(), path, opened->size, Access::kRead);
}

std::expected<MappedFile, FileRefusal> MappedFile::open(const std::filesystem::path& path, std::uint64_t size) {
  const auto opened = open_regular_file(path);
  if (!opened) return std::unexpected(opened.error());
  if (opened->size != size) {
    return refuse_file(FileReason::kWrongSize, path,
                       std::to_string(opened->size) + " bytes instead of " + std::to_string(size));
  }
  return map(opened->descriptor.value(), path, size, Access::kRead);
}

MappedFile MappedFile::create(const std::filesystem::path& path, std::uint64_t size) {
  const Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kSharedFileMode));
  if (descriptor.value() < 0) throw_file_error("cannot create", path, errno);
  // Room is reserved: on a full disk, storing to a page of a sparse file would end the process (SIGBUS).
  if (size != 0) {
    const int error = ::posix_fallocate(descriptor.value(), 0, static_cast<::off_t>(size));
    if (error != 0) throw_file_error("cannot enlarge", path, error);
  }
  return map(descriptor.value(), path, size, Access::kWrite);
}

std::span<std::byte> MappedFile::writable() const {
  TALLY_ASSERT(x_access == Access::kWrite);
  return x_bytes;
}

void sync_file(const std::filesystem::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.value() < 0) throw_file_error("cannot open", path, errno);
  if (::fsync(descriptor.value()) != 0) throw_file_error("cannot sync", path, errno);
}

}  // namespace tally::chain
