#include "fraud_proof/settlement/state.h"

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/record_codec.h"

namespace tally::proof {

namespace {

math::ByteWriter key_of(RecordKind kind) {
  math::ByteWriter key;
  key.u8(static_cast<std::uint8_t>(kind));
  return key;
}

std::vector<std::uint8_t> key_of(RecordKind kind, math::Bytes name) {
  math::ByteWriter key = key_of(kind);
  key.raw(name);
  return key.take();
}

/// What names a node: the batch, or the task for its genesis.
const Digest& node_name(const TaskId& task, const BatchId& batch) {
  return batch == kGenesisParent ? task.digest : batch.digest;
}

template <class Record>
std::optional<Record> read_as(const StateReader& state, math::Bytes key) {
  const auto bytes = state.read(key);
  if (!bytes) return std::nullopt;
  return decode_record_as<Record>(*bytes);
}

Wei read_amount(const StateReader& state, math::Bytes key) { return read_as<Wei>(state, key).value_or(Wei{}); }

}  // namespace

std::vector<std::uint8_t> program_key(const Digest& program_hash) {
  return key_of(RecordKind::kProgram, program_hash.bytes);
}

std::vector<std::uint8_t> task_key(const TaskId& task) { return key_of(RecordKind::kTask, task.digest.bytes); }

std::vector<std::uint8_t> task_status_key(const TaskId& task) {
  return key_of(RecordKind::kTaskStatus, task.digest.bytes);
}

std::vector<std::uint8_t> member_key(const TaskId& task, std::uint64_t member) {
  math::ByteWriter key = key_of(RecordKind::kMember);
  key.raw(task.digest.bytes);
  key.u64be(member);
  return key.take();
}

std::vector<std::uint8_t> binding_key(const TaskId& task, const Address& address) {
  math::ByteWriter key = key_of(RecordKind::kBinding);
  key.raw(task.digest.bytes);
  key.raw(address.bytes);
  return key.take();
}

std::vector<std::uint8_t> node_key(const TaskId& task, const BatchId& batch) {
  return key_of(RecordKind::kNode, node_name(task, batch).bytes);
}

std::vector<std::uint8_t> child_key(const TaskId& task, const BatchId& parent, std::uint64_t position) {
  math::ByteWriter key = key_of(RecordKind::kChild);
  key.raw(node_name(task, parent).bytes);
  key.u64be(position);
  return key.take();
}

std::vector<std::uint8_t> seed_key(const TaskId& task, const BatchId& parent) {
  return key_of(RecordKind::kSeed, node_name(task, parent).bytes);
}

std::vector<std::uint8_t> game_key(const GameId& game) { return key_of(RecordKind::kGame, game.digest.bytes); }

std::vector<std::uint8_t> request_key(const BatchId& batch, const OpeningKey& leaf) {
  math::ByteWriter key = key_of(RecordKind::kRequest);
  key.raw(batch.digest.bytes);
  key.u16be(leaf.object);
  key.u32be(leaf.record);
  key.u64be(leaf.leaf);
  return key.take();
}

std::vector<std::uint8_t> commitment_key(const Address& sender, const Digest& commitment) {
  math::ByteWriter key = key_of(RecordKind::kCommitment);
  key.raw(sender.bytes);
  key.raw(commitment.bytes);
  return key.take();
}

std::vector<std::uint8_t> paid_key(const TaskId& task, math::ObjectId object, std::uint64_t member) {
  math::ByteWriter key = key_of(RecordKind::kPaid);
  key.raw(task.digest.bytes);
  key.u16be(object);
  key.u64be(member);
  return key.take();
}

std::vector<std::uint8_t> paid_in_batch_key(const BatchId& batch) {
  return key_of(RecordKind::kPaidInBatch, batch.digest.bytes);
}

std::vector<std::uint8_t> credit_key(const Address& address) { return key_of(RecordKind::kCredit, address.bytes); }

std::vector<std::uint8_t> burned_key() { return key_of(RecordKind::kBurned).take(); }

std::optional<ProgramRecord> read_program(const StateReader& state, const Digest& program_hash) {
  return read_as<ProgramRecord>(state, program_key(program_hash));
}

std::optional<TaskRecord> read_task(const StateReader& state, const TaskId& task) {
  return read_as<TaskRecord>(state, task_key(task));
}

std::optional<TaskStatus> read_task_status(const StateReader& state, const TaskId& task) {
  return read_as<TaskStatus>(state, task_status_key(task));
}

std::optional<MemberRecord> read_member(const StateReader& state, const TaskId& task, std::uint64_t member) {
  return read_as<MemberRecord>(state, member_key(task, member));
}

std::optional<BindingRecord> read_binding(const StateReader& state, const TaskId& task, const Address& address) {
  return read_as<BindingRecord>(state, binding_key(task, address));
}

std::optional<NodeRecord> read_node(const StateReader& state, const TaskId& task, const BatchId& batch) {
  // Genesis has one name: the task's digest is none, though its node is kept under it.
  if (batch.digest == task.digest) return std::nullopt;
  auto node = read_as<NodeRecord>(state, node_key(task, batch));
  return node && node->task == task ? node : std::nullopt;
}

std::optional<BatchId> read_child(const StateReader& state, const TaskId& task, const BatchId& parent,
                                  std::uint64_t position) {
  return read_as<BatchId>(state, child_key(task, parent, position));
}

std::optional<Digest> read_seed(const StateReader& state, const TaskId& task, const BatchId& parent) {
  return read_as<Digest>(state, seed_key(task, parent));
}

std::optional<GameRecord> read_game(const StateReader& state, const GameId& game) {
  return read_as<GameRecord>(state, game_key(game));
}

std::optional<RequestRecord> read_request(const StateReader& state, const BatchId& batch, const OpeningKey& leaf) {
  return read_as<RequestRecord>(state, request_key(batch, leaf));
}

std::optional<CommitmentRecord> read_commitment(const StateReader& state, const Address& sender,
                                                const Digest& commitment) {
  return read_as<CommitmentRecord>(state, commitment_key(sender, commitment));
}

Wei read_paid(const StateReader& state, const TaskId& task, math::ObjectId object, std::uint64_t member) {
  return read_amount(state, paid_key(task, object, member));
}

Wei read_paid_in_batch(const StateReader& state, const BatchId& batch) {
  return read_amount(state, paid_in_batch_key(batch));
}

Wei read_credit(const StateReader& state, const Address& address) { return read_amount(state, credit_key(address)); }

Wei read_burned(const StateReader& state) { return read_amount(state, burned_key()); }

std::string_view to_string(BatchStatus status) {
  switch (status) {
    case BatchStatus::kPending:
      return "pending";
    case BatchStatus::kInvalid:
      return "invalid";
    case BatchStatus::kOrphaned:
      return "orphaned";
    case BatchStatus::kSuperseded:
      return "superseded";
    case BatchStatus::kFinal:
      return "final";
  }
  TALLY_ASSERT(false);
}

std::optional<BatchStatus> batch_status(const StateReader& state, const TaskId& task, const BatchId& batch) {
  auto node = read_node(state, task, batch);
  if (!node) return std::nullopt;
  if (node->state == NodeState::kLost) return BatchStatus::kInvalid;
  if (node->state == NodeState::kFinal) return BatchStatus::kFinal;
  for (std::uint64_t depth = 0; depth < kMaxUnfinalised; ++depth) {
    node = read_node(state, task, node->parent);
    if (!node) throw BrokenState("a batch whose parent is not there");
    if (node->state == NodeState::kLost) return BatchStatus::kOrphaned;
    // What leads here is pending, so a final child of this ancestor is another.
    if (node->state == NodeState::kFinal) {
      return node->final_child == BatchId{} ? BatchStatus::kPending : BatchStatus::kSuperseded;
    }
  }
  throw BrokenState("a batch with too many ancestors that are not final");
}

}  // namespace tally::proof
