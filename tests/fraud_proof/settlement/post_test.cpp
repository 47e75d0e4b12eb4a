#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/settlement/tree.h"
#include "tests/support/batch_life.h"
#include "tests/support/memory_world.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::forged;
using test::MakeBatch;
using test::quick_settings;
using test::refused;
using test::SettlementWorld;
using test::WorldBatch;

class PostTest : public testing::Test {
 protected:
  OrRefused<Effects> post_changed(const std::function<void(Post&)>& change, const MakeBatch& options = {}) {
    WorldBatch batch = world.make_batch(options);
    change(batch.post());
    return world.post(batch);
  }

  SettlementWorld world;
};

TEST_F(PostTest, keeps_a_node_with_the_bond_and_says_what_was_posted) {
  WorldBatch batch = world.make_batch();
  batch.post().delegate = world.other().address();
  const auto effects = world.post(batch);
  ASSERT_TRUE(accepted(effects));
  const NodeRecord node = world.node(batch.id());
  EXPECT_EQ(node.task, world.task());
  EXPECT_EQ(node.parent, kGenesisParent);
  EXPECT_EQ(node.number, 1U);
  EXPECT_EQ(node.state, NodeState::kPending);
  EXPECT_EQ(node.poster, world.poster().address());
  EXPECT_EQ(node.delegate, world.other().address());
  EXPECT_EQ(node.posted_s, world.chain().head().time_s);
  EXPECT_EQ(node.posted_block, world.chain().head().block);
  EXPECT_EQ(node.position, 0U);
  EXPECT_EQ(node.bond, world.settings().sequencer_bond);
  EXPECT_EQ(world.node(kGenesisParent).children, 1U);
  EXPECT_EQ(read_child(world.state(), world.task(), kGenesisParent, 0), batch.id());

  const auto& posted = std::get<Posted>(effects->events.at(0));
  EXPECT_EQ(posted.batch, batch.id());
  EXPECT_EQ(posted.header, batch.header());
  EXPECT_EQ(posted.state_commitments, batch.post().state_commitments);
  EXPECT_EQ(posted.table_roots, batch.post().table_roots);
  EXPECT_EQ(posted.seed, Digest{});
}

TEST_F(PostTest, extends_a_batch_that_is_not_final_and_takes_siblings) {
  WorldBatch first = world.posted();
  WorldBatch child = world.posted({.parent = &first});
  WorldBatch sibling = world.posted({.parent = &first, .random_seed = 2});
  EXPECT_EQ(world.node(child.id()).number, 2U);
  EXPECT_EQ(world.node(sibling.id()).position, 1U);
  EXPECT_EQ(world.node(first.id()).children, 2U);
  EXPECT_EQ(world.node(kGenesisParent).children, 1U);
}

TEST_F(PostTest, takes_the_same_content_from_another_poster_as_another_batch) {
  WorldBatch first = world.posted();
  WorldBatch copy = world.posted({.poster = &world.other()});
  EXPECT_NE(first.id(), copy.id());
  EXPECT_EQ(first.header().next_state_root, copy.header().next_state_root);
}

TEST_F(PostTest, refuses_a_task_or_parent_that_is_not_there) {
  EXPECT_TRUE(refused(post_changed([](Post& post) { post.task.digest.bytes[0] ^= 1; }), Reason::kNoSuchTask));
  WorldBatch unposted = world.make_batch();
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.parent = &unposted}), Reason::kNoSuchBatch));
}

TEST_F(PostTest, refuses_a_parent_of_another_task) {
  WorldBatch parent = world.posted();
  CreateTask other = world.creation();
  other.salt.front() = 1;
  const auto created = world.send(world.creator(), other);
  ASSERT_TRUE(accepted(created));
  const TaskId task = std::get<TaskCreated>(created->events.at(0)).task;
  EXPECT_TRUE(refused(post_changed([&](Post& post) { post.task = task; }, {.parent = &parent}), Reason::kNoSuchBatch));
}

TEST_F(PostTest, refuses_a_parent_that_is_invalid_or_orphaned) {
  WorldBatch parent = world.posted(forged());
  WorldBatch child = world.posted({.parent = &parent});
  disprove(world, parent);
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.parent = &parent, .random_seed = 2}), Reason::kParentDead));
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.parent = &child}), Reason::kParentDead));
}

// Pitfall 20: what is decided stays decided.
TEST_F(PostTest, refuses_a_parent_that_was_superseded_or_has_a_final_child) {
  WorldBatch first = world.posted();
  WorldBatch second = world.posted({.random_seed = 2});
  world.chain().advance(1000);
  ASSERT_TRUE(accepted(finalize(world, first)));
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.parent = &second}), Reason::kParentDead));
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.random_seed = 3}), Reason::kParentDead));
  EXPECT_TRUE(accepted(post_changed([](Post&) {}, {.parent = &first})));
}

