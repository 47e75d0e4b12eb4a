#include <gtest/gtest.h>

#include <functional>

#include "fraud_proof/settlement/money.h"
#include "fraud_proof/settlement/settlement.h"
#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::forged;
using test::quick_settings;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

constexpr std::uint64_t kPeriod = 1000;
constexpr std::uint64_t kRequestPeriod = 500;
constexpr std::uint64_t kWindow = 100;

// Leaves of small_program()'s inputs.
constexpr OpeningKey kRecord{math::kMemberObject, 1, 0};
constexpr OpeningKey kRow{test::kUpdates, 2, 0};
constexpr OpeningKey kState{test::kCredit, 0, 0};
constexpr OpeningKey kAdvice{test::kMiddle, 0, 0};

class RequestsTest : public testing::Test {
 protected:
  explicit RequestsTest(const Wei& bond = {10'000'000'000'000'000}) : world({.settings = settings_with(bond)}) {}

  static TaskSettings settings_with(const Wei& bond) {
    TaskSettings settings = quick_settings();
    settings.availability = LeafRequests{.max_requests = 100, .request_bond = bond};
    return settings;
  }

  OrRefused<Effects> request(WorldBatch& batch, const OpeningKey& leaf) {
    return world.send(world.challenger(), bond(), RequestLeaf{.header = batch.header(), .leaf = leaf});
  }
  AnswerRequest answer_of(WorldBatch& batch, const OpeningKey& leaf) {
    OpeningWriter writer(batch.committed().batch(), batch.committed());
    writer.open(leaf);
    return {.header = batch.header(), .leaf = leaf, .openings = writer.take()};
  }
  OrRefused<Effects> answer(WorldBatch& batch, const OpeningKey& leaf) {
    return world.send(world.poster(), answer_of(batch, leaf));
  }
  OrRefused<Effects> claim(WorldBatch& batch, const OpeningKey& leaf) {
    return world.send(world.other(), ClaimWithheld{.header = batch.header(), .leaf = leaf});
  }
  [[nodiscard]] Wei bond() const { return std::get<LeafRequests>(world.settings().availability).request_bond; }
  [[nodiscard]] Split split(const Wei& amount) const { return split_bond(amount, world.settings().burn_bps); }

  SettlementWorld world;
};

TEST_F(RequestsTest, keeps_who_asked_and_when) {
  WorldBatch batch = world.posted();
  const auto effects = request(batch, kRow);
  ASSERT_TRUE(accepted(effects));
  const auto& event = std::get<LeafRequested>(effects->events.at(0));
  EXPECT_EQ(event.batch, batch.id());
  EXPECT_EQ(event.leaf, kRow);
  EXPECT_EQ(event.by, world.challenger().address());
  const auto record = read_request(world.state(), batch.id(), kRow);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->requester, world.challenger().address());
  EXPECT_EQ(record->bond, bond());
  EXPECT_EQ(record->requested_s, world.chain().head().time_s);
  EXPECT_EQ(record->state, RequestState::kOpen);
  EXPECT_EQ(world.node(batch.id()).open_requests, 1U);
}

TEST_F(RequestsTest, every_kind_of_input_can_be_demanded_and_given) {
  WorldBatch batch = world.posted();
  for (const OpeningKey& leaf : {kRecord, kRow, kState, kAdvice}) {
    ASSERT_TRUE(accepted(request(batch, leaf))) << leaf.object;
    ASSERT_TRUE(accepted(answer(batch, leaf))) << leaf.object;
  }
  EXPECT_EQ(world.node(batch.id()).open_requests, 0U);
  world.chain().advance(kPeriod);
  EXPECT_TRUE(accepted(finalize(world, batch)));
}

TEST_F(RequestsTest, a_poster_who_is_kept_off_the_chain_for_the_budget_still_has_the_time_of_an_answer) {
  const TaskSettings& settings = world.settings();
  ASSERT_EQ(settings.window_s, settings.censorship_budget_s + settings.move_time_s) << "the least that a task may have";
  WorldBatch batch = world.posted();
  world.chain().advance(settings.request_period_s - 1);
  ASSERT_TRUE(accepted(request(batch, kRow)));
  world.chain().advance(settings.censorship_budget_s);
  EXPECT_TRUE(refused(claim(batch, kRow), Reason::kWindowRunning));
  world.chain().advance(settings.move_time_s);
  EXPECT_TRUE(accepted(answer(batch, kRow)));
  // Whoever waited for the leaf has as long again to replay and to open a game.
  world.chain().advance(settings.censorship_budget_s + settings.move_time_s);
  EXPECT_TRUE(refused(finalize(world, batch), Reason::kPeriodRunning));
}

TEST_F(RequestsTest, an_answer_is_paid_for_its_gas_and_the_rest_goes_back) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRow)));
  const AnswerRequest transaction = answer_of(batch, kRow);
  const auto effects = world.send(world.poster(), transaction);
  ASSERT_TRUE(accepted(effects));
  const Split parts = split(bond());
  const math::u128 fee = math::u128{answer_gas(transaction.openings.size())} * 1'000'000'000 * 11 / 10;
  ASSERT_LT(fee, parts.reward.value);
  EXPECT_EQ(credit_of(world, world.poster()).value, fee);
  EXPECT_EQ(credit_of(world, world.challenger()).value, parts.reward.value - fee);
  EXPECT_EQ(read_burned(world.state()), parts.burned);
  const auto& event = std::get<RequestAnswered>(effects->events.at(0));
  EXPECT_EQ(event.openings, transaction.openings);
  EXPECT_EQ(event.leaf, kRow);
  EXPECT_EQ(event.by, world.poster().address());
  const auto record = read_request(world.state(), batch.id(), kRow);
  EXPECT_EQ(record->state, RequestState::kAnswered);
  EXPECT_EQ(record->bond, Wei{});
}

