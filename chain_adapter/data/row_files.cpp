#include "chain_adapter/data/row_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

// Below the usual limits of 65530 mappings and 1024 descriptors, with room for everything else.
constexpr std::uint64_t kMaxMappedFiles = 16384;
constexpr std::uint64_t kMaxOpenFiles = 512;

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string(action) + " " + path.string());
}

Descriptor open_file(const std::filesystem::path& path, int flags) {
  Descriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, kSharedFileMode));
  if (descriptor.value() < 0) fail("cannot open", path, errno);
  return descriptor;
}

}  // namespace

std::filesystem::path RowFiles::path(std::size_t row, std::uint64_t record) const {
  return x_paths.row(x_shapes.at(row).name, record);
}

std::expected<RowFiles, RowFileRefusal> RowFiles::open(const BatchPaths& paths, std::vector<RowShape> shapes,
                                                       std::uint64_t records) {
  RowFiles files(paths, std::move(shapes), records);
  const bool mapped = files.x_shapes.size() * records <= kMaxMappedFiles;
  for (std::size_t row = 0; row < files.x_shapes.size(); ++row) {
    for (std::uint64_t record = 0; record < records; ++record) {
      auto file = MappedFile::open(files.path(row, record), files.x_shapes[row].bytes());
      if (!file) return std::unexpected(RowFileRefusal{row, record, std::move(file.error())});
      if (mapped) files.x_mapped.push_back(*std::move(file));
    }
  }
  return files;
}

RowFiles RowFiles::create(const BatchPaths& paths, std::vector<RowShape> shapes, std::uint64_t records) {
  RowFiles files(paths, std::move(shapes), records);
  const std::uint64_t count = files.x_shapes.size() * records;
  for (std::size_t row = 0; row < files.x_shapes.size(); ++row) {
    std::filesystem::create_directories(paths.row_folder(files.x_shapes[row].name));
    for (std::uint64_t record = 0; record < records; ++record) {
      const std::filesystem::path path = files.path(row, record);
      MappedFile file = MappedFile::create(path, files.x_shapes[row].bytes());
      if (count <= kMaxMappedFiles) files.x_mapped.push_back(std::move(file));
      if (count <= kMaxOpenFiles) files.x_writable.push_back(open_file(path, O_WRONLY));
    }
  }
  return files;
}

std::span<const std::byte> RowFiles::read(std::size_t row, std::uint64_t record, std::uint64_t offset, std::size_t size,
                                          std::span<std::byte> scratch) const {
  if (!x_mapped.empty()) return x_mapped.at(place(row, record)).bytes().subspan(offset, size);
  const std::filesystem::path name = path(row, record);
  const Descriptor descriptor = open_file(name, O_RDONLY);
  std::size_t filled = 0;
  while (filled < size) {
    const ::ssize_t count =
        ::pread(descriptor.value(), scratch.data() + filled, size - filled, static_cast<::off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read", name, errno);
    if (count == 0) fail("shortened while it was read:", name, EIO);
    filled += static_cast<std::size_t>(count);
  }
  return scratch.first(size);
}

void RowFiles::write(std::size_t row, std::uint64_t record, std::uint64_t offset,
                     std::span<const std::byte> data) const {
  Descriptor opened;
  if (x_writable.empty()) opened = open_file(path(row, record), O_WRONLY);
  const int descriptor = x_writable.empty() ? opened.value() : x_writable.at(place(row, record)).value();
  while (!data.empty()) {
    const ::ssize_t count = ::pwrite(descriptor, data.data(), data.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write", path(row, record), errno);
    offset += static_cast<std::uint64_t>(count);
    data = data.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace tally::chain
