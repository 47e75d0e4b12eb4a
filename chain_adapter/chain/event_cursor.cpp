#include "chain_adapter/chain/event_cursor.h"

namespace tally::chain {

math::Digest mark_of(const LoggedEvent& event) {
  math::ByteWriter writer;
  writer.u64be(event.position);
  writer.u64be(event.block);
  writer.u64be(event.time_s);
  writer.raw(event.transaction.digest.bytes);
  writer.raw(proof::encode(event.event));
  return math::sha256(writer.take());
}

void EventCursor::pass(const LoggedEvent& event) {
  x_next = event.position + 1;
  x_last = mark_of(event);
}

bool EventCursor::holds(ChainAdapter& chain) const {
  if (!x_last) return true;
  const auto there = chain.events(x_next - 1, 1);
  return !there.empty() && there.front().position == x_next - 1 && mark_of(there.front()) == *x_last;
}

}  // namespace tally::chain
