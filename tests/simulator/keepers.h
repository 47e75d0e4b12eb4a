// The keepers of a task, as those who want to post meet them: most store what they are shown, check it, and sign
// (verifier::keep_batch); one of the three may be absent, or sign whatever a liar asks for and cheat the others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "tests/simulator/world.h"

namespace tally::simulator {

class Keepers {
 public:
  explicit Keepers(World& world);

  /// Where the honest ones store.
  [[nodiscard]] std::vector<std::filesystem::path> stores() const;
  /// What they have answered by now; asked for the first time, nothing yet. By position, and not all of them good.
  [[nodiscard]] std::vector<proof::KeeperSignature> ask(const PooledBatch& batch);
  /// What a liar gets, at once.
  [[nodiscard]] std::vector<proof::KeeperSignature> ask_for_a_lie(const PooledBatch& batch);
  /// As many as it takes, of those that are good; none where there are too few, or the task has no keepers.
  [[nodiscard]] std::vector<proof::KeeperSignature> good_ones(const PooledBatch& batch,
                                                              const std::vector<proof::KeeperSignature>& all) const;

 private:
  enum class Character : std::uint8_t { kHonest, kAbsent, kLying };

  World& x_world;
  std::vector<Character> x_characters;
  std::map<std::pair<proof::BatchId, std::size_t>, std::uint64_t> x_answers_s;
};

}  // namespace tally::simulator
