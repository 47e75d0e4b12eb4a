#include "sequencer/trainer/payout.h"

#include <algorithm>

#include "fraud_proof/commitments/batch_shape.h"

namespace tally::sequencer {

proof::ClaimPayout make_payout_claim(const PosterData& data, math::ObjectId state, std::uint64_t member) {
  const math::Program& program = data.batch.program;
  const auto states = data.leaves.state_commitments();
  const auto next = std::ranges::find(program.next, state, &math::Next::state);
  const math::ObjectId table = next == program.next.end() ? state : next->table;
  // State and table have the same extents and type, so the entry is in the same leaf of either.
  const proof::OpeningKey key = proof::leaf_of(data.batch, state, member);
  math::ByteWriter writer;
  proof::write_opening(writer, key, data.leaves.leaf({table, key.record, key.leaf}));
  return {
      .header = data.batch.header,
      .state_commitments = proof::next_state(program, {states.begin(), states.end()}, data.leaves.table_commitments()),
      .object = state,
      .member = member,
      .openings = writer.take()};
}

}  // namespace tally::sequencer
