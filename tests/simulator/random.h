// Choices of one simulation: all of them from one seed, the same on every machine (SplitMix64, Steele et al. 2014).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tally::simulator {

class Random {
 public:
  explicit Random(std::uint64_t seed) : x_state(seed) {}

  std::uint64_t next() {
    x_state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = x_state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  /// 0 where `count` is 0. The bias of the remainder is of no consequence here.
  std::uint64_t below(std::uint64_t count) { return count == 0 ? 0 : next() % count; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool percent(std::uint64_t chance) { return below(100) < chance; }

  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

 private:
  std::uint64_t x_state;
};

}  // namespace tally::simulator
