// Random numbers that are the same with every standard library: std::mt19937_64, which the standard fixes, and our own
// distributions, which it does not.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>

namespace tally::sequencer::training {

class Random {
 public:
  /// Generators of different streams of one seed are independent for all that matters here.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  /// In [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform();

  /// In 0 .. bound - 1; bound is at least 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);

  /// By the method of Box and Muller.
  [[nodiscard]] double normal(double mean, double standard_deviation);

  /// exp of a normal number with this mean and standard deviation.
  [[nodiscard]] double lognormal(double mean, double standard_deviation);

  /// A uniformly random order, by the method of Fisher and Yates.
  void shuffle(std::span<int> values);

 private:
  std::mt19937_64 x_bits;
  std::optional<double> x_spare;
};

}  // namespace tally::sequencer::training