class CheapRequestsTest : public RequestsTest {
 protected:
  CheapRequestsTest() : RequestsTest({1001}) {}
};

TEST_F(CheapRequestsTest, an_answer_is_paid_no_more_than_the_bond_less_the_burn) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRecord)));
  ASSERT_TRUE(accepted(answer(batch, kRecord)));
  EXPECT_EQ(credit_of(world, world.poster()), Wei{501});
  EXPECT_EQ(credit_of(world, world.challenger()), Wei{});
  EXPECT_EQ(read_burned(world.state()), Wei{500});
}

TEST_F(RequestsTest, refuses_a_batch_that_is_not_there_and_a_wrong_bond) {
  WorldBatch unposted = world.make_batch();
  EXPECT_TRUE(refused(request(unposted, kRecord), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(answer(unposted, kRecord), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(claim(unposted, kRecord), Reason::kNoSuchBatch));
  WorldBatch batch = world.posted();
  for (const Wei& value : {Wei{}, Wei{bond().value - 1}, Wei{bond().value + 1}}) {
    EXPECT_TRUE(refused(world.send(world.challenger(), value, RequestLeaf{.header = batch.header(), .leaf = kRecord}),
                        Reason::kWrongValue));
  }
}

// Computed tables are descended to in a game, and each leaf has but one name.
TEST_F(RequestsTest, only_leaves_of_inputs_can_be_demanded) {
  WorldBatch batch = world.posted();
  for (const OpeningKey& leaf :
       {OpeningKey{test::kTotal, 0, 0}, OpeningKey{math::kMemberObject, 3, 0}, OpeningKey{math::kMemberObject, 0, 1},
        OpeningKey{math::kNonceObject, 0, 0}, OpeningKey{test::kExamples, 0, 0}, OpeningKey{test::kUpdates, 0, 1},
        OpeningKey{test::kUpdates, 3, 0}, OpeningKey{test::kCredit, 1, 0}, OpeningKey{test::kMiddle, 0, 1},
        OpeningKey{99, 0, 0}}) {
    EXPECT_TRUE(refused(request(batch, leaf), Reason::kNoSuchEntry)) << leaf.object << " " << leaf.record;
  }
}

TEST_F(RequestsTest, a_leaf_is_demanded_once_ever) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRecord)));
  EXPECT_TRUE(refused(request(batch, kRecord), Reason::kRequestExists));
  ASSERT_TRUE(accepted(answer(batch, kRecord)));
  EXPECT_TRUE(refused(request(batch, kRecord), Reason::kRequestExists));
  EXPECT_TRUE(refused(answer(batch, kRecord), Reason::kRequestAnswered));
  world.chain().advance(kWindow + 1);
  EXPECT_TRUE(refused(claim(batch, kRecord), Reason::kRequestAnswered));
  EXPECT_TRUE(refused(answer(batch, kRow), Reason::kNoSuchRequest));
  EXPECT_TRUE(refused(claim(batch, kRow), Reason::kNoSuchRequest));
}

TEST_F(RequestsTest, leaves_are_demanded_while_the_batch_is_younger_than_the_request_period) {
  WorldBatch batch = world.posted();
  world.chain().advance(kRequestPeriod - 1);
  EXPECT_TRUE(accepted(request(batch, kRecord)));
  world.chain().advance(1);
  EXPECT_TRUE(refused(request(batch, kRow), Reason::kPeriodOver));
}

TEST_F(RequestsTest, batches_that_are_lost_dead_or_final_answer_for_nothing_more) {
  WorldBatch bad = world.posted(forged());
  WorldBatch orphan = world.posted({.parent = &bad});
  disprove(world, bad);
  EXPECT_TRUE(refused(request(bad, kRecord), Reason::kBatchLost));
  EXPECT_TRUE(refused(request(orphan, kRecord), Reason::kBatchDead));
  WorldBatch good = world.posted({.random_seed = 2});
  world.chain().advance(kPeriod);
  ASSERT_TRUE(accepted(finalize(world, good)));
  EXPECT_TRUE(refused(request(good, kRecord), Reason::kBatchFinal));
}

TEST_F(RequestsTest, an_answer_is_in_time_up_to_the_end_of_the_window) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRecord)));
  ASSERT_TRUE(accepted(request(batch, kState)));
  world.chain().advance(kWindow);
  EXPECT_TRUE(refused(claim(batch, kRecord), Reason::kWindowRunning));
  EXPECT_TRUE(accepted(answer(batch, kRecord)));
  world.chain().advance(1);
  EXPECT_TRUE(refused(answer(batch, kState), Reason::kAnswerTooLate));
  EXPECT_TRUE(accepted(claim(batch, kState)));
}

