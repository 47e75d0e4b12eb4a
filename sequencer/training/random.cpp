#include "sequencer/training/random.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace tally::sequencer::training {

namespace {

// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): near seeds give far generators.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) : x_bits(mix(mix(seed) ^ stream)) {}

double Random::uniform() { return static_cast<double>(x_bits() >> 11) * 0x1p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
  // Draws from the incomplete last run of 0 .. bound - 1 are refused.
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t limit = kMax - kMax % bound;
  for (;;) {
    const std::uint64_t draw = x_bits();
    if (draw < limit) return draw % bound;
  }
}

double Random::normal(double mean, double standard_deviation) {
  if (x_spare) return mean + standard_deviation * *std::exchange(x_spare, std::nullopt);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  x_spare = radius * std::sin(angle);
  return mean + standard_deviation * radius * std::cos(angle);
}

double Random::lognormal(double mean, double standard_deviation) { return std::exp(normal(mean, standard_deviation)); }

void Random::shuffle(std::span<int> values) {
  for (std::size_t left = values.size(); left > 1; --left) std::swap(values[left - 1], values[below(left)]);
}

}  // namespace tally::sequencer::training
