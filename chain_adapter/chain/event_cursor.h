// Where a reader of a chain's events stands, and whether what it has read still holds.
//
// A file may be restored from an older copy, and an EVM chain reorganised more deeply than was thought possible. Then
// events that were read never happened, and others may stand at their positions. A reader that keeps what it has read
// looks at the last of it again before it goes on; where that is gone, it forgets all and begins anew.
#pragma once

#include <cstdint>
#include <optional>

#include "chain_adapter/chain/chain.h"

namespace tally::chain {

/// SHA-256 of the event with its place.
[[nodiscard]] math::Digest mark_of(const LoggedEvent& event);

class EventCursor {
 public:
  EventCursor() = default;
  /// As a reader kept it: the position behind the last event that it read, and that event's mark.
  EventCursor(std::uint64_t next, const std::optional<math::Digest>& last) : x_next(next), x_last(last) {}

  [[nodiscard]] std::uint64_t next() const { return x_next; }
  void pass(const LoggedEvent& event);
  /// True at the beginning.
  [[nodiscard]] bool holds(ChainAdapter& chain) const;

 private:
  std::uint64_t x_next = 0;
  std::optional<math::Digest> x_last;
};

}  // namespace tally::chain
