// The bytes of the settlement's records (state.h says what they mean): their fields in order, as fields.h writes them.
// Records of a single value (a child, a seed, an amount) are that value's bytes.
#pragma once

#include <vector>

#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/fields.h"
#include "fraud_proof/settlement/state.h"

namespace tally::proof {

template <class Fields>
void fields(Fields& f, Like<ProgramRecord> auto& x) {
  f.bytes("bytecode", x.bytecode);
}
template <class Fields>
void fields(Fields& f, Like<TaskRecord> auto& x) {
  f("preimage", x.preimage);
  f("created_s", x.created_s);
  f("created_block", x.created_block);
}
template <class Fields>
void fields(Fields& f, Like<TaskStatus> auto& x) {
  f("members", x.members);
  f("pool", x.pool);
  f("final_batch", x.final_batch);
  f("final_number", x.final_number);
  f("final_state", x.final_state);
}
template <class Fields>
void fields(Fields& f, Like<MemberRecord> auto& x) {
  f("wallet", x.wallet);
  f("stake", x.stake);
  f("registered_s", x.registered_s);
  f("exit_at_s", x.exit_at_s);
  f("device_keys", x.device_keys);
}
template <class Fields>
void fields(Fields& f, Like<BindingRecord> auto& x) {
  f("member", x.member);
  f("bound_s", x.bound_s);
  f("unbound_s", x.unbound_s);
}
template <class Fields>
void fields(Fields& f, Like<NodeRecord> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
  f("number", x.number);
  f.choice("state", x.state, NodeState::kPending, NodeState::kFinal);
  f("poster", x.poster);
  f("delegate", x.delegate);
  f("posted_s", x.posted_s);
  f("posted_block", x.posted_block);
  f("position", x.position);
  f("bond", x.bond);
  f("open_games", x.open_games);
  f("open_requests", x.open_requests);
  f("children", x.children);
  f("first_live", x.first_live);
  f("final_child", x.final_child);
}
template <class Fields>
void fields(Fields& f, Like<GameRecord> auto& x) {
  f("hash", x.hash);
  f("batch", x.batch);
  f.choice("state", x.state, GameState::kOpen, GameState::kEnded);
  f("bond", x.bond);
}
template <class Fields>
void fields(Fields& f, Like<RequestRecord> auto& x) {
  f("requester", x.requester);
  f("bond", x.bond);
  f("requested_s", x.requested_s);
  f.choice("state", x.state, RequestState::kOpen, RequestState::kWithheld);
}
template <class Fields>
void fields(Fields& f, Like<CommitmentRecord> auto& x) {
  f("block", x.block);
}

template <class Record>
[[nodiscard]] std::vector<std::uint8_t> encode_record(const Record& record) {
  FieldWriter writer;
  writer("record", record);
  return writer.take();
}

/// Throws BrokenState for bytes that the machine did not write.
template <class Record>
[[nodiscard]] Record decode_record_as(math::Bytes bytes) {
  FieldReader reader(bytes);
  Record record{};
  reader("record", record);
  if (const auto fault = reader.fault()) throw BrokenState(*fault);
  return record;
}

}  // namespace tally::proof
