#include <gtest/gtest.h>

#include "fraud_proof/checks/local_checks.h"
#include "fraud_proof/settlement/money.h"
#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::forged;
using test::MakeBatch;
using test::RandomBatch;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

constexpr std::uint64_t kPeriod = 1000;
constexpr std::uint64_t kExitDelay = 6000;

/// small_program() with advice of 0..100.
math::Program program_with_narrow_advice() {
  math::Program program = test::small_program();
  program.objects[test::kMiddle].range = {0, 100};
  return program;
}

// Records 0 and 1 are of member 0, record 2 is of member 1.
MakeBatch with_a_nonce_used_twice(std::uint64_t random_seed = 1) {
  return {.random_seed = random_seed, .alter = [](RandomBatch& data) { data.nonces()[1] = data.nonces()[0]; }};
}
MakeBatch with_a_record_of_another_member() {
  return {.alter = [](RandomBatch& data) { data.members()[2] = 0; }};
}
MakeBatch with_advice(std::int64_t value) {
  return {.alter = [value](RandomBatch& data) {
    math::write_element(data.table(test::kMiddle), math::ElementType::kI32, 1, value);
  }};
}

class ShowProofTest : public testing::Test {
 protected:
  std::vector<std::uint8_t> open_records(WorldBatch& batch, std::uint64_t first, std::uint64_t count) {
    return make_record_openings(batch.committed().batch(), first, count, batch.committed());
  }
  LocalProof order(WorldBatch& batch, std::uint64_t index) {
    return RecordOrderProof{.index = index, .openings = open_records(batch, index, 2)};
  }
  LocalProof signer(WorldBatch& batch, std::uint64_t index) {
    return RecordSignerProof{.index = index, .openings = open_records(batch, index, 1)};
  }
  LocalProof signature(WorldBatch& batch, std::uint64_t index) {
    return RecordSignatureProof{.index = index, .openings = open_records(batch, index, 1)};
  }
  LocalProof advice(WorldBatch& batch, std::uint64_t element) {
    return AdviceRangeProof{
        .object = test::kMiddle,
        .element = element,
        .openings = make_element_opening(batch.committed().batch(), test::kMiddle, element, batch.committed())};
  }

  [[nodiscard]] Commit commitment(const PrivateKey& sender, const ShowProof& show) const {
    return {.commitment = proof_commitment(sender.address(), batch_id(show.header), show.proof, show.salt)};
  }
  [[nodiscard]] static ShowProof showing(WorldBatch& batch, const LocalProof& proof, std::uint8_t salt = 0) {
    return {.header = batch.header(), .proof = proof, .salt = {salt}};
  }
  /// Commits, and shows in the next block.
  OrRefused<Effects> show(WorldBatch& batch, const LocalProof& proof) {
    const ShowProof transaction = showing(batch, proof, x_salt++);
    EXPECT_TRUE(accepted(world.send(world.challenger(), commitment(world.challenger(), transaction))));
    return world.send(world.challenger(), transaction);
  }
  void expect_lost(const OrRefused<Effects>& effects, LossCause cause) {
    ASSERT_TRUE(accepted(effects));
    const auto& invalid = std::get<BatchInvalid>(effects->events.at(0));
    EXPECT_EQ(invalid.cause, cause);
    EXPECT_EQ(invalid.winner, world.challenger().address());
    const Split split = split_bond(world.settings().sequencer_bond, world.settings().burn_bps);
    EXPECT_EQ(invalid.reward, split.reward);
    EXPECT_EQ(credit_of(world, world.challenger()), split.reward);
    EXPECT_EQ(read_burned(world.state()), split.burned);
  }

  SettlementWorld world{{.program = program_with_narrow_advice()}};

 private:
  std::uint8_t x_salt = 0;
};

TEST_F(ShowProofTest, records_out_of_order_lose_the_batch) {
  WorldBatch batch = world.posted(with_a_nonce_used_twice());
  EXPECT_TRUE(refused(show(batch, order(batch, 1)), Reason::kRecordsInOrder));
  expect_lost(show(batch, order(batch, 0)), LossCause::kRecordOrder);
}

TEST_F(ShowProofTest, a_record_of_another_member_loses_the_batch) {
  WorldBatch batch = world.posted(with_a_record_of_another_member());
  EXPECT_TRUE(refused(show(batch, signer(batch, 1)), Reason::kSignerIsMember));
  expect_lost(show(batch, signer(batch, 2)), LossCause::kRecordSigner);
}

// A record that was signed for one task is no record of another with the same program and state.
TEST_F(ShowProofTest, a_record_signed_for_another_task_loses_the_batch) {
  CreateTask creation = world.creation();
  creation.salt.front() = 1;
  const auto created = world.send(world.creator(), creation);
  ASSERT_TRUE(accepted(created));
  WorldBatch batch = world.make_batch();
  batch.post().task = std::get<TaskCreated>(created->events.at(0)).task;
  batch.committed().header().task = batch.post().task;
  ASSERT_TRUE(accepted(world.post(batch)));
  expect_lost(show(batch, signature(batch, 0)), LossCause::kRecordSignature);
}

TEST_F(ShowProofTest, advice_out_of_range_loses_the_batch) {
  WorldBatch batch = world.posted(with_advice(101));
  EXPECT_TRUE(refused(show(batch, advice(batch, 0)), Reason::kAdviceInRange));
  expect_lost(show(batch, advice(batch, 1)), LossCause::kAdviceRange);
}

