// Files that are either whole or absent, and reads that never trust a length.
//
// A file is written under a temporary name in its own folder, synced, renamed over its final name, and the folder is
// synced. A crash at any instant leaves the old file or the new one, never a half. What fails outside (no space, no
// permission) is a std::system_error that names the path.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "chain_adapter/files/regular_file.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

/// One file in the making. Without commit(), the destructor removes what was written.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, ::mode_t mode = kSharedFileMode);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends.
  void write(math::Bytes data);
  /// Makes the file appear under its name, durably. Nothing may be written afterwards.
  void commit();
  /// As commit(), but where the name is taken the file there stays, and the error is EEXIST.
  void commit_new();

 private:
  void finish_writing();

  std::filesystem::path x_path;
  std::filesystem::path x_temporary;
  int x_descriptor = -1;
};

void write_file_atomically(const std::filesystem::path& path, math::Bytes data, ::mode_t mode = kSharedFileMode);

/// Makes renames and new names inside `folder` durable.
void sync_folder(const std::filesystem::path& folder);

/// The whole file, if it is a regular one of at most `max_bytes` bytes; it may grow or shrink while it is read.
[[nodiscard]] std::expected<std::vector<std::uint8_t>, FileRefusal> read_file(const std::filesystem::path& path,
                                                                              std::size_t max_bytes);

}  // namespace tally::chain
