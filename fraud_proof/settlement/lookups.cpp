#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

const math::Program& ProgramCache::of_task(const StateReader& state, const TaskRecord& task) {
  const Digest& hash = task.preimage.program_hash;
  auto& kept = x_programs[hash];
  if (!kept) {
    const auto record = read_program(state, hash);
    if (!record) throw BrokenState("a task whose program is not there");
    if (math::sha256(record->bytecode) != hash) throw BrokenState("a program that is not the one of its hash");
    auto program = math::load_program(record->bytecode);
    if (!program) throw BrokenState("a program that is not valid: " + math::describe(program.error()));
    kept = std::make_unique<const math::Program>(*std::move(program));
  }
  return *kept;
}

OrRefused<TaskRecord> find_task(const StateReader& state, const TaskId& task) {
  auto record = read_task(state, task);
  if (!record) return refuse(Reason::kNoSuchTask, "no task " + to_hex(task));
  return *std::move(record);
}

TaskRecord task_of(const StateReader& state, const TaskId& task) {
  auto record = read_task(state, task);
  if (!record) throw BrokenState("a batch without its task");
  return *std::move(record);
}

TaskStatus status_of(const StateReader& state, const TaskId& task) {
  const auto status = read_task_status(state, task);
  if (!status) throw BrokenState("a task without its status");
  return *status;
}

OrRefused<MemberRecord> find_member(const StateReader& state, const TaskId& task, std::uint64_t member) {
  auto record = read_member(state, task, member);
  if (!record) return refuse(Reason::kNoSuchMember, "the task has no member " + std::to_string(member));
  return *std::move(record);
}

OrRefused<NodeRecord> find_node(const StateReader& state, const TaskId& task, const BatchId& batch) {
  auto node = read_node(state, task, batch);
  if (!node) return refuse(Reason::kNoSuchBatch, "the task has no batch " + to_hex(batch));
  return *std::move(node);
}

OrRefused<void> check_value(const Call& call, const Wei& due) {
  if (call.value == due) return {};
  return refuse(Reason::kWrongValue, "it comes with " + describe(call.value) + ", not with " + describe(due));
}

CommittedBatch committed_batch(const StateReader& state, ProgramCache& programs, const BatchHeader& header) {
  const TaskRecord task = task_of(state, header.task);
  const Digest seed = read_seed(state, header.task, header.parent).value_or(Digest{});
  return {.program = programs.of_task(state, task),
          .header = header,
          .leaf_bytes = task.preimage.settings.leaf_bytes,
          .values = batch_values(batch_dims(task.preimage, header.record_count), header.number, seed)};
}

}  // namespace tally::proof