TEST_F(ShowProofTest, nothing_is_shown_of_a_true_batch) {
  WorldBatch batch = world.posted(with_advice(100));
  for (std::uint64_t k = 0; k < 3; ++k) {
    if (k < 2) {
      EXPECT_TRUE(refused(show(batch, order(batch, k)), Reason::kRecordsInOrder));
    }
    EXPECT_TRUE(refused(show(batch, signer(batch, k)), Reason::kSignerIsMember));
    EXPECT_TRUE(refused(show(batch, signature(batch, k)), Reason::kSignatureIsGood));
    EXPECT_TRUE(refused(show(batch, advice(batch, k)), Reason::kAdviceInRange));
  }
  EXPECT_EQ(status_of(world, batch), BatchStatus::kPending);
}

TEST_F(ShowProofTest, passes_on_what_is_wrong_with_the_openings) {
  WorldBatch batch = world.posted(with_a_nonce_used_twice());
  EXPECT_TRUE(refused(show(batch, RecordOrderProof{.index = 2}), Reason::kNoSuchEntry));
  EXPECT_TRUE(refused(show(batch, RecordOrderProof{.index = 0}), Reason::kOpeningMissing));
  auto openings = open_records(batch, 0, 2);
  openings.push_back(0);
  EXPECT_TRUE(refused(show(batch, RecordOrderProof{.index = 0, .openings = openings}), Reason::kOpeningTrailing));
}

// A member signs until its exit takes effect, and what it signs in time cannot be held against the poster later.
TEST_F(ShowProofTest, a_member_that_left_signs_no_more) {
  ASSERT_TRUE(accepted(world.send(world.wallet(1), RequestExit{.task = world.task(), .member = 1})));
  world.chain().advance(kExitDelay - 1);
  WorldBatch last = world.posted();
  world.chain().advance(1);
  WorldBatch late = world.posted({.random_seed = 2});
  EXPECT_TRUE(refused(show(last, signer(last, 2)), Reason::kSignerIsMember));
  EXPECT_TRUE(refused(show(late, signer(late, 1)), Reason::kSignerIsMember));
  expect_lost(show(late, signer(late, 2)), LossCause::kRecordSigner);
}

TEST_F(ShowProofTest, a_proof_is_committed_to_by_its_sender_with_its_batch_and_salt) {
  WorldBatch batch = world.posted(with_a_nonce_used_twice());
  WorldBatch twin = world.posted(with_a_nonce_used_twice(2));
  const ShowProof good = showing(batch, order(batch, 0), 7);
  const PrivateKey& sender = world.challenger();
  EXPECT_TRUE(refused(world.send(sender, good), Reason::kNotCommitted));
  ASSERT_TRUE(accepted(world.send(sender, commitment(sender, good))));
  EXPECT_TRUE(refused(world.send(world.other(), good), Reason::kNotCommitted));
  EXPECT_TRUE(refused(world.send(sender, showing(batch, order(batch, 0), 8)), Reason::kNotCommitted));
  EXPECT_TRUE(refused(world.send(sender, showing(twin, order(twin, 0), 7)), Reason::kNotCommitted));
  // The same commitment by another says nothing of that other's proof.
  ASSERT_TRUE(accepted(world.send(world.other(), commitment(sender, good))));
  EXPECT_TRUE(refused(world.send(world.other(), good), Reason::kNotCommitted));
  EXPECT_TRUE(refused(world.send(sender, commitment(sender, good)), Reason::kAlreadyCommitted));
  expect_lost(world.send(sender, good), LossCause::kRecordOrder);
  EXPECT_TRUE(refused(world.send(sender, good), Reason::kBatchLost));
}

TEST_F(ShowProofTest, a_commitment_of_the_same_block_is_too_late) {
  WorldBatch batch = world.posted(with_a_nonce_used_twice());
  const ShowProof good = showing(batch, order(batch, 0));
  const Address sender = world.challenger().address();
  test::MemoryState state = world.chain().records();
  BlockContext block = world.chain().next_block();
  Settlement& settlement = world.chain().settlement();
  const auto committed =
      settlement.apply(state, block, {.sender = sender, .transaction = commitment(world.challenger(), good)});
  ASSERT_TRUE(accepted(committed));
  EXPECT_EQ(std::get<Committed>(committed->events.at(0)).by, sender);
  state.write(*committed);
  const Message message{.sender = sender, .transaction = good};
  EXPECT_TRUE(refused(settlement.apply(state, block, message), Reason::kCommittedTooLate));
  ++block.number;
  EXPECT_TRUE(accepted(settlement.apply(state, block, message)));
}

TEST_F(ShowProofTest, a_proof_is_for_a_batch_that_may_still_be_challenged) {
  WorldBatch unposted = world.make_batch();
  EXPECT_TRUE(refused(show(unposted, order(unposted, 0)), Reason::kNoSuchBatch));
  WorldBatch bad = world.posted(forged());
  MakeBatch options = with_a_nonce_used_twice();
  options.parent = &bad;
  WorldBatch orphan = world.posted(options);
  disprove(world, bad);
  EXPECT_TRUE(refused(show(orphan, order(orphan, 0)), Reason::kBatchDead));
  EXPECT_TRUE(refused(show(bad, order(bad, 0)), Reason::kBatchLost));
  WorldBatch good = world.posted({.random_seed = 2});
  WorldBatch late = world.posted(with_a_nonce_used_twice(3));
  world.chain().advance(kPeriod);
  EXPECT_TRUE(refused(show(late, order(late, 0)), Reason::kPeriodOver));
  ASSERT_TRUE(accepted(finalize(world, good)));
  EXPECT_TRUE(refused(show(good, order(good, 0)), Reason::kBatchFinal));
}

}  // namespace
}  // namespace tally::proof
