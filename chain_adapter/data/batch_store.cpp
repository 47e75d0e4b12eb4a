#include "chain_adapter/data/batch_store.h"

#include <string>
#include <system_error>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/header.h"

namespace tally::chain {

namespace fs = std::filesystem;

namespace {

/// Levels of folders below a data folder that are looked into.
constexpr int kMaxDepth = 4;

bool is_of(const fs::path& directory, const proof::BatchId& batch) try {
  const auto bytes = read_file(directory / kHeaderFile, proof::kHeaderBytes);
  if (!bytes) return false;
  const auto header = proof::decode_header(*bytes);
  return header && proof::batch_id(*header) == batch;
} catch (const std::system_error&) {
  return false;
}

std::optional<fs::path> search(const fs::path& folder, const proof::BatchId& batch, int levels) {
  std::vector<fs::path> deeper;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    const fs::path& path = entry->path();
    if (!entry->is_directory(ignored)) continue;
    if (is_of(path, batch)) return path;
    // Nothing stands within a batch but its own data, and links may lead round in circles.
    if (!entry->is_symlink(ignored) && !fs::exists(path / kHeaderFile, ignored)) deeper.push_back(path);
  }
  if (levels == 1) return std::nullopt;
  for (const fs::path& path : deeper) {
    if (auto found = search(path, batch, levels - 1)) return found;
  }
  return std::nullopt;
}

}  // namespace

bool BatchStore::holds(const proof::BatchId& id) const {
  const BatchPaths paths(batch(id));
  return fs::exists(paths.file(kHeaderFile)) && fs::exists(paths.file(kManifestFile));
}

fs::path BatchStore::program(const proof::TaskId& id) const { return task(id) / kProgramTextFile; }

fs::path BatchStore::genesis(const proof::TaskId& id, std::string_view state) const {
  TALLY_ASSERT(is_safe_name(state));
  return task(id) / "genesis" / (std::string(state) + ".bin");
}

std::optional<fs::path> find_batch(const fs::path& data, const proof::BatchId& batch) {
  const fs::path named = BatchStore(data).batch(batch);
  if (is_of(named, batch)) return named;
  if (is_of(data, batch)) return data;
  if (auto found = search(data, batch, kMaxDepth)) return found;
  std::error_code ignored;
  return fs::is_directory(named, ignored) ? std::optional(named) : std::nullopt;
}

}  // namespace tally::chain
