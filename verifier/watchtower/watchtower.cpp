#include "verifier/watchtower/watchtower.h"

#include <algorithm>
#include <exception>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/watchtower/batch_watch.h"
#include "verifier/watchtower/memory.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

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
