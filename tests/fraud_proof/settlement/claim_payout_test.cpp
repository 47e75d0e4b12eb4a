#include <gtest/gtest.h>

#include <array>

#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/settlement.h"
#include "tests/support/altered_state.h"
#include "tests/support/memory_world.h"
#include "tests/support/refused.h"
#include "tests/support/settlement_world.h"

namespace tally::proof {
namespace {

using math::ObjectId;
using test::accepted;
using test::RandomBatch;
using test::refused;
using test::SettlementWorld;
using test::SettlementWorldOptions;
using test::WorldBatch;

constexpr const char* kWages = R"(
program wages
dim K in 1..8
dim M in 2..32
record work: i64 in 0..1000
state balance: i64[M] in -5..2000
state rate: i64[M] in 0..10
table paid_work: i64 { fold k in K { s = s + work[k] } from s = 0  return s }
table balance2[m in M]: i64 in -5..2000 { return balance[m] }
next balance = balance2
payable balance to member
)";

constexpr math::u128 kUnit = 1'000;
constexpr std::uint64_t kSlots = 20;  // three leaves of 8

void set(std::vector<std::byte>& table, std::uint64_t index, math::i128 value) {
  math::write_element(table, math::ElementType::kI64, index, value);
}

class ClaimPayoutTest : public testing::Test {
 protected:
  ClaimPayoutTest() : world(options()) {
    EXPECT_TRUE(accepted(world.send(world.other(), {1'000'000'000}, Fund{.task = world.task()})));
  }

  static SettlementWorldOptions options() {
    SettlementWorldOptions options;
    options.program = test::compile_text(kWages).program;
    options.dims = {kSlots};
    options.settings.payout_unit = {kUnit};
    options.settings.max_payout_per_batch = {1'500 * kUnit};
    options.genesis = [](RandomBatch& genesis) {
      for (const ObjectId state : objects_of(options_program(), math::ObjectKind::kState)) {
        for (std::uint64_t slot = 0; slot < kSlots; ++slot) set(genesis.table(state), slot, 0);
      }
    };
    return options;
  }
  static const math::Program& options_program() {
    static const math::Program program = test::compile_text(kWages).program;
    return program;
  }

  ObjectId balance() const { return world.program().payable.front(); }
  ObjectId rate() const { return static_cast<ObjectId>(balance() + 1); }
  ObjectId next_balance() const { return world.program().next.front().table; }

  /// A final batch after which the members' balances are these. What nobody challenges becomes final.
  WorldBatch final_batch(std::array<math::i128, 2> balances, WorldBatch* parent = nullptr) {
    WorldBatch batch = world.posted({.parent = parent, .alter = [&](RandomBatch& data) {
                                       set(data.table(next_balance()), 0, balances[0]);
                                       set(data.table(next_balance()), 1, balances[1]);
                                     }});
    world.finalise(batch);
    return batch;
  }
  ClaimPayout claim_of(WorldBatch& batch, std::uint64_t member) {
    test::CommittedMemory& committed = batch.committed();
    const auto states = committed.state_commitments();
    ClaimPayout claim{
        .header = batch.header(),
        .state_commitments = next_state(world.program(), {states.begin(), states.end()}, committed.table_commitments()),
        .object = balance(),
        .member = member};
    const OpeningKey key = leaf_of(committed.batch(), balance(), member);
    math::ByteWriter writer;
    write_opening(writer, key, committed.leaf({next_balance(), 0, key.leaf}));
    claim.openings = writer.take();
    return claim;
  }
  OrRefused<Effects> claim(const ClaimPayout& claim) { return world.send(world.other(), claim); }
  Wei credit(std::uint64_t member) { return read_credit(world.state(), world.wallet(member).address()); }
  Wei paid(std::uint64_t member) { return read_paid(world.state(), world.task(), balance(), member); }

  SettlementWorld world;
};

TEST_F(ClaimPayoutTest, pays_the_wallet_what_the_entry_rose_above_earlier_payments) {
  WorldBatch first = final_batch({30, 40});
  const Wei pool = world.status().pool;
  const auto done = claim(claim_of(first, 1));
  ASSERT_TRUE(accepted(done));
  EXPECT_EQ(credit(1).value, 40 * kUnit);
  EXPECT_EQ(credit(0), Wei{});
  EXPECT_EQ(paid(1).value, 40 * kUnit);
  EXPECT_EQ(world.status().pool.value, pool.value - 40 * kUnit);
  EXPECT_EQ(read_paid_in_batch(world.state(), first.id()).value, 40 * kUnit);
  const auto event = std::get<PaidOut>(done->events.at(0));
  EXPECT_EQ(event.task, world.task());
  EXPECT_EQ(event.object, balance());
  EXPECT_EQ(event.member, 1U);
  EXPECT_EQ(event.wallet, world.wallet(1).address());
  EXPECT_EQ(event.amount.value, 40 * kUnit);
  EXPECT_TRUE(refused(claim(claim_of(first, 1)), Reason::kNothingToPay));

  WorldBatch second = final_batch({30, 100}, &first);
  ASSERT_TRUE(accepted(claim(claim_of(second, 1))));
  EXPECT_EQ(credit(1).value, 100 * kUnit);
  ASSERT_TRUE(accepted(claim(claim_of(second, 0))));
  EXPECT_EQ(credit(0).value, 30 * kUnit);
  EXPECT_EQ(read_paid_in_batch(world.state(), second.id()).value, 90 * kUnit);
}

TEST_F(ClaimPayoutTest, pays_nothing_for_an_entry_that_is_not_positive_or_fell) {
  WorldBatch first = final_batch({-5, 100});
  EXPECT_TRUE(refused(claim(claim_of(first, 0)), Reason::kNothingToPay));
  ASSERT_TRUE(accepted(claim(claim_of(first, 1))));
  WorldBatch second = final_batch({0, 60}, &first);
  EXPECT_TRUE(refused(claim(claim_of(second, 0)), Reason::kNothingToPay));
  EXPECT_TRUE(refused(claim(claim_of(second, 1)), Reason::kNothingToPay));
  WorldBatch third = final_batch({0, 101}, &second);
  ASSERT_TRUE(accepted(claim(claim_of(third, 1))));
  EXPECT_EQ(credit(1).value, 101 * kUnit);
}

TEST_F(ClaimPayoutTest, clamps_the_entry_to_the_states_range_as_a_load_does) {
  WorldBatch batch = final_batch({5'000, -100});
  EXPECT_TRUE(refused(claim(claim_of(batch, 1)), Reason::kNothingToPay));
  ASSERT_TRUE(accepted(claim(claim_of(batch, 0))));
  EXPECT_EQ(paid(0).value, 1'500 * kUnit);  // 2000, but for the batch's limit
  WorldBatch next = final_batch({5'000, 0}, &batch);
  ASSERT_TRUE(accepted(claim(claim_of(next, 0))));
  EXPECT_EQ(paid(0).value, 2'000 * kUnit);
}

TEST_F(ClaimPayoutTest, pays_no_more_than_the_batch_may_and_the_rest_in_a_later_one) {
  WorldBatch first = final_batch({1'000, 1'000});
  ASSERT_TRUE(accepted(claim(claim_of(first, 0))));
  ASSERT_TRUE(accepted(claim(claim_of(first, 1))));
  EXPECT_EQ(credit(1).value, 500 * kUnit);
  EXPECT_TRUE(refused(claim(claim_of(first, 1)), Reason::kNothingToPay));
  WorldBatch second = final_batch({1'000, 1'000}, &first);
  ASSERT_TRUE(accepted(claim(claim_of(second, 1))));
  EXPECT_EQ(credit(1).value, 1'000 * kUnit);
}

TEST_F(ClaimPayoutTest, pays_no_more_than_the_pool_has_and_the_rest_once_it_is_filled) {
  world = SettlementWorld(options());
  WorldBatch batch = final_batch({10, 10});
  EXPECT_TRUE(refused(claim(claim_of(batch, 0)), Reason::kNothingToPay));
  ASSERT_TRUE(accepted(world.send(world.other(), {10 * kUnit + 1}, Fund{.task = world.task()})));
  ASSERT_TRUE(accepted(claim(claim_of(batch, 0))));
  ASSERT_TRUE(accepted(claim(claim_of(batch, 1))));
  EXPECT_EQ(credit(1), Wei{1});
  EXPECT_EQ(world.status().pool, Wei{});
  ASSERT_TRUE(accepted(world.send(world.other(), {20 * kUnit}, Fund{.task = world.task()})));
  ASSERT_TRUE(accepted(claim(claim_of(batch, 1))));
  EXPECT_EQ(credit(1).value, 10 * kUnit);
}

TEST_F(ClaimPayoutTest, refuses_any_batch_but_the_latest_final_one) {
  WorldBatch first = final_batch({1, 2});
  WorldBatch second = world.posted({.parent = &first});
  EXPECT_TRUE(refused(claim(claim_of(second, 0)), Reason::kNotLatestFinal));
  world.finalise(second);
  EXPECT_TRUE(refused(claim(claim_of(first, 0)), Reason::kNotLatestFinal));
  EXPECT_TRUE(accepted(claim(claim_of(second, 0))));

  ClaimPayout other_task = claim_of(second, 1);
  other_task.header.task = {};
  EXPECT_TRUE(refused(claim(other_task), Reason::kNoSuchTask));
}

TEST_F(ClaimPayoutTest, refuses_before_any_batch_is_final) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(claim(claim_of(batch, 0)), Reason::kNotLatestFinal));
}

TEST_F(ClaimPayoutTest, refuses_what_is_not_payable) {
  WorldBatch batch = final_batch({1, 2});
  ClaimPayout wrong = claim_of(batch, 0);
  for (const ObjectId object : {rate(), next_balance(), math::kMemberObject, ObjectId{999}}) {
    wrong.object = object;
    EXPECT_TRUE(refused(claim(wrong), Reason::kNotPayable)) << object;
  }
}

TEST_F(ClaimPayoutTest, refuses_a_member_that_the_task_does_not_have) {
  WorldBatch batch = final_batch({1, 2});
  EXPECT_TRUE(refused(claim(claim_of(batch, 2)), Reason::kNoSuchMember));
  ClaimPayout beyond = claim_of(batch, 0);
  beyond.member = ~std::uint64_t{0};
  EXPECT_TRUE(refused(claim(beyond), Reason::kNoSuchMember));
}

TEST_F(ClaimPayoutTest, refuses_money) {
  WorldBatch batch = final_batch({1, 2});
  EXPECT_TRUE(refused(world.send(world.other(), {1}, claim_of(batch, 0)), Reason::kWrongValue));
}

TEST_F(ClaimPayoutTest, refuses_state_commitments_that_are_not_the_batchs_next_ones) {
  WorldBatch batch = final_batch({1, 2});
  const ClaimPayout good = claim_of(batch, 0);
  for (std::size_t i = 0; i < good.state_commitments.size(); ++i) {
    ClaimPayout bad = good;
    bad.state_commitments[i].bytes[7] ^= 1;
    EXPECT_TRUE(refused(claim(bad), Reason::kOpeningState));
  }
  ClaimPayout fewer = good;
  fewer.state_commitments.pop_back();
  EXPECT_TRUE(refused(claim(fewer), Reason::kOpeningState));
  ClaimPayout before = good;  // those before the batch
  const auto states = batch.committed().state_commitments();
  before.state_commitments.assign(states.begin(), states.end());
  EXPECT_TRUE(refused(claim(before), Reason::kOpeningState));
  EXPECT_TRUE(accepted(claim(good)));
}

TEST_F(ClaimPayoutTest, refuses_every_prefix_and_every_changed_byte_of_the_opening) {
  WorldBatch batch = final_batch({1, 2});
  const ClaimPayout good = claim_of(batch, 0);
  ASSERT_EQ(good.openings.size(), 16 + 64 + 2 * 32U);
  for (std::size_t size = 0; size < good.openings.size(); ++size) {
    ClaimPayout bad = good;
    bad.openings.resize(size);
    EXPECT_TRUE(refused(claim(bad), Reason::kOpeningMissing)) << size;
  }
  for (std::size_t at = 0; at < good.openings.size(); ++at) {
    ClaimPayout bad = good;
    bad.openings[at] ^= 1;
    const Reason reason = at < 14 ? Reason::kOpeningUnexpected : at < 16 ? Reason::kOpeningSize : Reason::kOpeningState;
    EXPECT_TRUE(refused(claim(bad), reason)) << at;
  }
  ClaimPayout longer = good;
  longer.openings.push_back(0);
  EXPECT_TRUE(refused(claim(longer), Reason::kOpeningTrailing));
  EXPECT_TRUE(accepted(claim(good)));
}

TEST_F(ClaimPayoutTest, an_entry_worth_more_than_all_money_is_limited_and_does_not_wrap) {
  SettlementWorldOptions rich = options();
  rich.settings.payout_unit = {~math::u128{0} / 3};
  world = SettlementWorld(std::move(rich));
  ASSERT_TRUE(accepted(world.send(world.other(), {77}, Fund{.task = world.task()})));
  WorldBatch batch = final_batch({1'000, 2'000});
  ASSERT_TRUE(accepted(claim(claim_of(batch, 0))));
  EXPECT_EQ(credit(0), Wei{77});
}

TEST_F(ClaimPayoutTest, pays_nothing_where_a_unit_is_worth_nothing) {
  SettlementWorldOptions free = options();
  free.settings.payout_unit = {};
  world = SettlementWorld(std::move(free));
  ASSERT_TRUE(accepted(world.send(world.other(), {77}, Fund{.task = world.task()})));
  WorldBatch batch = final_batch({1'000, 2'000});
  EXPECT_TRUE(refused(claim(claim_of(batch, 0)), Reason::kNothingToPay));
}

TEST_F(ClaimPayoutTest, is_refused_where_the_wallet_would_hold_more_than_128_bits) {
  WorldBatch batch = final_batch({30, 40});
  test::AlteredState altered(world.state());
  altered.put(credit_key(world.wallet(0).address()), Wei{~math::u128{0}});
  const Message message{.sender = world.other().address(), .value = {}, .transaction = claim_of(batch, 0)};
  EXPECT_TRUE(accepted(Settlement().apply(world.state(), world.chain().next_block(), message)));
  EXPECT_TRUE(refused(Settlement().apply(altered, world.chain().next_block(), message), Reason::kMoneyOverflow));
}

TEST_F(ClaimPayoutTest, of_a_batch_that_paid_more_than_it_may_is_broken) {
  WorldBatch batch = final_batch({30, 40});
  test::AlteredState altered(world.state());
  altered.put(paid_in_batch_key(batch.id()), Wei{1'500 * kUnit + 1});
  const Message message{.sender = world.other().address(), .value = {}, .transaction = claim_of(batch, 0)};
  EXPECT_THROW(static_cast<void>(Settlement().apply(altered, world.chain().next_block(), message)), BrokenState);
}

}  // namespace
}  // namespace tally::proof
