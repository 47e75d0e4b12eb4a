// Roots over data in memory: all at once on one and on two threads, as a stream, and what the tree costs on top of its
// leaves: `x_leaves` is the speed as a multiple of that of hashing the leaves alone on one thread in the same
// iteration.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/merkle/tree_builder.h"

namespace tally::proof {
namespace {

constexpr std::size_t kLeafBytes = 1024;
// A row of ten million i32, larger than caches.
constexpr std::size_t kDataBytes = 40'000'000;

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename Root>
void measure(benchmark::State& state, const Root& root) {
  std::vector<std::uint8_t> data(kDataBytes);
  std::uint32_t value = 1;
  for (auto& byte : data) byte = static_cast<std::uint8_t>((value = value * 1664525 + 1013904223) >> 24);
  std::vector<Digest> leaves(leaf_count(kDataBytes, kLeafBytes));
  double best_leaves = std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    best_leaves = std::min(best_leaves, seconds([&] { LeafHasher::best().hash_leaves(data, kLeafBytes, leaves); }));
    Digest found;
    const double elapsed = seconds([&] { found = root(Bytes(data)); });
    state.SetIterationTime(elapsed);
    best = std::min(best, elapsed);
    if (found != tree_root(leaves)) {
      state.SkipWithError("the root differs from that over the leaves");
      return;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kDataBytes));
  state.counters["best_GB/s"] = static_cast<double>(kDataBytes) / best / 1e9;
  state.counters["x_leaves"] = best_leaves / best;
}

void bytes(benchmark::State& state) {
  math::ThreadPool pool(static_cast<unsigned>(state.range(0)));
  measure(state, [&](Bytes data) { return tree_root_of_bytes(data, kLeafBytes, pool); });
}

void stream(benchmark::State& state) {
  const auto piece = static_cast<std::size_t>(state.range(0));
  measure(state, [&](Bytes data) {
    TreeBuilder builder(kLeafBytes);
    for (std::size_t i = 0; i < data.size(); i += piece) {
      builder.append(data.subspan(i, std::min(piece, data.size() - i)));
    }
    return builder.finish();
  });
}

BENCHMARK(bytes)->Name("root/bytes/threads")->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(stream)
    ->Name("root/stream/piece")
    ->Arg(1000)
    ->Arg(1 << 16)
    ->Arg(1 << 20)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally::proof
