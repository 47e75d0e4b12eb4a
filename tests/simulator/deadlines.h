// By when things have to end.
//
// A batch is held by its period, by a game or a request that is open, by its parent as long as that is not final, and
// by earlier siblings as long as they are not lost. Games are held by the clock of whoever is to move, requests by
// their window, and both, where nobody else ends them, by the period of their batch: only then does the finaliser look
// at them. What nothing holds any more, the finaliser has to end within its **reaction**:
//
//   kTold               slots until the event, or the end of the time, that freed it is seen by everybody:
//   confirmations,
//                       how far a view may lag behind, and one in which the finaliser wakes up
//   kPerTransaction     slots for each transaction that it sent since, and for the one that is missing: at most two
//   until
//                       the transaction may be in a block, two in which it is passed over, and as long again where an
//                       old view makes the finaliser send what is done already; then it pauses
//   the hindrances      of the finaliser by the outside world so far, in seconds: what was lost or late, when it was
//                       down, and the pauses after what failed (party.h). Never more than the censorship budget, and
//                       one pause
//   for each reorganisation since that took blocks back: kTold and kPerTransaction again, as the transaction may be
//                       among what vanished, or have to wait for its block anew
//
// So a batch that nobody disputes or asks about, on a final parent and without a living sibling before it, is final by
// `posted + T + reaction`; a game or a request adds to that only while it is open, and by induction over turns,
// siblings and ancestors everything has a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "tests/simulator/world.h"

namespace tally::simulator {

class Deadlines {
 public:
  using IsHonest = std::function<bool(const proof::Address&)>;

  Deadlines(World& world, IsHonest is_honest);

  /// Gives what has held the finaliser up so far.
  void follow_finaliser(const proof::Address& address, std::function<std::uint64_t()> held_up_s);
  /// Everything has ended, and no bond is left.
  void check_end() const;

 private:
  void hear(const Chain::Executed& executed);
  void hear(const proof::Event& event, std::uint64_t time_s);
  [[nodiscard]] std::uint64_t reaction_s(std::uint64_t since_s) const;
  void check_batches_at(std::uint64_t time_s);
  void check_batches();
  /// From when nothing holds it; absent: something does, or it has ended.
  [[nodiscard]] std::optional<std::uint64_t> free_since_s(const proof::Posted& posted) const;
  [[nodiscard]] std::optional<std::uint64_t> freed_by_tree_s(const proof::NodeRecord& node) const;
  void watch_turn(const proof::Game& game);
  void check_turn(const proof::Game& game, std::uint64_t over_s);
  void watch_request(const proof::LeafRequested& requested, std::uint64_t time_s);
  void check_request(const proof::LeafRequested& requested, std::uint64_t over_s);
  /// Where only its owner can take a bond back, as it pleases; an honest one at once.
  [[nodiscard]] bool is_left_alone(const proof::NodeRecord& node, const proof::BatchId& id,
                                   const proof::Address& owner) const;
  /// When that happened to the batch; 0: it did not.
  template <class Event>
  [[nodiscard]] std::uint64_t time_of(const proof::BatchId& batch) const;
  [[nodiscard]] std::string told(const proof::BatchId& batch) const;

  World& x_world;
  IsHonest x_is_honest;
  proof::Address x_finaliser{};
  std::function<std::uint64_t()> x_held_up_s;
  std::vector<std::uint64_t> x_sent_s;  // by the finaliser
  std::vector<std::uint64_t> x_taken_back_s;
  std::set<std::uint64_t> x_checks_s;
};

}  // namespace tally::simulator
