#include "tests/simulator/members.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "chain_adapter/keys/development_keys.h"
#include "sequencer/trainer/payout.h"

namespace tally::simulator {

namespace {

constexpr std::uint64_t kFirstMembers = 3;
// The pool may be too small for a while.
constexpr proof::Wei kFunding{200'000'000'000'000'000};
constexpr std::uint64_t kFundings = 2;
constexpr std::uint64_t kBetweenFundingsS = 20'000;

/// Whether it is done.
bool send(chain::ChainAdapter& chain, const proof::PrivateKey& key, const proof::Transaction& transaction,
          const proof::Wei& value = {}) {
  return !chain::submit_and_wait(chain, {.key = key, .value = value, .transaction = transaction}).refusal;
}

bool withdraw(chain::ChainAdapter& chain, const proof::PrivateKey& key) {
  if (proof::read_credit(chain.state(), key.address()) == proof::Wei{}) return true;
  return send(chain, key, proof::Withdraw{});
}

/// One look of a member; whether all that can be done now is done.
class Life {
 public:
  Life(World& world, const Membership& membership, chain::ChainAdapter& chain)
      : x_world(world), x_membership(membership), x_chain(chain), x_task(world.task().task()) {}

  bool go_on() {
    const auto binding = proof::read_binding(x_chain.state(), x_task, x_membership.wallet.address());
    if (!binding) return send(x_chain, x_membership.wallet, proof::Register{.task = x_task}, stake()) && go_on();
    x_member = binding->member;
    if (x_membership.device != nullptr && !settle_device()) return false;
    if (x_membership.leaves && !leave()) return false;
    return withdraw(x_chain, x_membership.wallet);
  }

 private:
  [[nodiscard]] const proof::Wei& stake() const { return x_world.settings().min_stake; }

  bool settle_device() {
    const proof::PrivateKey& device = *x_membership.device;
    const auto bound = proof::read_binding(x_chain.state(), x_task, device.address());
    if (!bound) return send(x_chain, x_membership.wallet, binding_of(device));
    if (!x_membership.unbinds || bound->unbound_s != proof::kNever) return true;
    return send(x_chain, x_membership.wallet,
                proof::UnbindKey{.task = x_task, .member = x_member, .key = device.address()});
  }

  proof::BindKey binding_of(const proof::PrivateKey& device) {
    const chain::ChainIdentity identity = x_chain.identity();
    const auto domain = proof::domain_separator(proof::tallystick_domain(identity.chain_id, identity.contract));
    const auto hash = proof::key_binding_hash(domain, x_task, x_member, x_membership.wallet.address());
    return {.task = x_task, .member = x_member, .key = device.address(), .signature = proof::sign(device, hash.bytes)};
  }

  bool leave() {
    const auto member = proof::read_member(x_chain.state(), x_task, x_member);
    if (!member) return false;
    if (member->exit_at_s == proof::kNever) {
      return send(x_chain, x_membership.wallet, proof::RequestExit{.task = x_task, .member = x_member});
    }
    if (x_chain.head().time_s < member->exit_at_s || member->stake == proof::Wei{}) return true;
    return send(x_chain, x_membership.wallet, proof::WithdrawStake{.task = x_task, .member = x_member});
  }

  World& x_world;
  const Membership& x_membership;
  chain::ChainAdapter& x_chain;
  const proof::TaskId& x_task;
  std::uint64_t x_member = 0;
};

bool fund(World& world, chain::ChainAdapter& chain) {
  std::uint64_t funded = 0;
  for (const chain::LoggedEvent& logged : chain.events(0, 100'000)) {
    if (std::holds_alternative<proof::Funded>(logged.event)) ++funded;
  }
  const std::uint64_t age_s = chain.head().time_s - world.chain().genesis().start_s;
  if (funded >= kFundings || age_s < funded * kBetweenFundingsS) return true;
  return send(chain, founder_key(), proof::Fund{.task = world.task().task()}, kFunding);
}

}  // namespace

const proof::PrivateKey& founder_key() {
  static const proof::PrivateKey key = chain::development_key(6'000'000);
  return key;
}
const proof::PrivateKey& newcomer_key() {
  static const proof::PrivateKey key = chain::development_key(6'000'001);
  return key;
}
const proof::PrivateKey& newcomer_device_key() {
  static const proof::PrivateKey key = chain::development_key(6'000'002);
  return key;
}

std::unique_ptr<Party> make_member(World& world, const Membership& membership) {
  const auto start = [&world, membership]() -> Party::Run {
    return [&world, membership](chain::ChainAdapter& chain) { return !Life(world, membership, chain).go_on(); };
  };
  const auto interest = [&world, self = membership.wallet.address()](const proof::Event& event,
                                                                     std::uint64_t /*time_s*/,
                                                                     std::uint64_t heard_s) -> std::uint64_t {
    // Each step is taken once the one before it is seen, and may be taken back meanwhile.
    if (const auto* const exit = std::get_if<proof::ExitRequested>(&event)) return after(world, exit->exit_at_s);
    const bool is_step =
        std::holds_alternative<proof::Registered>(event) || std::holds_alternative<proof::KeyBound>(event) ||
        std::holds_alternative<proof::KeyUnbound>(event) || std::holds_alternative<proof::StakeWithdrawn>(event);
    if (is_step) return heard_s;
    const auto* const paid = std::get_if<proof::PaidOut>(&event);
    return paid != nullptr && paid->wallet == self ? heard_s : 0;
  };
  return std::make_unique<Party>(world, membership.name, membership.wallet, start, interest);
}

std::unique_ptr<Party> make_payee(World& world) {
  const auto start = [&world]() -> Party::Run {
    return [&world](chain::ChainAdapter& chain) {
      const proof::PrivateKey& key = world.task().wallet(0);
      const auto status = proof::read_task_status(chain.state(), world.task().task());
      const PooledBatch* const batch = world.task().find(status->final_batch);
      if (batch == nullptr) return false;
      bool failed = false;
      for (std::uint64_t member = 0; member < kFirstMembers; ++member) {
        const auto refusal = sequencer::pay_out(chain, key, world.task().stored(*batch).data(), member).refusal;
        failed = failed || (refusal && refusal->reason != proof::Reason::kNothingToPay);
      }
      return !withdraw(chain, key) || failed;
    };
  };
  const auto interest = [](const proof::Event& event, std::uint64_t /*time_s*/,
                           std::uint64_t heard_s) -> std::uint64_t {
    const bool pays = std::holds_alternative<proof::Finalized>(event) || std::holds_alternative<proof::Funded>(event) ||
                      std::holds_alternative<proof::PaidOut>(event);
    return pays ? heard_s : 0;
  };
  return std::make_unique<Party>(world, "payee", world.task().wallet(0), start, interest);
}

std::unique_ptr<Party> make_founder(World& world) {
  proof::CreateTask creation = world.task().prepared().transaction;
  for (std::uint8_t& byte : creation.salt) byte = static_cast<std::uint8_t>(world.random().next());
  proof::TaskPreimage preimage = world.task().prepared().preimage;
  preimage.creator = founder_key().address();
  preimage.salt = creation.salt;
  const auto start = [&world, creation, task = proof::task_id(preimage)]() -> Party::Run {
    return [&world, creation, task](chain::ChainAdapter& chain) {
      if (!proof::read_task(chain.state(), task) && !send(chain, founder_key(), creation)) return true;
      return !fund(world, chain);
    };
  };
  const auto interest = [&world](const proof::Event& event, std::uint64_t time_s,
                                 std::uint64_t /*heard_s*/) -> std::uint64_t {
    return std::holds_alternative<proof::Funded>(event) ? after(world, time_s + kBetweenFundingsS) : 0;
  };
  return std::make_unique<Party>(world, "founder", founder_key(), start, interest);
}

}  // namespace tally::simulator
