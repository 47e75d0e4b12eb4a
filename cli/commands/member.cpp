// `tally register` and `tally member`: joining a task, its members, their device keys, and leaving. `tally payout`:
// what a task owes a member.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/chain/follow_events.h"
#include "chain_adapter/chain/wei_text.h"
#include "cli/commands.h"
#include "cli/signing_keys.h"
#include "cli/task_options.h"
#include "sequencer/defender/stored_batch.h"
#include "sequencer/trainer/payout.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct MemberFlags {
  std::string chain;
  KeyFlags key;
  std::string data;
  std::string task;
  std::string stake;
  std::string device;
  std::string signature;
  std::uint64_t member = 0;
  bool any_member = false;  // --member was given
};

proof::TaskId task_id(const MemberFlags& flags) { return parse_id_argument<proof::TaskId>("--task", flags.task); }

proof::TaskRecord task_of(chain::ChainAdapter& chain, const MemberFlags& flags) {
  auto record = proof::read_task(chain.state(), task_id(flags));
  if (!record) bad_input("--task " + flags.task + ": the chain has no such task");
  return *std::move(record);
}

proof::MemberRecord member_of(chain::ChainAdapter& chain, const MemberFlags& flags, std::uint64_t member) {
  auto record = proof::read_member(chain.state(), task_id(flags), member);
  if (!record) bad_input("--member " + std::to_string(member) + ": the task has no such member");
  return *std::move(record);
}

/// The member whose wallet or device key `address` is.
std::uint64_t member_of(chain::ChainAdapter& chain, const MemberFlags& flags, const proof::Address& address) {
  const auto binding = proof::read_binding(chain.state(), task_id(flags), address);
  if (!binding) bad_input(to_text(address) + " belongs to no member of the task; run `tally register` first");
  return binding->member;
}

ExitCode join(const MemberFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const proof::TaskRecord task = task_of(*chain, flags);
  const proof::Wei stake =
      flags.stake.empty() ? task.preimage.settings.min_stake : parse_wei_argument("--stake", flags.stake);
  const proof::PrivateKey key = load_key(flags.key, console);
  const proof::Transaction transaction = proof::Register{.task = task_id(flags)};
  send(*chain, {.key = key, .value = stake, .transaction = transaction});
  const std::uint64_t member = member_of(*chain, flags, key.address());
  const std::string wallet = proof::to_text(key.address());
  console.result(
      wallet + " is member " + std::to_string(member) + ", with a stake of " + chain::to_text_with_unit(stake),
      json::object{{"member", member}, {"wallet", wallet}, {"stake", chain::to_text(stake)}});
  return ExitCode::kFine;
}

/// The device keys of each member, in the order in which they were bound.
std::map<std::uint64_t, std::vector<proof::Address>> bound_keys(chain::ChainAdapter& chain, const proof::TaskId& task) {
  std::map<std::uint64_t, std::vector<proof::Address>> keys;
  chain::follow_events(chain, 0, [&](std::span<const chain::LoggedEvent> page) {
    for (const chain::LoggedEvent& logged : page) {
      const auto* const bound = std::get_if<proof::KeyBound>(&logged.event);
      if (bound != nullptr && bound->task == task) keys[bound->member].push_back(bound->key);
    }
  });
  return keys;
}

ExitCode list(const MemberFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  static_cast<void>(task_of(*chain, flags));
  auto keys = bound_keys(*chain, task_id(flags));
  const std::uint64_t members = proof::read_task_status(chain->state(), task_id(flags))->members;
  std::string text;
  json::array all;
  for (std::uint64_t index = 0; index < members; ++index) {
    const proof::MemberRecord member = member_of(*chain, flags, index);
    json::object object{{"member", index},
                        {"wallet", to_text(member.wallet)},
                        {"stake", chain::to_text(member.stake)},
                        {"registered_s", member.registered_s}};
    text += (index == 0 ? "" : "\n") + std::to_string(index) + "  " + to_text(member.wallet) + "  " +
            chain::to_text_with_unit(member.stake);
    if (member.exit_at_s != proof::kNever) {
      object["exit_at_s"] = member.exit_at_s;
      text += ", leaves at " + time_text(member.exit_at_s);
    }
    json::array devices;
    for (const proof::Address& key : keys[index]) {
      const auto binding = proof::read_binding(chain->state(), task_id(flags), key);
      json::object device{{"key", to_text(key)}, {"bound_s", binding->bound_s}};
      text += "\n   device " + to_text(key);
      if (binding->unbound_s != proof::kNever) {
        device["unbound_s"] = binding->unbound_s;
        text += ", until " + time_text(binding->unbound_s);
      }
      devices.emplace_back(std::move(device));
    }
    object["devices"] = std::move(devices);
    all.emplace_back(std::move(object));
  }
  console.result(text.empty() ? "no members" : text, all);
  return ExitCode::kFine;
}

