#include "chain_adapter/data/batch_store.h"

#include <string>

#include "chain_adapter/data/batch_directory.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace fs = std::filesystem;

bool BatchStore::holds(const proof::BatchId& id) const {
  const BatchPaths paths(batch(id));
  return fs::exists(paths.file(kHeaderFile)) && fs::exists(paths.file(kManifestFile));
}

fs::path BatchStore::program(const proof::TaskId& id) const { return task(id) / kProgramTextFile; }

fs::path BatchStore::genesis(const proof::TaskId& id, std::string_view state) const {
  TALLY_ASSERT(is_safe_name(state));
  return task(id) / "genesis" / (std::string(state) + ".bin");
}

}  // namespace tally::chain
