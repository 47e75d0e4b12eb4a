// A whole system in one thread and virtual time, from one seed: a chain, honest parties, liars on both sides, and bad
// weather between all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/world.h"

namespace tally::simulator {

struct Outcome {
  Figures figures;
  std::optional<std::string> violation;
};

/// Faults of the honest, which a rule has to find.
struct Planted {
  /// Beyond when it should look.
  std::uint64_t finaliser_sleeps_slots = 0;
};

/// Equal for equal seeds, whatever was simulated before. `trace` gets a line for everything that happens.
[[nodiscard]] Outcome simulate(BatchPool& pool, std::uint64_t seed, std::vector<std::string>* trace = nullptr,
                               const Planted& planted = {});

}  // namespace tally::simulator