/// The device's own word that it signs for the member.
ExitCode approve(const MemberFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  static_cast<void>(task_of(*chain, flags));
  const proof::MemberRecord member = member_of(*chain, flags, flags.member);
  const proof::PrivateKey device = load_key(flags.key, console);
  const chain::ChainIdentity identity = chain->identity();
  const proof::KeccakDigest domain =
      proof::domain_separator(proof::tallystick_domain(identity.chain_id, identity.contract));
  const auto hash = proof::key_binding_hash(domain, task_id(flags), flags.member, member.wallet);
  const std::string signature = math::to_hex(proof::sign(device, hash.bytes).bytes);
  const std::string address = to_text(device.address());
  console.result("tally member bind takes: --device " + address + " --signature " + signature,
                 json::object{{"device", address}, {"member", flags.member}, {"signature", signature}});
  return ExitCode::kFine;
}

/// What the wallet of a member does with its membership.
class OwnMembership {
 public:
  OwnMembership(const MemberFlags& flags, Console& console)
      : x_flags(flags), x_chain(open_chain(flags.chain, console)), x_wallet(load_own_key(console)) {
    x_member = member_of(*x_chain, flags, x_wallet.address());
  }

  [[nodiscard]] chain::ChainAdapter& chain() { return *x_chain; }
  [[nodiscard]] std::uint64_t member() const { return x_member; }
  [[nodiscard]] proof::MemberRecord record() { return member_of(*x_chain, x_flags, x_member); }
  void send(const proof::Transaction& transaction) {
    cli::send(*x_chain, {.key = x_wallet, .value = {}, .transaction = transaction});
  }

 private:
  proof::PrivateKey load_own_key(Console& console) {
    static_cast<void>(task_of(*x_chain, x_flags));
    return load_key(x_flags.key, console);
  }

  const MemberFlags& x_flags;
  std::unique_ptr<chain::ChainAdapter> x_chain;
  proof::PrivateKey x_wallet;
  std::uint64_t x_member = 0;
};

ExitCode bind(const MemberFlags& flags, Console& console) {
  OwnMembership own(flags, console);
  proof::BindKey binding{
      .task = task_id(flags), .member = own.member(), .key = parse_address_argument("--device", flags.device)};
  if (!math::from_hex(flags.signature, binding.signature.bytes)) {
    bad_input("--signature " + flags.signature + ": expected 0x and 130 hex digits, from `tally member approve`");
  }
  own.send(binding);
  console.result(to_text(binding.key) + " signs for member " + std::to_string(binding.member),
                 json::object{{"member", binding.member}, {"device", to_text(binding.key)}});
  return ExitCode::kFine;
}

ExitCode unbind(const MemberFlags& flags, Console& console) {
  OwnMembership own(flags, console);
  const proof::UnbindKey unbinding{
      .task = task_id(flags), .member = own.member(), .key = parse_address_argument("--device", flags.device)};
  own.send(unbinding);
  const std::uint64_t until_s = proof::read_binding(own.chain().state(), unbinding.task, unbinding.key)->unbound_s;
  console.result(
      to_text(unbinding.key) + " signs for member " + std::to_string(unbinding.member) + " until " + time_text(until_s),
      json::object{{"member", unbinding.member}, {"device", to_text(unbinding.key)}, {"unbound_s", until_s}});
  return ExitCode::kFine;
}

ExitCode leave(const MemberFlags& flags, Console& console) {
  OwnMembership own(flags, console);
  own.send(proof::RequestExit{.task = task_id(flags), .member = own.member()});
  const std::uint64_t exit_at_s = own.record().exit_at_s;
  console.result("member " + std::to_string(own.member()) + " leaves at " + time_text(exit_at_s) +
                     "; then `tally member reclaim` gives the stake back",
                 json::object{{"member", own.member()}, {"exit_at_s", exit_at_s}});
  return ExitCode::kFine;
}

ExitCode reclaim(const MemberFlags& flags, Console& console) {
  OwnMembership own(flags, console);
  const proof::Wei stake = own.record().stake;
  own.send(proof::WithdrawStake{.task = task_id(flags), .member = own.member()});
  console.result("the stake of member " + std::to_string(own.member()) + ", " + chain::to_text_with_unit(stake) +
                     ", is free; `tally withdraw` takes it out",
                 json::object{{"member", own.member()}, {"stake", chain::to_text(stake)}});
  return ExitCode::kFine;
}

