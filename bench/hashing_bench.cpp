// Leaf and node hashing, one thread, against OpenSSL's one-shot SHA256() over the same prefixed bytes.
//
// Each iteration times the peer and the hasher one after the other, so that both see the same machine; the columns
// compare the best times of each: `x_openssl` is the ratio, `cycles_block` the cost of a SHA-256 block, and `of_bound`
// the share of the instruction bound of SHA-NI, 32 sha256rnds2 every two cycles, 64 cycles a block. AVX-512 can pass 1.
#include <benchmark/benchmark.h>
#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::proof {
namespace {

constexpr std::size_t kCount = 4096;
constexpr double kBoundCyclesPerBlock = 64;

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The clock, by additions that wait for each other: one a cycle.
double cycles_per_second() {
#if defined(__x86_64__)
  constexpr int kRounds = 200'000;
  double best = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < 20; ++attempt) {
    best = std::min(best, seconds([] {
                      std::uint64_t sum = 0;
                      for (int i = 0; i < kRounds; ++i) {
                        asm volatile("add $1, %0\n\tadd $1, %0\n\tadd $1, %0\n\tadd $1, %0\n\tadd $1, %0" : "+r"(sum));
                      }
                      benchmark::DoNotOptimize(sum);
                    }));
  }
  return 5.0 * kRounds / best;
#else
  return std::numeric_limits<double>::quiet_NaN();
#endif
}

struct OpenSslOneShot {
  // prefix ‖ message, as the one-shot call needs it; putting them together is not timed.
  OpenSslOneShot(std::uint8_t prefix, Bytes messages, std::size_t message_bytes) : stride(message_bytes + 1) {
    for (std::size_t i = 0; i < messages.size(); i += message_bytes) {
      prefixed.push_back(prefix);
      prefixed.insert(prefixed.end(), messages.begin() + static_cast<std::ptrdiff_t>(i),
                      messages.begin() + static_cast<std::ptrdiff_t>(i + message_bytes));
    }
  }

  void operator()(std::span<Digest> out) const {
    for (std::size_t i = 0; i < out.size(); ++i) SHA256(prefixed.data() + i * stride, stride, out[i].bytes.data());
  }

  std::size_t stride;
  std::vector<std::uint8_t> prefixed;
};

// Times `hash` over kCount messages of `message_bytes` that follow `prefix` in what is hashed.
template <typename Hash>
void measure(benchmark::State& state, std::uint8_t prefix, std::size_t message_bytes, Bytes messages,
             const Hash& hash) {
  const OpenSslOneShot peer(prefix, messages, message_bytes);
  std::vector<Digest> expected(kCount);
  std::vector<Digest> found(kCount);
  double best_peer = std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    best_peer = std::min(best_peer, seconds([&] { peer(expected); }));
    std::ranges::fill(found, Digest{});
    const double elapsed = seconds([&] { hash(std::span<Digest>(found)); });
    state.SetIterationTime(elapsed);
    best = std::min(best, elapsed);
    if (found != expected) {
      state.SkipWithError("the digests differ from OpenSSL's");
      return;
    }
  }
  const double blocks = static_cast<double>(kCount * ((message_bytes + 1 + 8) / 64 + 1));
  const double cycles_per_block = best * cycles_per_second() / blocks;
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(messages.size()));
  state.counters["best_GB/s"] = static_cast<double>(messages.size()) / best / 1e9;
  state.counters["x_openssl"] = best_peer / best;
  state.counters["cycles_block"] = cycles_per_block;
  state.counters["of_bound"] = kBoundCyclesPerBlock / cycles_per_block;
}

std::vector<std::uint8_t> sample(std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  std::uint32_t value = 1;
  for (auto& byte : data) byte = static_cast<std::uint8_t>((value = value * 1664525 + 1013904223) >> 24);
  return data;
}

void leaves(benchmark::State& state, const LeafHasher* hasher) {
  const auto leaf_bytes = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint8_t> data = sample(kCount * leaf_bytes);
  measure(state, 0x00, leaf_bytes, data, [&](std::span<Digest> out) { hasher->hash_leaves(data, leaf_bytes, out); });
}

void nodes(benchmark::State& state, const LeafHasher* hasher) {
  const std::vector<std::uint8_t> data = sample(kCount * 64);
  std::vector<Digest> children(2 * kCount);
  for (std::size_t i = 0; i < data.size(); ++i) children[i / 32].bytes[i % 32] = data[i];
  measure(state, 0x01, 64, data, [&](std::span<Digest> out) { hasher->hash_nodes(children, out); });
}

void one_shot(benchmark::State& state) {
  const auto leaf_bytes = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint8_t> data = sample(kCount * leaf_bytes);
  measure(state, 0x00, leaf_bytes, data, OpenSslOneShot(0x00, data, leaf_bytes));
}

const bool registered = [] {
  const auto shape = [](benchmark::internal::Benchmark* benchmark) {
    return benchmark->UseManualTime()->MinTime(0.1)->Unit(benchmark::kMicrosecond);
  };
  shape(benchmark::RegisterBenchmark("leaves/openssl_one_shot", one_shot))->Arg(256)->Arg(1024)->Arg(4096);
  for (const LeafHasher& hasher : LeafHasher::available()) {
    const std::string name(hasher.name());
    shape(benchmark::RegisterBenchmark(("leaves/" + name).c_str(), leaves, &hasher))->Arg(256)->Arg(1024)->Arg(4096);
  }
  for (const LeafHasher& hasher : LeafHasher::available()) {
    shape(benchmark::RegisterBenchmark(("nodes/" + std::string(hasher.name())).c_str(), nodes, &hasher));
  }
  return true;
}();

}  // namespace
}  // namespace tally::proof
