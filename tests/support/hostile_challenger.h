// Challengers of a valid batch, each with a trick of its own. They have all of the batch's data and money for bonds,
// and none of them may ever win.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/support/siege.h"

namespace tally::test {

class HostileChallenger {
 public:
  explicit HostileChallenger(proof::PrivateKey key) : x_key(std::move(key)) {}
  virtual ~HostileChallenger() = default;
  HostileChallenger(const HostileChallenger&) = delete;
  HostileChallenger& operator=(const HostileChallenger&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Begins a game.
  virtual void open(Siege& siege) { siege.open(x_key); }
  /// One turn: a move in each of its games that waits for it, and whatever else it does.
  void act(Siege& siege);

  [[nodiscard]] const proof::PrivateKey& key() const { return x_key; }

 protected:
  virtual void move(Siege& siege, const proof::Game& game);
  virtual void scheme(Siege& /*siege*/) {}

  /// A move that the rules allow, from the true data. Segments are what `segment` says of their number.
  enum class Pick : std::uint8_t { kFirst, kLast, kAny };
  [[nodiscard]] static proof::Move plausible(Siege& siege, const proof::Game& game, Pick segment);
  void send(Siege& siege, const proof::Game& game, proof::Move move) const {
    static_cast<void>(siege.move(x_key, game, std::move(move)));
  }

 private:
  proof::PrivateKey x_key;
};

/// One of each; keys are those of persons from `first_person` on.
[[nodiscard]] std::vector<std::unique_ptr<HostileChallenger>> hostile_challengers(TrialWorld& world,
                                                                                  std::uint64_t first_person);

}  // namespace tally::test