/// The latest final batch of the task, with its data.
std::unique_ptr<sequencer::StoredBatch> latest_final(chain::ChainAdapter& chain, const MemberFlags& flags,
                                                     const proof::TaskRecord& task) {
  const proof::BatchId id = proof::read_task_status(chain.state(), task_id(flags))->final_batch;
  if (id == proof::kGenesisParent) bad_input("--task " + flags.task + ": no batch of it is final yet");
  chain::BatchIndex index;
  index.follow(chain);
  const chain::IndexedBatch* const indexed = index.find(id);
  if (indexed == nullptr) bad_input(to_hex(id) + ": the latest final batch is not told of" + index.what_is_missing(id));
  const auto program = proof::read_program(chain.state(), task.preimage.program_hash);
  auto batch = sequencer::StoredBatch::open(task.preimage, program.value(), indexed->posted,
                                            chain::BatchStore(flags.data).batch(id));
  if (!batch) bad_input("the data of batch " + to_hex(id) + ", which is the latest final one: " + batch.error());
  return *std::move(batch);
}

ExitCode payout(const MemberFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const proof::TaskRecord task = task_of(*chain, flags);
  const proof::PrivateKey key = load_key(flags.key, console);
  const std::uint64_t member = flags.any_member ? flags.member : member_of(*chain, flags, key.address());
  const proof::Address wallet = member_of(*chain, flags, member).wallet;
  const auto batch = latest_final(*chain, flags, task);
  if (batch->batch().program.payable.empty()) bad_input("--task " + flags.task + ": its program has no payable state");
  const auto [paid, refusal] = sequencer::pay_out(*chain, key, batch->data(), member);
  if (refusal && refusal->reason != proof::Reason::kNothingToPay) fail_refused(proof::ClaimPayout{}, *refusal);
  if (paid == proof::Wei{}) throw Failure(ExitCode::kFoundInvalid, "NothingToPay: " + refusal.value().message);
  console.result(chain::to_text_with_unit(paid) + " to the credit of " + to_text(wallet) + ", member " +
                     std::to_string(member) + "; `tally withdraw` takes it out",
                 json::object{{"member", member}, {"wallet", to_text(wallet)}, {"amount", chain::to_text(paid)}});
  return ExitCode::kFine;
}

using Action = ExitCode (*)(const MemberFlags&, Console&);

/// A command, with flags that no other has.
struct MemberCommand {
  CLI::App* app;
  std::shared_ptr<MemberFlags> flags;

  void take_device() const { app->add_option("--device", flags->device, "The device's address")->required(); }
};

/// What all these commands take.
MemberCommand add(CLI::App& app, Session& session, const std::string& name, const std::string& help, Action action) {
  MemberCommand command{.app = app.add_subcommand(name, help), .flags = std::make_shared<MemberFlags>()};
  add_task_option(*command.app, command.flags->task);
  add_chain_option(*command.app, command.flags->chain);
  add_key_options(*command.app, command.flags->key);
  run_with(*command.app, session, command.flags, action);
  return command;
}

void add_list(CLI::App& member, Session& session) {
  const auto flags = std::make_shared<MemberFlags>();
  CLI::App* const command = member.add_subcommand("list", "All members of a task, with their device keys");
  add_task_option(*command, flags->task);
  add_chain_option(*command, flags->chain);
  run_with(*command, session, flags, list);
}

}  // namespace

void add_register(CLI::App& app, Session& session) {
  const auto [command, flags] = add(app, session, "register", "Become a member of a task, with a stake", join);
  command->add_option("--stake", flags->stake, "The stake (default: the task's smallest)");
}

void add_member(CLI::App& app, Session& session) {
  CLI::App* const member = app.add_subcommand("member", "A task's members, their device keys, and leaving");
  member->require_subcommand(1);
  add_list(*member, session);
  const auto approval =
      add(*member, session, "approve", "Sign, with a device's key, that it signs for a member", approve);
  approval.app->add_option("--member", approval.flags->member, "The member's number")->required();
  const auto binding = add(*member, session, "bind", "Let a device's key sign for the wallet's member", bind);
  binding.take_device();
  binding.app->add_option("--signature", binding.flags->signature, "What `tally member approve` gave")->required();
  add(*member, session, "unbind", "End that, after the exit delay", unbind).take_device();
  add(*member, session, "exit", "Leave the task, after the exit delay", leave);
  add(*member, session, "reclaim", "Free the stake of a member that has left", reclaim);
}

void add_payout(CLI::App& app, Session& session) {
  const auto [command, flags] =
      add(app, session, "payout", "Credit a member with what its payable entries are worth by now", payout);
  command->add_option_function<std::uint64_t>(
      "--member",
      [flags](std::uint64_t member) {
        flags->member = member;
        flags->any_member = true;
      },
      "The member (default: the key's)");
  add_data_option(*command, flags->data);
}

}  // namespace tally::cli
