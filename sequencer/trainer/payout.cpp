#include "sequencer/trainer/payout.h"

#include <algorithm>
#include <variant>

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

Payout pay_out(chain::ChainAdapter& chain, const proof::PrivateKey& key, const PosterData& data, std::uint64_t member) {
  Payout payout;
  for (const math::ObjectId state : data.batch.program.payable) {
    const proof::Transaction transaction = make_payout_claim(data, state, member);
    const chain::TransactionFate fate =
        chain::submit_and_wait(chain, {.key = key, .value = {}, .transaction = transaction});
    for (const proof::Event& event : fate.events) {
      if (const auto* const paid = std::get_if<proof::PaidOut>(&event)) payout.paid.value += paid->amount.value;
    }
    if (!fate.refusal) continue;
    payout.refusal = fate.refusal;
    if (fate.refusal->reason != proof::Reason::kNothingToPay) break;
  }
  return payout;
}

}  // namespace tally::sequencer
