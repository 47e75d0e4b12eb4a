#include "cli/batch_files.h"

#include <filesystem>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/files/atomic_file.h"
#include "cli/exit_code.h"

namespace tally::cli {

namespace {

std::filesystem::path manifest_path(const std::string& directory) {
  return chain::BatchPaths(directory).file(chain::kManifestFile);
}

[[noreturn]] void not_a_batch(const std::string& directory, const std::string& why) {
  bad_input(why + "; is " + directory + " a batch directory?");
}

}  // namespace

void require_manifest(const std::string& directory) {
  const std::filesystem::path path = manifest_path(directory);
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) {
    not_a_batch(directory, path.string() + ": no such file");
  }
}

std::string read_manifest_text(const std::string& directory) {
  const auto bytes = chain::read_file(manifest_path(directory), chain::kMaxManifestBytes);
  if (!bytes) not_a_batch(directory, bytes.error().message);
  return {bytes->begin(), bytes->end()};
}

chain::Manifest parse_manifest_of(const std::string& directory, const std::string& text) {
  auto manifest = chain::parse_manifest(text);
  if (!manifest) {
    throw Failure(ExitCode::kFoundInvalid, manifest_path(directory).string() + ": " + manifest.error().message);
  }
  return *std::move(manifest);
}

}  // namespace tally::cli
