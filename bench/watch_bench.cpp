// From a batch's Posted event to the challenge that the watchtower submits, against a plain replay of the same batch
// (`tally verify`): a lie in the last entry, files in page cache, both in one run, one after the other. The goal is a
// ratio of 1.2 at most.
//
// The watchtower reads the chain's events into its memory, judges (that is a replay), stores the verdict, looks at the
// disputed entry's data again, copied and hashed, runs the interpreter on it, and makes the opening.
//
// K = 100, two threads, three runs: 0.99 to 1.09 at D = 4,000,000 and 1.03 to 1.13 at 1,000,000; up to 1.3 there on a
// machine under load, where a dozen syncs of the disk weigh.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/assert.h"
#include "tests/support/dispute_world.h"
#include "tests/support/hooked_chain.h"
#include "tests/support/test_batch.h"
#include "verifier/replay/verify_batch.h"
#include "verifier/watchtower/memory.h"
#include "verifier/watchtower/watchtower.h"

namespace tally {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kThreads = 2;
constexpr std::size_t kRuns = 5;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Seconds of a plain replay, which must find the lie.
double replay(const std::filesystem::path& directory, std::uint64_t lie, math::TaskPool& pool) {
  const auto start = Clock::now();
  verifier::VerifyOptions options;
  options.pool = &pool;
  const verifier::VerifyReport report = verifier::verify_batch(directory, options);
  const double seconds = seconds_since(start);
  TALLY_ASSERT(report.findings.size() == 1 && report.findings[0].kind == verifier::FindingKind::kEntry);
  TALLY_ASSERT(report.findings[0].entry == lie);
  return seconds;
}

struct Challenge {
  double seconds = 0;        // until it is submitted
  double judge_seconds = 0;  // of them
};

/// By a watchtower that has a memory, with nothing in it.
Challenge challenge(test::DisputeWorld& world, const proof::PrivateKey& key, math::TaskPool& pool) {
  verifier::WatchSettings settings = world.watch_settings();
  settings.pool = &pool;
  settings.memory = world.folder() / (proof::to_text(key.address()) + ".sqlite");
  static_cast<void>(verifier::Memory(settings.memory, world.chain().identity(), key));
  double seconds = 0;
  const auto start = Clock::now();
  test::HookedChain hooked(world.chain(), [&](const proof::Transaction& transaction) {
    if (std::holds_alternative<proof::OpenGame>(transaction)) seconds = seconds_since(start);
  });
  const verifier::WatchReport report = verifier::watch_once(hooked, key, settings);
  TALLY_ASSERT(test::sent(report.events, "open_game") == 1 && seconds > 0);
  const auto judged =
      std::ranges::find(report.events, verifier::WatchEvent::Kind::kJudged, &verifier::WatchEvent::kind);
  return {.seconds = seconds, .judge_seconds = 1e-6 * static_cast<double>(judged->microseconds)};
}

void posted_to_challenged(benchmark::State& state) {
  const auto clients = static_cast<std::uint64_t>(state.range(0));
  const auto parameters = static_cast<std::uint64_t>(state.range(1));
  test::DisputeWorld world({.dims = {parameters}, .members = clients, .change = [](proof::TaskSettings& settings) {
                              settings.leaf_bytes = proof::kDefaultLeafBytes;
                              settings.availability = proof::LeafRequests{.max_requests = 1 << 22, .request_bond = {1}};
                            }});
  const std::uint64_t lie = parameters - 1;
  const test::DisputedBatch batch = world.post([&](const std::filesystem::path& directory) {
    test::forge_table(directory, world.program(), "next_model", lie, 1);
  });
  math::ThreadPool pool(kThreads);
  static_cast<void>(replay(batch.watcher, lie, pool));  // brings the files into the page cache
  std::vector<double> replays;
  std::vector<double> challenges;
  std::vector<double> judgments;
  for (auto unused : state) {
    for (std::size_t run = 0; run < kRuns; ++run) {
      replays.push_back(replay(batch.watcher, lie, pool));
      const Challenge made = challenge(world, world.rounds().key(run), pool);
      challenges.push_back(made.seconds);
      judgments.push_back(made.judge_seconds);
    }
  }
  state.counters["replay_ms"] = 1e3 * median(replays);
  state.counters["judge_ms"] = 1e3 * median(judgments);
  state.counters["challenge_ms"] = 1e3 * median(challenges);
  state.counters["ratio"] = median(challenges) / median(replays);
}

BENCHMARK(posted_to_challenged)
    ->Args({100, 1'000'000})
    ->Args({100, 4'000'000})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally
