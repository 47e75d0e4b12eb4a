#include <gtest/gtest.h>

#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/signing/eip712.h"
#include "tests/support/refused.h"
#include "tests/support/settlement_world.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::refused;
using test::SettlementWorld;
using test::SettlementWorldOptions;
using test::small_key;

constexpr TaskId kNoTask{};

class MembersTest : public testing::Test {
 protected:
  explicit MembersTest(SettlementWorldOptions options = {}) : world(std::move(options)) {}

  /// What the key signs to be bound to the member's wallet.
  BindKey binding(std::uint64_t member, const PrivateKey& key) {
    const chain::ChainIdentity identity = world.chain().identity();
    const KeccakDigest domain = domain_separator(tallystick_domain(identity.chain_id, identity.contract));
    const KeccakDigest hash = key_binding_hash(domain, world.task(), member, world.wallet(member).address());
    return {.task = world.task(), .member = member, .key = key.address(), .signature = sign(key, hash.bytes)};
  }
  OrRefused<Effects> bind(std::uint64_t member, const PrivateKey& key) {
    return world.send(world.wallet(member), binding(member, key));
  }
  OrRefused<Effects> unbind(std::uint64_t member, const PrivateKey& key) {
    return world.send(world.wallet(member), UnbindKey{.task = world.task(), .member = member, .key = key.address()});
  }
  OrRefused<Effects> leave(std::uint64_t member) {
    return world.send(world.wallet(member), RequestExit{.task = world.task(), .member = member});
  }
  OrRefused<Effects> withdraw_stake(std::uint64_t member) {
    return world.send(world.wallet(member), WithdrawStake{.task = world.task(), .member = member});
  }
  MemberRecord member(std::uint64_t number) { return *read_member(world.state(), world.task(), number); }
  std::optional<BindingRecord> bound(const PrivateKey& key) {
    return read_binding(world.state(), world.task(), key.address());
  }

  SettlementWorld world;
};

/// A task whose program has three slots for members, two of them taken.
class JoiningTest : public MembersTest {
 protected:
  JoiningTest() : MembersTest(options()) {}
  static SettlementWorldOptions options() {
    SettlementWorldOptions options;
    options.program.dims[1].hi = 3;
    // member[k] ranges over the slots.
    options.program.objects[math::kMemberObject].range.hi = 2;
    options.dims = {3, 3};
    return options;
  }
  OrRefused<Effects> join(const PrivateKey& wallet, const Wei& stake) {
    return world.send(wallet, stake, Register{.task = world.task()});
  }
};

TEST_F(JoiningTest, a_sender_becomes_the_next_member_and_its_wallet) {
  world.chain().advance(50);
  const auto joined = join(world.other(), {world.settings().min_stake.value + 7});
  ASSERT_TRUE(accepted(joined));
  EXPECT_EQ(world.status().members, 3U);
  const MemberRecord record = member(2);
  EXPECT_EQ(record.wallet, world.other().address());
  EXPECT_EQ(record.stake.value, world.settings().min_stake.value + 7);
  EXPECT_EQ(record.registered_s, world.chain().head().time_s);
  EXPECT_EQ(record.exit_at_s, kNever);
  const auto binding = bound(world.other());
  ASSERT_TRUE(binding.has_value());
  EXPECT_EQ(binding->member, 2U);
  EXPECT_EQ(binding->bound_s, world.chain().head().time_s);
  EXPECT_EQ(binding->unbound_s, kNever);
  const auto event = std::get<Registered>(joined->events.at(0));
  EXPECT_EQ(event.member, 2U);
  EXPECT_EQ(event.wallet, world.other().address());
  EXPECT_EQ(event.stake, record.stake);
}

TEST_F(JoiningTest, refuses_a_member_beyond_the_last_slot) {
  ASSERT_TRUE(accepted(join(world.other(), world.settings().min_stake)));
  EXPECT_TRUE(refused(join(world.poster(), world.settings().min_stake), Reason::kNoMemberSlots));
}

TEST_F(JoiningTest, refuses_a_stake_that_is_too_small) {
  EXPECT_TRUE(refused(join(world.other(), {world.settings().min_stake.value - 1}), Reason::kStakeTooSmall));
}

TEST_F(JoiningTest, refuses_an_address_that_is_a_wallet_or_a_device_key_of_the_task) {
  EXPECT_TRUE(refused(join(world.wallet(0), world.settings().min_stake), Reason::kAddressTaken));
  ASSERT_TRUE(accepted(bind(0, world.other())));
  EXPECT_TRUE(refused(join(world.other(), world.settings().min_stake), Reason::kAddressTaken));
}

TEST_F(JoiningTest, refuses_one_who_has_left_even_where_a_slot_is_free) {
  ASSERT_TRUE(accepted(leave(0)));
  world.chain().advance(world.settings().exit_delay_s);
  ASSERT_TRUE(accepted(withdraw_stake(0)));
  EXPECT_TRUE(refused(join(world.wallet(0), world.settings().min_stake), Reason::kAddressTaken));
}

TEST_F(JoiningTest, the_same_address_may_join_two_tasks) {
  CreateTask another = world.creation();
  another.salt.front() = 9;
  const auto created = world.send(world.creator(), another);
  ASSERT_TRUE(accepted(created));
  const TaskId task = std::get<TaskCreated>(created->events.at(0)).task;
  EXPECT_TRUE(accepted(world.send(world.wallet(0), world.settings().min_stake, Register{.task = task})));
}

TEST_F(MembersTest, there_must_be_such_a_task_and_such_a_member) {
  const PrivateKey& wallet = world.wallet(0);
  const TaskId task = world.task();
  EXPECT_TRUE(refused(world.send(wallet, {1}, Fund{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, {1}, Register{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, BindKey{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, UnbindKey{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, RequestExit{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, WithdrawStake{.task = kNoTask}), Reason::kNoSuchTask));
  EXPECT_TRUE(refused(world.send(wallet, BindKey{.task = task, .member = 2}), Reason::kNoSuchMember));
  EXPECT_TRUE(refused(world.send(wallet, UnbindKey{.task = task, .member = 2}), Reason::kNoSuchMember));
  EXPECT_TRUE(refused(world.send(wallet, RequestExit{.task = task, .member = 2}), Reason::kNoSuchMember));
  EXPECT_TRUE(refused(world.send(wallet, WithdrawStake{.task = task, .member = 2}), Reason::kNoSuchMember));
}

TEST_F(MembersTest, only_the_wallet_speaks_for_a_member_and_no_device_key_does) {
  const PrivateKey device = small_key(50);
  ASSERT_TRUE(accepted(bind(0, device)));
  for (const PrivateKey* sender : {&device, &world.wallet(1), &world.other()}) {
    const TaskId task = world.task();
    EXPECT_TRUE(refused(world.send(*sender, binding(0, small_key(51))), Reason::kNotTheWallet));
    EXPECT_TRUE(refused(world.send(*sender, UnbindKey{.task = task, .key = device.address()}), Reason::kNotTheWallet));
    EXPECT_TRUE(refused(world.send(*sender, RequestExit{.task = task}), Reason::kNotTheWallet));
    EXPECT_TRUE(refused(world.send(*sender, WithdrawStake{.task = task}), Reason::kNotTheWallet));
  }
}

TEST_F(MembersTest, binds_a_key_that_signed_for_it) {
  const PrivateKey device = small_key(50);
  world.chain().advance(20);
  const auto done = bind(1, device);
  ASSERT_TRUE(accepted(done));
  EXPECT_EQ(bound(device)->member, 1U);
  EXPECT_EQ(bound(device)->bound_s, world.chain().head().time_s);
  EXPECT_EQ(bound(device)->unbound_s, kNever);
  EXPECT_EQ(member(1).device_keys, 1);
  const auto event = std::get<KeyBound>(done->events.at(0));
  EXPECT_EQ(event.task, world.task());
  EXPECT_EQ(event.member, 1U);
  EXPECT_EQ(event.key, device.address());
}

TEST_F(MembersTest, refuses_a_binding_that_the_key_did_not_sign_for_this_member_task_wallet_and_chain) {
  const PrivateKey device = small_key(50);
  const BindKey good = binding(0, device);
  const auto refuses = [&](const BindKey& bad, std::uint64_t sender = 0) {
    return refused(world.send(world.wallet(sender), bad), Reason::kKeySignature);
  };
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{63}, std::size_t{64}}) {
    BindKey corrupt = good;
    corrupt.signature.bytes.at(at) ^= 1;
    EXPECT_TRUE(refuses(corrupt));
  }
  BindKey another_key = good;
  another_key.key = small_key(51).address();
  EXPECT_TRUE(refuses(another_key));
  BindKey another_member = good;
  another_member.member = 1;
  EXPECT_TRUE(refuses(another_member, 1));

  const auto signed_for = [&](std::uint64_t chain_id, const Address& contract, const TaskId& task,
                              const Address& wallet) {
    BindKey bad = good;
    const KeccakDigest hash =
        key_binding_hash(domain_separator(tallystick_domain(chain_id, contract)), task, 0, wallet);
    bad.signature = sign(device, hash.bytes);
    return bad;
  };
  const chain::ChainIdentity identity = world.chain().identity();
  const Address wallet = world.wallet(0).address();
  EXPECT_TRUE(refuses(signed_for(identity.chain_id + 1, identity.contract, world.task(), wallet)));
  EXPECT_TRUE(refuses(signed_for(identity.chain_id, {}, world.task(), wallet)));
  EXPECT_TRUE(refuses(signed_for(identity.chain_id, identity.contract, kNoTask, wallet)));
  EXPECT_TRUE(refuses(signed_for(identity.chain_id, identity.contract, world.task(), device.address())));
  EXPECT_TRUE(
      accepted(world.send(world.wallet(0), signed_for(identity.chain_id, identity.contract, world.task(), wallet))));
}

TEST_F(MembersTest, refuses_a_key_that_is_any_members_wallet_or_key) {
  const PrivateKey device = small_key(50);
  EXPECT_TRUE(refused(bind(0, world.wallet(0)), Reason::kAddressTaken));
  EXPECT_TRUE(refused(bind(0, world.wallet(1)), Reason::kAddressTaken));
  ASSERT_TRUE(accepted(bind(0, device)));
  EXPECT_TRUE(refused(bind(0, device), Reason::kAddressTaken));
  EXPECT_TRUE(refused(bind(1, device), Reason::kAddressTaken));
  ASSERT_TRUE(accepted(unbind(0, device)));
  world.chain().advance(2 * world.settings().exit_delay_s);
  EXPECT_TRUE(refused(bind(1, device), Reason::kAddressTaken));
}

TEST_F(MembersTest, binds_five_keys_and_counts_those_that_were_unbound) {
  for (std::uint8_t i = 0; i < kMaxDeviceKeys; ++i) {
    ASSERT_TRUE(accepted(bind(0, small_key(static_cast<std::uint8_t>(50 + i)))));
  }
  EXPECT_TRUE(refused(bind(0, small_key(60)), Reason::kTooManyKeys));
  ASSERT_TRUE(accepted(unbind(0, small_key(50))));
  world.chain().advance(2 * world.settings().exit_delay_s);
  EXPECT_TRUE(refused(bind(0, small_key(60)), Reason::kTooManyKeys));
  EXPECT_TRUE(accepted(bind(1, small_key(60))));
}

TEST_F(MembersTest, unbinding_takes_effect_after_the_exit_delay_and_leaves_the_binding_on_record) {
  const PrivateKey device = small_key(50);
  ASSERT_TRUE(accepted(bind(0, device)));
  const std::uint64_t bound_s = bound(device)->bound_s;
  world.chain().advance(30);
  const auto done = unbind(0, device);
  ASSERT_TRUE(accepted(done));
  const std::uint64_t at_s = world.chain().head().time_s + world.settings().exit_delay_s;
  EXPECT_EQ(bound(device)->bound_s, bound_s);
  EXPECT_EQ(bound(device)->unbound_s, at_s);
  const auto event = std::get<KeyUnbound>(done->events.at(0));
  EXPECT_EQ(event.key, device.address());
  EXPECT_EQ(event.at_s, at_s);

  world.chain().advance(5);
  EXPECT_TRUE(refused(unbind(0, device), Reason::kAlreadyUnbinding));
  EXPECT_EQ(bound(device)->unbound_s, at_s);
}

TEST_F(MembersTest, refuses_to_unbind_what_is_no_device_key_of_the_member) {
  const PrivateKey device = small_key(50);
  ASSERT_TRUE(accepted(bind(1, device)));
  EXPECT_TRUE(refused(unbind(0, device), Reason::kNoSuchKey));
  EXPECT_TRUE(refused(unbind(0, small_key(51)), Reason::kNoSuchKey));
  EXPECT_TRUE(refused(unbind(0, world.wallet(0)), Reason::kNoSuchKey));
}

TEST_F(MembersTest, a_member_leaves_after_the_exit_delay_with_its_whole_stake_and_once) {
  const Address wallet = world.wallet(0).address();
  const Wei stake = member(0).stake;
  EXPECT_TRUE(refused(withdraw_stake(0), Reason::kNotExited));
  const auto left = leave(0);
  ASSERT_TRUE(accepted(left));
  const std::uint64_t exit_at_s = world.chain().head().time_s + world.settings().exit_delay_s;
  EXPECT_EQ(member(0).exit_at_s, exit_at_s);
  EXPECT_EQ(std::get<ExitRequested>(left->events.at(0)).exit_at_s, exit_at_s);

  world.chain().advance(world.settings().exit_delay_s - 1);
  EXPECT_TRUE(refused(leave(0), Reason::kAlreadyExiting));
  EXPECT_TRUE(refused(withdraw_stake(0), Reason::kNotExited));
  world.chain().advance(1);
  const auto withdrawn = withdraw_stake(0);
  ASSERT_TRUE(accepted(withdrawn));
  EXPECT_EQ(std::get<StakeWithdrawn>(withdrawn->events.at(0)).amount, stake);
  EXPECT_EQ(read_credit(world.state(), wallet), stake);
  EXPECT_EQ(member(0).stake, Wei{});
  EXPECT_EQ(member(0).exit_at_s, exit_at_s);
  EXPECT_TRUE(refused(withdraw_stake(0), Reason::kStakeWithdrawn));
  EXPECT_EQ(read_credit(world.state(), wallet), stake);
}

// Pitfall 22: settling only credits; each owner withdraws for itself.
TEST_F(MembersTest, credit_is_withdrawn_by_its_owner_at_once_and_once) {
  ASSERT_TRUE(accepted(leave(0)));
  world.chain().advance(world.settings().exit_delay_s);
  ASSERT_TRUE(accepted(withdraw_stake(0)));
  const Address wallet = world.wallet(0).address();
  const Wei before = world.chain().balance(wallet);
  EXPECT_TRUE(refused(world.send(world.other(), Withdraw{}), Reason::kNothingToWithdraw));

  const auto done = world.send(world.wallet(0), Withdraw{});
  ASSERT_TRUE(accepted(done));
  EXPECT_EQ(std::get<Withdrawn>(done->events.at(0)).amount, world.settings().min_stake);
  EXPECT_EQ(world.chain().balance(wallet).value, before.value + world.settings().min_stake.value);
  EXPECT_EQ(read_credit(world.state(), wallet), Wei{});
  EXPECT_TRUE(refused(world.send(world.wallet(0), Withdraw{}), Reason::kNothingToWithdraw));
}

TEST_F(MembersTest, transactions_that_take_no_money_refuse_it) {
  const PrivateKey& wallet = world.wallet(0);
  const TaskId task = world.task();
  const Wei one{1};
  EXPECT_TRUE(refused(world.send(wallet, one, binding(0, small_key(50))), Reason::kWrongValue));
  EXPECT_TRUE(refused(world.send(wallet, one, UnbindKey{.task = task}), Reason::kWrongValue));
  EXPECT_TRUE(refused(world.send(wallet, one, RequestExit{.task = task}), Reason::kWrongValue));
  EXPECT_TRUE(refused(world.send(wallet, one, WithdrawStake{.task = task}), Reason::kWrongValue));
  EXPECT_TRUE(refused(world.send(wallet, one, Withdraw{}), Reason::kWrongValue));
}

TEST_F(MembersTest, a_pool_is_filled_by_anyone_up_to_the_last_wei) {
  const auto funded = world.send(world.other(), {5}, Fund{.task = world.task()});
  ASSERT_TRUE(accepted(funded));
  EXPECT_EQ(world.status().pool, Wei{5});
  EXPECT_EQ(std::get<Funded>(funded->events.at(0)).by, world.other().address());
  EXPECT_EQ(std::get<Funded>(funded->events.at(0)).amount, Wei{5});
  ASSERT_TRUE(accepted(world.send(world.poster(), {6}, Fund{.task = world.task()})));
  EXPECT_EQ(world.status().pool, Wei{11});
  EXPECT_TRUE(refused(world.send(world.poster(), Fund{.task = world.task()}), Reason::kWrongValue));

  const auto beyond =
      world.chain().simulate(world.other().address(), {~math::u128{0} - 10}, Fund{.task = world.task()});
  EXPECT_TRUE(refused(beyond, Reason::kMoneyOverflow));
  EXPECT_TRUE(
      accepted(world.chain().simulate(world.other().address(), {~math::u128{0} - 11}, Fund{.task = world.task()})));
}

TEST_F(MembersTest, sign_from_their_binding_until_they_unbind_or_leave) {
  const PrivateKey key = small_key(200);
  EXPECT_FALSE(signer_term(world.state(), world.task(), key.address()).has_value());
  world.chain().advance(10);
  const std::uint64_t bound_at = world.chain().head().time_s;
  ASSERT_TRUE(bind(1, key).has_value());
  const auto until = [&] { return signer_term(world.state(), world.task(), key.address()).value().until_s; };
  EXPECT_EQ(signer_term(world.state(), world.task(), key.address())->member, 1U);
  EXPECT_EQ(signer_term(world.state(), world.task(), key.address())->from_s, bound_at);
  EXPECT_EQ(until(), kNever);
  ASSERT_TRUE(leave(1).has_value());
  const std::uint64_t left_at = member(1).exit_at_s;
  EXPECT_EQ(until(), left_at);
  world.chain().advance(10);
  ASSERT_TRUE(unbind(1, key).has_value());
  EXPECT_GT(bound(key)->unbound_s, left_at);
  EXPECT_EQ(until(), left_at) << "the earlier of both";
  EXPECT_FALSE(signer_term(world.state(), kNoTask, key.address()).has_value());
}

}  // namespace
}  // namespace tally::proof