TEST_F(PostTest, takes_at_most_64_batches_in_a_line_that_are_not_final) {
  std::vector<WorldBatch> line;
  line.push_back(world.posted());
  while (line.size() < kMaxUnfinalised) line.push_back(world.posted({.parent = &line.back()}));
  EXPECT_EQ(status_of(world, line.back()), BatchStatus::kPending);
  EXPECT_TRUE(refused(post_changed([](Post&) {}, {.parent = &line.back()}), Reason::kTooDeep));
  EXPECT_TRUE(accepted(post_changed([](Post&) {}, {.parent = &line[62], .random_seed = 2})));
  world.chain().advance(1000);
  ASSERT_TRUE(accepted(finalize(world, line.front())));
  WorldBatch next = world.posted({.parent = &line.back()});
  EXPECT_EQ(status_of(world, next), BatchStatus::kPending);
}

TEST_F(PostTest, takes_no_batch_after_number_2_to_the_40) {
  Changes changes(world.state());
  NodeRecord genesis = world.node(kGenesisParent);
  genesis.number = kLastBatch - 1;
  changes.put(node_key(world.task(), kGenesisParent), genesis);
  EXPECT_TRUE(accepted(check_extendable(changes, world.task(), kGenesisParent)));
  genesis.number = kLastBatch;
  changes.put(node_key(world.task(), kGenesisParent), genesis);
  EXPECT_TRUE(refused(check_extendable(changes, world.task(), kGenesisParent), Reason::kTooDeep));
}

TEST_F(PostTest, asks_for_exactly_the_bond) {
  WorldBatch batch = world.make_batch();
  const Wei bond = world.settings().sequencer_bond;
  for (const Wei& value : {Wei{}, Wei{bond.value - 1}, Wei{bond.value + 1}})
    EXPECT_TRUE(refused(world.send(world.poster(), value, batch.post()), Reason::kWrongValue));
}

TEST_F(PostTest, refuses_what_no_header_can_be_made_of) {
  EXPECT_TRUE(refused(post_changed([](Post& post) { post.record_count = 9; }), Reason::kRecordCount));
  EXPECT_TRUE(refused(post_changed([](Post& post) { post.state_commitments[1].bytes[5] ^= 1; }), Reason::kParentState));
  EXPECT_TRUE(refused(post_changed([](Post& post) { post.table_roots.pop_back(); }), Reason::kTableRoots));
}

TEST_F(PostTest, opens_nothing_of_a_batch_that_is_not_posted) {
  WorldBatch batch = world.make_batch();
  EXPECT_TRUE(refused(world.chain().settlement().committed_batch(world.state(), batch.header()), Reason::kNoSuchBatch));
  ASSERT_TRUE(accepted(world.post(batch)));
  EXPECT_TRUE(accepted(world.chain().settlement().committed_batch(world.state(), batch.header())));
}

TEST_F(PostTest, takes_a_batch_once) {
  WorldBatch batch = world.posted();
  EXPECT_TRUE(refused(world.post(batch), Reason::kBatchExists));
  WorldBatch bad = world.posted(forged({.random_seed = 2}));
  disprove(world, bad);
  EXPECT_TRUE(refused(world.post(bad), Reason::kBatchExists));
}

TEST(PostInTurn, is_for_the_proposers_of_the_list) {
  TaskSettings settings = quick_settings();
  std::vector<PrivateKey> keys;
  for (const std::uint8_t number : std::array<std::uint8_t, 2>{2, 4}) keys.push_back(test::small_key(number));
  std::ranges::sort(keys, {}, [](const PrivateKey& key) { return key.address(); });
  settings.proposer_rule =
      ProposerRotation{.slot_s = 100, .grace_s = 40, .proposers = {keys[0].address(), keys[1].address()}};
  SettlementWorld world({.settings = settings});
  world.chain().advance(200 - world.chain().head().time_s % 200);
  const auto post_by = [&](const PrivateKey& key) {
    WorldBatch batch = world.make_batch({.poster = &key});
    return world.post(batch);
  };
  EXPECT_TRUE(refused(post_by(world.challenger()), Reason::kNotAProposer));
  EXPECT_TRUE(refused(post_by(keys[1]), Reason::kNotYourTurn));
  EXPECT_TRUE(accepted(post_by(keys[0])));
  world.chain().advance(40);
  EXPECT_TRUE(accepted(post_by(keys[1])));
}

TEST(PostWithKeepers, carries_the_signatures_of_the_quorum_and_cannot_be_asked_for_leaves) {
  TaskSettings settings = quick_settings();
  std::vector<PrivateKey> keepers;
  KeeperQuorum quorum{.threshold = 2};
  for (std::uint8_t i = 40; i < 43; ++i) keepers.push_back(test::small_key(i));
  std::ranges::sort(keepers, {}, [](const PrivateKey& key) { return key.address(); });
  for (const PrivateKey& key : keepers) quorum.keepers.push_back(key.address());
  settings.availability = quorum;
  SettlementWorld world({.settings = settings});
  WorldBatch batch = world.make_batch();
  const auto by = [&](std::uint16_t position) {
    return KeeperSignature{.position = position,
                           .signature = sign(keepers[position], keeper_message(batch.id()).bytes)};
  };
  const auto post_with = [&](std::vector<KeeperSignature> signatures) {
    batch.post().keepers = std::move(signatures);
    return world.post(batch);
  };
  EXPECT_TRUE(refused(post_with({}), Reason::kKeeperCount));
  EXPECT_TRUE(refused(post_with({by(2), by(0)}), Reason::kKeeperOrder));
  KeeperSignature bent = by(2);
  bent.signature.bytes[40] ^= 1;
  EXPECT_TRUE(refused(post_with({by(0), bent}), Reason::kKeeperSignature));
  EXPECT_TRUE(accepted(post_with({by(0), by(2)})));
  EXPECT_TRUE(refused(world.send(world.other(), RequestLeaf{.header = batch.header()}), Reason::kRequestsNotAllowed));
}

