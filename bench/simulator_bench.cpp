// Whole disputes a second in the simulation of the whole system (tests/simulator), on one core: from the opening of a
// game to its end, with everything around it. No seed may break a rule.
//
// Judgments are remembered from one seed to the next, so the first seeds are run before the clock starts.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "tests/simulator/simulation.h"

namespace tally::simulator {
namespace {

constexpr std::uint64_t kWarmUp = 300;

void whole_disputes(benchmark::State& state) {
  BatchPool pool;
  std::uint64_t seed = 0;
  const auto run = [&](Figures& sum) {
    const Outcome outcome = simulate(pool, ++seed);
    if (outcome.violation) state.SkipWithError(outcome.violation->c_str());
    sum.add(outcome.figures);
  };
  Figures ignored;
  while (seed < kWarmUp) run(ignored);
  Figures sum;
  for (auto _ : state) run(sum);
  const auto rate = [](std::uint64_t count) {
    return benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsRate);
  };
  state.counters["disputes/s"] = rate(sum.disputes);
  state.counters["batches/s"] = rate(sum.batches);
  state.counters["transactions/s"] = rate(sum.transactions);
}
BENCHMARK(whole_disputes)->Name("simulator/whole_disputes")->MinTime(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally::simulator
