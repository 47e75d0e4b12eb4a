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

}  // namespace

std::string read_manifest_text(const std::string& directory) {
  const auto bytes = chain::read_file(manifest_path(directory), chain::kMaxManifestBytes);
  if (!bytes) bad_input(bytes.error().message + "; is " + directory + " a batch directory?");
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