// 3 records, 3 rows and 2 states and an advice table of one leaf each.
TEST(PostWithRequests, has_no_more_input_leaves_than_may_be_demanded) {
  for (const auto& [most, fits] : {std::pair{9U, true}, std::pair{8U, false}}) {
    TaskSettings settings = quick_settings();
    settings.availability = LeafRequests{.max_requests = most, .request_bond = {100}};
    SettlementWorld world({.settings = settings});
    WorldBatch batch = world.make_batch();
    if (fits) {
      EXPECT_TRUE(accepted(world.post(batch)));
    } else {
      EXPECT_TRUE(refused(world.post(batch), Reason::kTooManyLeaves));
    }
  }
}

TEST_F(PostTest, without_keepers_carries_no_signatures) {
  EXPECT_TRUE(refused(post_changed([](Post& post) { post.keepers.emplace_back(); }), Reason::kKeeperCount));
}

class SeedTest : public testing::Test {
 protected:
  OrRefused<Effects> seal(const BatchId& parent) {
    return world.send(world.other(), SealSeed{.task = world.task(), .parent = parent});
  }

  SettlementWorld world{{.program = test::compile_text("program seeded\n"
                                                       "dim K in 1..8\n"
                                                       "record x: i64 in 0..100\n"
                                                       "table draw: i64 {\n"
                                                       "  fold k in K { s = s + x[k] * prf(seed[0], seed[1], k) }"
                                                       " from s = 0\n"
                                                       "  return s\n"
                                                       "}\n")
                                        .program,
                         .dims = {}}};
};

TEST_F(SeedTest, of_the_genesis_has_no_second_name_to_choose_from) {
  world.chain().mine(5);
  EXPECT_TRUE(refused(seal(BatchId{world.task().digest}), Reason::kNoSuchBatch));
  EXPECT_TRUE(accepted(seal(kGenesisParent)));
}

TEST_F(SeedTest, is_sealed_by_the_block_after_the_parents_before_a_child_is_posted) {
  const std::uint64_t created = world.node(kGenesisParent).posted_block;
  world.chain().mine(5);
  WorldBatch early = world.make_batch();
  EXPECT_TRUE(refused(world.post(early), Reason::kSeedNotSealed));
  const auto sealed = seal(kGenesisParent);
  ASSERT_TRUE(accepted(sealed));
  const auto& event = std::get<SeedSealed>(sealed->events.at(0));
  EXPECT_EQ(event.seed, batch_seed(*world.chain().next_block().block_hash(created + 1), kGenesisParent));
  EXPECT_EQ(read_seed(world.state(), world.task(), kGenesisParent), event.seed);
  EXPECT_TRUE(refused(seal(kGenesisParent), Reason::kSeedSealed));

  WorldBatch batch = world.make_batch();
  const auto posted = world.post(batch);
  ASSERT_TRUE(accepted(posted));
  EXPECT_EQ(std::get<Posted>(posted->events.at(0)).seed, event.seed);
  // The seed that the chain keeps is the one that the batch's draws are checked with.
  EXPECT_TRUE(refused(dispute(world, batch, world.challenger(), 0, 0), Reason::kNotDisproved));
}

TEST_F(SeedTest, waits_for_the_block_and_falls_back_to_a_later_one) {
  world.chain().mine(5);
  ASSERT_TRUE(accepted(seal(kGenesisParent)));
  WorldBatch first = world.posted();
  EXPECT_TRUE(refused(seal(first.id()), Reason::kSeedTooEarly));
  const std::uint64_t posted = world.node(first.id()).posted_block;
  world.chain().mine(kBlockHashes + 1);
  const auto sealed = seal(first.id());
  ASSERT_TRUE(accepted(sealed));
  EXPECT_EQ(std::get<SeedSealed>(sealed->events.at(0)).seed,
            batch_seed(*world.chain().next_block().block_hash(posted + 1 + kBlockHashes), first.id()));
}

TEST_F(SeedTest, is_of_a_batch_that_is_there) {
  EXPECT_TRUE(refused(seal({{.bytes = {1}}}), Reason::kNoSuchBatch));
  EXPECT_TRUE(refused(world.send(world.other(), SealSeed{.task = {{.bytes = {1}}}}), Reason::kNoSuchTask));
}

}  // namespace
}  // namespace tally::proof
