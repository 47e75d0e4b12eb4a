// A file seen as memory. The pages belong to the operating system's cache: they cost no anonymous memory, however large
// the file. One that others shorten ends the process, unless tolerated (shortened_files.h); writers here rename.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>

#include "chain_adapter/files/regular_file.h"

namespace tally::chain {

class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// For reading, whatever the file's size.
  [[nodiscard]] static std::expected<MappedFile, FileRefusal> open(const std::filesystem::path& path);
  /// For reading. Refused unless it is a regular file of exactly `size` bytes.
  [[nodiscard]] static std::expected<MappedFile, FileRefusal> open(const std::filesystem::path& path,
                                                                   std::uint64_t size);
  /// A new file of `size` zero bytes, for reading and writing. The file must not exist.
  [[nodiscard]] static MappedFile create(const std::filesystem::path& path, std::uint64_t size);

  [[nodiscard]] std::span<const std::byte> bytes() const { return x_bytes; }
  /// Of a file that was created.
  [[nodiscard]] std::span<std::byte> writable() const;

 private:
  enum class Access { kRead, kWrite };
  MappedFile(std::span<std::byte> bytes, Access access) : x_bytes(bytes), x_access(access) {}

  [[nodiscard]] static MappedFile map(int descriptor, const std::filesystem::path& path, std::uint64_t size,
                                      Access access);

  std::span<std::byte> x_bytes;
  Access x_access = Access::kRead;
};

/// Makes a file's contents durable, those written through mappings included.
void sync_file(const std::filesystem::path& path);

}  // namespace tally::chain
