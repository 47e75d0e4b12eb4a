// The files of a batch, and a writer that makes all of them appear at once.
//
//   header.bin  program.tally  program.bin  records.bin  manifest.json  model.npy | model.safetensors
//   rows/<row>/<k>.bin  state/<name>.bin  tables/<name>.bin                     raw little-endian elements
//
// The writer works in a temporary folder beside the target, syncs it and renames it into place. A crash leaves the old
// batch or the new one; what a killed writer left behind is removed by the next one.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

inline constexpr std::string_view kHeaderFile = "header.bin";
inline constexpr std::string_view kProgramTextFile = "program.tally";
inline constexpr std::string_view kProgramFile = "program.bin";
inline constexpr std::string_view kRecordsFile = "records.bin";
inline constexpr std::string_view kManifestFile = "manifest.json";

inline constexpr std::size_t kMaxProgramTextBytes = std::size_t{1} << 20;

/// Letters, digits and underscores, in parts joined by single dots, of at most 200 bytes: what a program's names are,
/// and safe as a file's name everywhere.
[[nodiscard]] bool is_safe_name(std::string_view name);

/// Where things are. Names must be safe.
class BatchPaths {
 public:
  explicit BatchPaths(std::filesystem::path directory) : x_directory(std::move(directory)) {}

  [[nodiscard]] const std::filesystem::path& directory() const { return x_directory; }
  [[nodiscard]] std::filesystem::path file(std::string_view name) const { return x_directory / name; }
  [[nodiscard]] std::filesystem::path row_folder(std::string_view row) const;
  [[nodiscard]] std::filesystem::path row(std::string_view row, std::uint64_t record) const;
  [[nodiscard]] std::filesystem::path state(std::string_view name) const;
  [[nodiscard]] std::filesystem::path table(std::string_view name) const;

 private:
  std::filesystem::path x_directory;
};

enum class TargetReason : std::uint8_t {
  kExists,     // a batch, and it is not to be replaced
  kNotABatch,  // a file, or a folder with other things in it: never replaced
};

struct TargetRefusal {
  TargetReason reason{};
  std::string message;
};

class BatchWriter {
 public:
  enum class Existing : std::uint8_t { kRefuse, kReplace };

  /// Removes what dead writers of this target left, and makes an empty temporary folder with rows/, state/, tables/.
  [[nodiscard]] static std::expected<BatchWriter, TargetRefusal> create(const std::filesystem::path& target,
                                                                        Existing existing);
  ~BatchWriter();
  BatchWriter(BatchWriter&& other) noexcept;
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;
  BatchWriter& operator=(BatchWriter&&) = delete;

  /// In the temporary folder.
  [[nodiscard]] const BatchPaths& paths() const { return x_paths; }
  /// Gives the batch another name in the same folder, as long as it is not committed.
  void rename_target(std::string_view name) { x_target.replace_filename(name); }
  void write(std::string_view name, math::Bytes contents) const;

  /// Syncs every file and folder, and renames, unless what stands at the target by now may not be replaced. Until then
  /// the destructor removes everything.
  [[nodiscard]] std::expected<void, TargetRefusal> commit(math::TaskPool& pool);

 private:
  BatchWriter(std::filesystem::path target, Existing existing, BatchPaths paths)
      : x_target(std::move(target)), x_existing(existing), x_paths(std::move(paths)) {}

  std::filesystem::path x_target;
  Existing x_existing;
  BatchPaths x_paths;
};

}  // namespace tally::chain
