#include "verifier/watchtower/watchtower.h"

#include <algorithm>
#include <exception>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/watchtower/batch_watch.h"
#include "verifier/watchtower/memory.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

// Folders within a data folder that are looked at for a batch under another name than its id.
constexpr std::size_t kMaxFolders = 4096;

bool is_of_batch(const fs::path& directory, const proof::BatchId& batch) {
  const auto bytes = chain::read_file(directory / chain::kHeaderFile, proof::kHeaderBytes);
  if (!bytes) return false;
  const auto header = proof::decode_header(*bytes);
  return header && proof::batch_id(*header) == batch;
}

std::optional<fs::path> find_in(const fs::path& folder, const proof::BatchId& batch) {
  std::error_code ignored;
  const fs::path stored = chain::BatchStore(folder).batch(batch);
  if (fs::is_directory(stored, ignored)) return stored;
  if (is_of_batch(folder, batch)) return folder;
  std::size_t looked_at = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (++looked_at > kMaxFolders) break;
    if (entry.is_directory(ignored) && is_of_batch(entry.path(), batch)) return entry.path();
  }
  return std::nullopt;
}

bool is_watched(const WatchSettings& settings, Memory& memory, const proof::BatchId& batch) {
  if (settings.tasks.empty()) return true;
  return std::ranges::find(settings.tasks, memory.posted(batch).value().header.task) != settings.tasks.end();
}

void watch_batch(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings,
                 Memory& memory, WatchReport& report, const proof::BatchId& batch) {
  try {
    if (BatchWatch(chain, key, settings, memory, report, batch).run()) {
      ++report.open_batches;
      return;
    }
    memory.close(batch);
    std::error_code ignored;
    fs::remove_all(memory.scratch(batch), ignored);
  } catch (const std::exception& error) {
    // One batch that cannot be handled must not keep others from being disputed.
    ++report.open_batches;
    report.events.push_back({.kind = WatchEvent::Kind::kFailed,
                             .batch = batch,
                             .what = "watch",
                             .message = error.what(),
                             .bytes = 0,
                             .microseconds = 0});
  }
}

}  // namespace

std::string_view to_string(WatchEvent::Kind kind) {
  switch (kind) {
    case WatchEvent::Kind::kJudged:
      return "judged";
    case WatchEvent::Kind::kSent:
      return "sent";
    case WatchEvent::Kind::kRefused:
      return "refused";
    case WatchEvent::Kind::kSilent:
      return "silent";
    case WatchEvent::Kind::kFailed:
      return "failed";
  }
  TALLY_ASSERT(false);
}

std::optional<fs::path> find_batch(const std::vector<fs::path>& folders, const proof::BatchId& batch) {
  for (const fs::path& folder : folders) {
    if (auto found = find_in(folder, batch)) return found;
  }
  return std::nullopt;
}

WatchReport watch_once(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings) {
  WatchReport report;
  Memory memory(settings.memory, chain.identity(), key.address());
  follow(chain, memory);
  try {
    // Games first: their clocks run. A batch without one waits for its replay.
    std::vector<proof::BatchId> batches = memory.batches();
    std::ranges::stable_partition(batches, [&](const proof::BatchId& batch) { return !memory.history(batch).empty(); });
    for (const proof::BatchId& batch : batches) {
      if (is_watched(settings, memory, batch)) watch_batch(chain, key, settings, memory, report, batch);
    }
  } catch (const chain::Stopped&) {
    report.stopped = true;
  }
  report.withdrawn = proof::read_credit(chain.state(), key.address());
  if (report.withdrawn.value == 0) return report;
  const proof::Transaction withdraw = proof::Withdraw{};
  const auto fate = send_and_report(chain, {.key = key, .value = {}, .transaction = withdraw}, {}, report);
  if (fate.refusal) report.withdrawn = {};
  return report;
}

}  // namespace tally::verifier
