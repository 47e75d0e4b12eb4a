// Runs the seeds that TALLY_SEEDS=FIRST:COUNT names, else a few hundred. One alone is told step by step where
// TALLY_TRACE is set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "tests/simulator/simulation.h"

namespace tally::simulator {
namespace {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 300;
};

Seeds wanted_seeds() {
  const char* const text = std::getenv("TALLY_SEEDS");
  if (text == nullptr) return {};
  Seeds seeds;
  char* end = nullptr;
  seeds.first = std::strtoull(text, &end, 10);
  seeds.count = *end == ':' ? std::strtoull(end + 1, nullptr, 10) : 1;
  return seeds;
}

// A failed assertion ends the program: the seed is told first.
std::uint64_t running_seed = 0;

extern "C" void tell_seed(int /*signal*/) {
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "in seed %llu\n", static_cast<unsigned long long>(running_seed));
  if (::write(STDERR_FILENO, text.data(), static_cast<std::size_t>(length)) < 0) std::_Exit(1);
}

std::string told(const std::vector<std::string>& trace) {
  std::string text;
  for (const std::string& line : trace) text += line + "\n";
  return text;
}

TEST(Simulator, no_seed_breaks_a_rule) {
  const Seeds seeds = wanted_seeds();
  BatchPool batches;
  std::signal(SIGABRT, tell_seed);
  const std::clock_t start = std::clock();
  Figures sum;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    running_seed = seed;
    std::vector<std::string> trace;
    const bool is_told = std::getenv("TALLY_TRACE") != nullptr;
    Outcome outcome = simulate(batches, seed, is_told ? &trace : nullptr);
    if (is_told) std::fputs(told(trace).c_str(), stdout);
    if (!outcome.violation) {
      sum.add(outcome.figures);
      continue;
    }
    if (!is_told) outcome = simulate(batches, seed, &trace);
    FAIL() << "seed " << seed << ": " << outcome.violation.value_or("not again") << "\n" << told(trace);
  }
  // A simulation in which nothing happens would break no rule either.
  if (seeds.count >= 100) {
    EXPECT_GT(sum.final_batches, seeds.count / 2);
    EXPECT_GT(sum.lost_batches, seeds.count / 2);
    EXPECT_GT(sum.disputes, seeds.count);
    EXPECT_GT(sum.refusals, seeds.count);
    EXPECT_GT(sum.reorganisations, seeds.count / 2);
    EXPECT_GT(sum.crashes, seeds.count / 10);
    for (std::size_t kind = 0; kind < sum.accepted.size(); ++kind) {
      EXPECT_GT(sum.accepted[kind], 0U) << "transactions of kind " << kind + 1;
    }
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf(
      "seeds %llu to %llu: %llu batches (%llu final, %llu lost), %llu disputes, %llu transactions (%llu refused), "
      "%llu reorganisations, %llu crashes; %.0f disputes/s\n",
      static_cast<unsigned long long>(seeds.first), static_cast<unsigned long long>(seeds.first + seeds.count - 1),
      static_cast<unsigned long long>(sum.batches), static_cast<unsigned long long>(sum.final_batches),
      static_cast<unsigned long long>(sum.lost_batches), static_cast<unsigned long long>(sum.disputes),
      static_cast<unsigned long long>(sum.transactions), static_cast<unsigned long long>(sum.refusals),
      static_cast<unsigned long long>(sum.reorganisations), static_cast<unsigned long long>(sum.crashes),
      static_cast<double>(sum.disputes) / seconds);
}

/// What the first of some seeds that breaks a rule breaks.
std::string found(const Planted& planted) {
  constexpr std::uint64_t kSeeds = 100;
  BatchPool batches;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (const auto violation = simulate(batches, seed, nullptr, planted).violation) {
      return "seed " + std::to_string(seed) + ": " + *violation;
    }
  }
  return "nothing";
}

TEST(Simulator, finds_a_finaliser_that_is_late_by_some_slots) {
  for (const std::uint64_t slots : {20U, 40U, 80U}) {
    EXPECT_THAT(found({.finaliser_sleeps_slots = slots}), testing::HasSubstr("at its deadline")) << slots;
  }
}

}  // namespace
}  // namespace tally::simulator
