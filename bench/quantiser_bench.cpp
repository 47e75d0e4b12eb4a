// Floats to fixed point, one thread, against memcpy of the same source bytes.
//
// The source is larger than the caches and the output is one block, as a sequencer uses it. Each iteration times the
// peer and the quantiser one after the other; the columns compare the best times of each: `of_memcpy` is the ratio of
// the speeds, `GB_s` the speed of reading floats. Every block is compared with the expected integers, outside the
// clock.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "deterministic_math/numbers/quantiser.h"

namespace tally::math {
namespace {

constexpr std::size_t kSourceBytes = std::size_t{256} << 20;
constexpr std::size_t kBlock = std::size_t{1} << 14;

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One block of floats of both signs and many sizes, whose fixed-point values are known beforehand, over and over.
struct Updates {
  explicit Updates(FloatType type) : expected(kBlock), source(kSourceBytes) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      const auto value = static_cast<std::int32_t>((i * 2654435761U) % 201) - 100;
      expected[i] = value * (std::int32_t{1} << (i % 17));
    }
    const std::size_t block_bytes = kBlock * element_bytes(type);
    const auto first = std::span(source).first(block_bytes);
    exact = dequantise(type, expected, first, kDefaultFracBits).has_value();
    for (std::size_t at = block_bytes; at < source.size(); at += block_bytes) {
      std::ranges::copy(first, source.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  std::vector<std::int32_t> expected;
  std::vector<std::byte> source;
  bool exact = false;
};

void quantise_stream(benchmark::State& state, FloatType type) {
  const Updates updates(type);
  const std::size_t block_bytes = kBlock * element_bytes(type);
  std::vector<std::int32_t> out(kBlock);
  std::vector<std::byte> copied(block_bytes);
  double best_peer = std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  const auto each_block = [&](const auto& work) {
    for (std::size_t at = 0; at < kSourceBytes; at += block_bytes) {
      work(std::span(updates.source).subspan(at, block_bytes));
    }
  };
  bool right = updates.exact;
  for (auto _ : state) {
    best_peer = std::min(best_peer, seconds([&] {
                           each_block([&](std::span<const std::byte> block) {
                             std::memcpy(copied.data(), block.data(), block.size());
                             benchmark::DoNotOptimize(copied.data());
                             benchmark::ClobberMemory();
                           });
                         }));
    std::ranges::fill(out, -1);
    best = std::min(best, seconds([&] {
                      each_block([&](std::span<const std::byte> block) {
                        right &= quantise(type, block, out, {}).has_value();
                        benchmark::ClobberMemory();
                      });
                    }));
    right &= out == updates.expected;
  }
  each_block([&](std::span<const std::byte> block) {
    right &= quantise(type, block, out, {}).has_value() && out == updates.expected;
  });
  if (!right) state.SkipWithError("wrong integers");
  state.counters["GB_s"] = static_cast<double>(kSourceBytes) / best / 1e9;
  state.counters["of_memcpy"] = best_peer / best;
}

BENCHMARK_CAPTURE(quantise_stream, f16, FloatType::kF16)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(quantise_stream, bf16, FloatType::kBf16)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(quantise_stream, f32, FloatType::kF32)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(quantise_stream, f64, FloatType::kF64)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally::math
