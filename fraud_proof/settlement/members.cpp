// Members of a task: joining, device keys, leaving. What takes effect later (unbinding, leaving) does so after the
// task's exit delay, which is longer than any batch and game that the member's records can be in.
#include <algorithm>
#include <string>

#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

namespace {

/// Members that the task can have: the dim M; without it, as many as member[k] can name.
std::uint64_t member_slots(const math::Program& program, const TaskPreimage& task) {
  const auto found = std::ranges::find(program.dims, math::DimRole::kMembers, &math::Dim::role);
  if (found == program.dims.end()) return std::uint64_t{1} << 32;
  return task.dims[static_cast<std::size_t>(found - program.dims.begin()) - 1];
}

/// The member, whose wallet must be the sender: kNoSuchTask, kNoSuchMember, kNotTheWallet.
OrRefused<MemberRecord> own_member(const Call& call, const TaskId& task, std::uint64_t member) {
  if (auto found = find_task(call.changes, task); !found) return std::unexpected(std::move(found.error()));
  auto record = find_member(call.changes, task, member);
  if (record && record->wallet != call.sender) {
    return refuse(Reason::kNotTheWallet,
                  to_text(call.sender) + " is not the wallet of member " + std::to_string(member));
  }
  return record;
}

/// When something that is asked for now takes effect.
std::uint64_t effect_at(const Call& call, const TaskId& task) {
  return call.block.time_s + read_task(call.changes, task)->preimage.settings.exit_delay_s;
}

OrRefused<void> check_free(const Call& call, const TaskId& task, const Address& address) {
  const auto binding = read_binding(call.changes, task, address);
  if (!binding) return {};
  return refuse(Reason::kAddressTaken,
                to_text(address) + " belongs to member " + std::to_string(binding->member) + " of the task");
}

}  // namespace

OrRefused<void> run(const Call& call, const Register& joining) {
  const TaskId& id = joining.task;
  const auto task = find_task(call.changes, id);
  if (!task) return std::unexpected(task.error());
  const Wei& least = task->preimage.settings.min_stake;
  if (call.value < least) {
    return refuse(Reason::kStakeTooSmall, "a stake of " + describe(call.value) + ", less than " + describe(least));
  }
  if (auto free = check_free(call, id, call.sender); !free) return free;
  TaskStatus status = status_of(call.changes, id);
  const std::uint64_t slots = member_slots(call.programs.of_task(call.changes, *task), task->preimage);
  if (status.members >= slots) {
    return refuse(Reason::kNoMemberSlots, "the task has its " + std::to_string(slots) + " members");
  }

  const std::uint64_t member = status.members++;
  const std::uint64_t now = call.block.time_s;
  call.changes.put(task_status_key(id), status);
  call.changes.put(member_key(id, member),
                   MemberRecord{.wallet = call.sender, .stake = call.value, .registered_s = now});
  call.changes.put(binding_key(id, call.sender), BindingRecord{.member = member, .bound_s = now});
  call.changes.emit(Registered{.task = id, .member = member, .wallet = call.sender, .stake = call.value});
  return {};
}

OrRefused<void> run(const Call& call, const BindKey& binding) {
  auto member = own_member(call, binding.task, binding.member);
  if (!member) return std::unexpected(std::move(member.error()));
  if (member->device_keys >= kMaxDeviceKeys) {
    return refuse(Reason::kTooManyKeys, "member " + std::to_string(binding.member) + " has bound its " +
                                            std::to_string(kMaxDeviceKeys) + " device keys");
  }
  if (auto free = check_free(call, binding.task, binding.key); !free) return free;
  const KeccakDigest domain = domain_separator(tallystick_domain(call.block.chain_id, call.block.contract));
  const KeccakDigest hash = key_binding_hash(domain, binding.task, binding.member, member->wallet);
  const auto signer = recover_signer(binding.signature, hash.bytes);
  if (!signer) return refuse(Reason::kKeySignature, signer.error().message);
  if (*signer != binding.key) {
    return refuse(Reason::kKeySignature, "the binding is signed by " + to_text(*signer) + ", not by the key");
  }

  ++member->device_keys;
  call.changes.put(member_key(binding.task, binding.member), *member);
  call.changes.put(binding_key(binding.task, binding.key),
                   BindingRecord{.member = binding.member, .bound_s = call.block.time_s});
  call.changes.emit(KeyBound{.task = binding.task, .member = binding.member, .key = binding.key});
  return {};
}

OrRefused<void> run(const Call& call, const UnbindKey& unbinding) {
  const auto member = own_member(call, unbinding.task, unbinding.member);
  if (!member) return std::unexpected(member.error());
  auto binding = read_binding(call.changes, unbinding.task, unbinding.key);
  if (!binding || binding->member != unbinding.member || unbinding.key == member->wallet) {
    return refuse(Reason::kNoSuchKey,
                  to_text(unbinding.key) + " is no device key of member " + std::to_string(unbinding.member));
  }
  if (binding->unbound_s != kNever) {
    return refuse(Reason::kAlreadyUnbinding,
                  "the key is unbound at " + std::to_string(binding->unbound_s) + " by an earlier request");
  }
  binding->unbound_s = effect_at(call, unbinding.task);
  call.changes.put(binding_key(unbinding.task, unbinding.key), *binding);
  call.changes.emit(
      KeyUnbound{.task = unbinding.task, .member = unbinding.member, .key = unbinding.key, .at_s = binding->unbound_s});
  return {};
}

OrRefused<void> run(const Call& call, const RequestExit& leaving) {
  auto member = own_member(call, leaving.task, leaving.member);
  if (!member) return std::unexpected(std::move(member.error()));
  if (member->exit_at_s != kNever) {
    return refuse(Reason::kAlreadyExiting,
                  "the member leaves at " + std::to_string(member->exit_at_s) + " by an earlier request");
  }
  member->exit_at_s = effect_at(call, leaving.task);
  call.changes.put(member_key(leaving.task, leaving.member), *member);
  call.changes.emit(ExitRequested{.task = leaving.task, .member = leaving.member, .exit_at_s = member->exit_at_s});
  return {};
}

OrRefused<void> run(const Call& call, const WithdrawStake& withdrawal) {
  auto member = own_member(call, withdrawal.task, withdrawal.member);
  if (!member) return std::unexpected(std::move(member.error()));
  if (member->exit_at_s == kNever) return refuse(Reason::kNotExited, "the member has not asked to leave");
  if (call.block.time_s < member->exit_at_s) {
    return refuse(Reason::kNotExited, "the stake is free at " + std::to_string(member->exit_at_s));
  }
  if (member->stake == Wei{}) return refuse(Reason::kStakeWithdrawn, "the member has no stake left");

  const Wei stake = std::exchange(member->stake, Wei{});
  call.changes.put(member_key(withdrawal.task, withdrawal.member), *member);
  if (auto credited = call.changes.credit(member->wallet, stake); !credited) return credited;
  call.changes.emit(StakeWithdrawn{.task = withdrawal.task, .member = withdrawal.member, .amount = stake});
  return {};
}

}  // namespace tally::proof
