#include "chain_adapter/data/batch_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include "chain_adapter/files/atomic_file.h"
#include "chain_adapter/files/descriptor.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNameBytes = 200;

// All that the folder of a batch has in it.
constexpr std::array<std::string_view, 10> kTopLevelNames = {
    kHeaderFile, kProgramTextFile, kProgramFile, kRecordsFile, kManifestFile,
    "rows",      "state",          "tables",     "model.npy",  "model.safetensors"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string(action) + " " + path.string());
}

std::string binary_file(std::string_view name) {
  TALLY_ASSERT(is_safe_name(name));
  return std::string(name) + ".bin";
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

std::string temporary_prefix(const fs::path& target) { return "." + target.filename().string() + ".tmp-"; }

bool is_alive(::pid_t process) { return ::kill(process, 0) == 0 || errno != ESRCH; }

std::optional<::pid_t> parse_process(std::string_view digits) {
  ::pid_t process = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), process);
  if (error != std::errc{} || end != digits.data() + digits.size() || process <= 0) return std::nullopt;
  return process;
}

/// Temporary folders of this target whose process is gone, or is this one.
void remove_stale(const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::vector<fs::path> stale;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(target))) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const auto process = parse_process(std::string_view(name).substr(prefix.size()));
    if (process && (*process == ::getpid() || !is_alive(*process))) stale.push_back(entry.path());
  }
  for (const fs::path& path : stale) fs::remove_all(path);
}

std::optional<TargetRefusal> check_target(const fs::path& target, BatchWriter::Existing existing) {
  const fs::file_status status = fs::symlink_status(target);
  if (!fs::exists(status)) return std::nullopt;
  if (!fs::is_directory(status)) {
    return TargetRefusal{TargetReason::kNotABatch, target.string() + " exists and is not a folder"};
  }
  if (fs::is_empty(target)) return std::nullopt;
  if (!fs::exists(target / kManifestFile) || !fs::exists(target / kHeaderFile)) {
    return TargetRefusal{TargetReason::kNotABatch,
                         target.string() + " is a folder with other things than a batch in it"};
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(target)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::find(kTopLevelNames, name) != kTopLevelNames.end()) continue;
    return TargetRefusal{TargetReason::kNotABatch,
                         target.string() + " holds " + name + ", which is no part of a batch"};
  }
  if (existing == BatchWriter::Existing::kRefuse) {
    return TargetRefusal{TargetReason::kExists, target.string() + " holds a batch already; --replace would replace it"};
  }
  return std::nullopt;
}

/// Puts `from` where `to` is and, where `to` was a folder, that one where `from` was: in one step where the file system
/// can do that.
void exchange(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) fail("cannot replace", to, errno);
  const fs::path aside = from.string() + "-old";
  fs::rename(to, aside);
  fs::rename(from, to);
  fs::rename(aside, from);
}

}  // namespace

bool is_safe_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.' || name.back() == '.') return false;
  char previous = 'a';
  for (const char c : name) {
    if (!is_word_character(c) && (c != '.' || previous == '.')) return false;
    previous = c;
  }
  return true;
}

fs::path BatchPaths::row_folder(std::string_view row) const {
  TALLY_ASSERT(is_safe_name(row));
  return x_directory / "rows" / row;
}

fs::path BatchPaths::row(std::string_view row, std::uint64_t record) const {
  return row_folder(row) / (std::to_string(record) + ".bin");
}

fs::path BatchPaths::state(std::string_view name) const { return x_directory / "state" / binary_file(name); }

fs::path BatchPaths::table(std::string_view name) const { return x_directory / "tables" / binary_file(name); }

std::expected<BatchWriter, TargetRefusal> BatchWriter::create(const fs::path& target, Existing existing) {
  // A trailing slash would leave the target without a name of its own.
  const fs::path path = target.has_filename() ? target : target.parent_path();
  if (auto refusal = check_target(path, existing)) return std::unexpected(std::move(*refusal));
  fs::create_directories(folder_of(path));
  remove_stale(path);
  BatchWriter writer(path, existing,
                     BatchPaths(folder_of(path) / (temporary_prefix(path) + std::to_string(::getpid()))));
  for (const char* const folder : {"rows", "state", "tables"}) {
    fs::create_directories(writer.x_paths.directory() / folder);
  }
  return writer;
}

BatchWriter::BatchWriter(BatchWriter&& other) noexcept
    : x_target(std::move(other.x_target)),
      x_existing(other.x_existing),
      x_paths(std::exchange(other.x_paths, BatchPaths({}))) {}

BatchWriter::~BatchWriter() {
  std::error_code ignored;
  if (!x_paths.directory().empty()) fs::remove_all(x_paths.directory(), ignored);
}

void BatchWriter::write(std::string_view name, math::Bytes contents) const {
  const fs::path path = x_paths.file(name);
  const Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kSharedFileMode));
  if (descriptor.value() < 0) fail("cannot create", path, errno);
  while (!contents.empty()) {
    const ::ssize_t written = ::write(descriptor.value(), contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path, errno);
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
}

std::expected<void, TargetRefusal> BatchWriter::commit(math::TaskPool& pool) {
  std::vector<fs::path> files;
  std::vector<fs::path> folders = {x_paths.directory()};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(x_paths.directory())) {
    (entry.is_directory() ? folders : files).push_back(entry.path());
  }
  pool.run(files.size(), [&](std::size_t i) { sync_file(files[i]); });
  for (const fs::path& folder : folders) sync_folder(folder);
  // A build takes its time: by now there may be somebody's work.
  if (auto refusal = check_target(x_target, x_existing)) return std::unexpected(std::move(*refusal));
  if (fs::exists(x_target) && !fs::is_empty(x_target)) {
    exchange(x_paths.directory(), x_target);
  } else {
    fs::rename(x_paths.directory(), x_target);
    x_paths = BatchPaths({});
  }
  sync_folder(folder_of(x_target));
  return {};
}

}  // namespace tally::chain