TEST_F(RequestsTest, an_answer_is_the_leaf_with_its_path_and_nothing_else) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRow)));
  const AnswerRequest good = answer_of(batch, kRow);
  const auto send_changed = [&](const std::function<void(std::vector<std::uint8_t>&)>& change) {
    AnswerRequest changed = good;
    change(changed.openings);
    return world.send(world.poster(), changed);
  };
  EXPECT_TRUE(refused(send_changed([](auto& bytes) { bytes.clear(); }), Reason::kOpeningMissing));
  EXPECT_TRUE(refused(send_changed([](auto& bytes) { bytes.pop_back(); }), Reason::kOpeningMissing));
  EXPECT_TRUE(refused(send_changed([](auto& bytes) { bytes.push_back(0); }), Reason::kOpeningTrailing));
  EXPECT_TRUE(refused(send_changed([](auto& bytes) { bytes[20] ^= 1; }), Reason::kOpeningRecord));
  EXPECT_TRUE(refused(send_changed([](auto& bytes) { bytes.back() ^= 1; }), Reason::kOpeningRow));
  EXPECT_TRUE(refused(send_changed([&](auto& bytes) { bytes = answer_of(batch, kState).openings; }),
                      Reason::kOpeningUnexpected));
  EXPECT_TRUE(accepted(world.send(world.poster(), good)));
}

TEST_F(RequestsTest, a_leaf_that_is_withheld_loses_the_batch_to_who_asked) {
  WorldBatch batch = world.posted();
  ASSERT_TRUE(accepted(request(batch, kRow)));
  world.chain().advance(kWindow + 1);
  const auto effects = claim(batch, kRow);
  ASSERT_TRUE(accepted(effects));
  const auto& withheld = std::get<RequestWithheld>(effects->events.at(0));
  EXPECT_EQ(withheld.by, world.challenger().address());
  EXPECT_EQ(withheld.leaf, kRow);
  const auto& invalid = std::get<BatchInvalid>(effects->events.at(1));
  EXPECT_EQ(invalid.cause, LossCause::kWithheld);
  EXPECT_EQ(invalid.winner, world.challenger().address());
  const Split parts = split(world.settings().sequencer_bond);
  EXPECT_EQ(credit_of(world, world.challenger()).value, parts.reward.value + bond().value);
  EXPECT_EQ(read_burned(world.state()), parts.burned);
  EXPECT_EQ(world.node(batch.id()).open_requests, 0U);
  EXPECT_EQ(status_of(world, batch), BatchStatus::kInvalid);
  EXPECT_TRUE(refused(claim(batch, kRow), Reason::kRequestSettled));
  EXPECT_TRUE(refused(answer(batch, kRow), Reason::kRequestSettled));
}

TEST_F(RequestsTest, bonds_go_back_where_the_batch_fell_by_another_hand) {
  WorldBatch batch = world.posted(forged());
  ASSERT_TRUE(accepted(request(batch, kRow)));
  disprove(world, batch);
  const Wei before = credit_of(world, world.challenger());
  EXPECT_TRUE(refused(answer(batch, kRow), Reason::kBatchLost));
  const auto effects = claim(batch, kRow);  // at once
  ASSERT_TRUE(accepted(effects));
  EXPECT_EQ(effects->events.size(), 1U);
  EXPECT_EQ(credit_of(world, world.challenger()).value, before.value + bond().value);
  EXPECT_EQ(read_burned(world.state()), split(world.settings().sequencer_bond).burned);
  EXPECT_TRUE(refused(claim(batch, kRow), Reason::kRequestSettled));
  EXPECT_EQ(world.node(batch.id()).open_requests, 0U);
}

// A request that is open when the batch dies is answered, or paid for, all the same.
TEST_F(RequestsTest, of_a_batch_that_was_orphaned_are_answered_still) {
  WorldBatch bad = world.posted(forged());
  WorldBatch orphan = world.posted({.parent = &bad});
  WorldBatch silent = world.posted({.parent = &bad, .random_seed = 2});
  ASSERT_TRUE(accepted(request(orphan, kRow)));
  ASSERT_TRUE(accepted(request(silent, kRow)));
  disprove(world, bad);
  EXPECT_TRUE(accepted(answer(orphan, kRow)));
  world.chain().advance(kPeriod);
  EXPECT_TRUE(accepted(release(world, orphan)));
  EXPECT_TRUE(refused(release(world, silent), Reason::kRequestsOpen));
  EXPECT_TRUE(accepted(claim(silent, kRow)));
  EXPECT_EQ(status_of(world, silent), BatchStatus::kInvalid);
}

TEST(AnswerGas, grows_with_the_bytes) {
  EXPECT_EQ(answer_gas(0), 150'000U);
  EXPECT_EQ(answer_gas(1000), 220'000U);
}

}  // namespace
}  // namespace tally::proof
