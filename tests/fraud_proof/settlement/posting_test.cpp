#include "fraud_proof/settlement/posting.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "tests/support/small_program.h"

namespace tally::proof {
namespace {

using test::small_program;

Digest digest(std::uint8_t last) {
  Digest made;
  made.bytes.back() = last;
  return made;
}

Address address(std::uint8_t last) {
  Address made;
  made.bytes.back() = last;
  return made;
}

PrivateKey key(std::uint8_t last) { return *PrivateKey::from_bytes(digest(last).bytes); }

/// M = 2 member slots and a model of 4 parameters, in leaves of 64 bytes.
TaskPreimage small_task() {
  TaskPreimage task{.dims = {2, 4}};
  task.settings.leaf_bytes = 64;
  task.settings.min_records = 2;
  return task;
}

const std::vector<Digest> kStates = {digest(1), digest(2)};

ParentLink parent() { return {.id = {digest(9)}, .number = 6, .state = state_root(kStates)}; }

Post small_post() {
  return {.task = {digest(8)},
          .state_commitments = kStates,
          .record_count = 3,
          .records_root = digest(3),
          .table_roots = {digest(4), digest(5), digest(6), digest(7)}};
}

std::optional<Reason> refused_header(const Post& post, const math::Program& program = small_program()) {
  const auto header = make_header(small_task(), program, parent(), post, address(1));
  return header ? std::nullopt : std::optional(header.error().reason);
}

template <class T>
std::optional<Reason> reason_of(const OrRefused<T>& result) {
  return result ? std::nullopt : std::optional(result.error().reason);
}

TEST(MakeHeader, builds_every_part_that_the_chain_can_know) {
  const auto header = make_header(small_task(), small_program(), parent(), small_post(), address(1));
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->task, (TaskId{digest(8)}));
  EXPECT_EQ(header->number, 7U);
  EXPECT_EQ(header->parent, (BatchId{digest(9)}));
  EXPECT_EQ(header->record_count, 3U);
  EXPECT_EQ(header->records_root, digest(3));
  EXPECT_EQ(header->prev_state_root, state_root(kStates));
  EXPECT_EQ(header->poster, address(1));
  // Program order: total, middle, next_model, walk; next_model becomes the state `model`, `credit` stays.
  const auto shape = [](std::uint8_t bytes, std::uint8_t rank, std::uint64_t dim) {
    return TableShape{.element_bytes = bytes, .rank = rank, .dim0 = dim};
  };
  const std::vector<Digest> tables = {
      table_commitment(shape(8, 0, 1), 64, digest(4)), table_commitment(shape(4, 1, 4), 64, digest(5)),
      table_commitment(shape(4, 1, 4), 64, digest(6)), table_commitment(shape(8, 1, 2), 64, digest(7))};
  EXPECT_EQ(header->tables_root, tables_root(tables));
  EXPECT_EQ(header->next_state_root, state_root(std::vector{tables[2], kStates[1]}));
}

TEST(MakeHeader, refuses_record_counts_outside_the_bounds_of_program_and_task) {
  for (const auto& [count, good] : std::vector<std::pair<std::uint64_t, bool>>{
           {0, false}, {1, false}, {2, true}, {8, true}, {9, false}, {std::uint64_t{1} << 63, false}}) {
    Post post = small_post();
    post.record_count = count;
    EXPECT_EQ(refused_header(post), good ? std::nullopt : std::optional(Reason::kRecordCount)) << count;
  }
}

TEST(MakeHeader, refuses_state_commitments_that_are_not_the_parents) {
  const std::vector<std::function<void(std::vector<Digest>&)>> faults = {
      [](auto& states) { states[0] = digest(3); }, [](auto& states) { std::swap(states[0], states[1]); },
      [](auto& states) { states.pop_back(); },     [](auto& states) { states.push_back(digest(3)); },
      [](auto& states) { states.clear(); },        [](auto& states) { states = {state_root(kStates).digest}; }};
  for (const auto& fault : faults) {
    Post post = small_post();
    fault(post.state_commitments);
    EXPECT_EQ(refused_header(post), Reason::kParentState);
  }
}

TEST(MakeHeader, refuses_another_number_of_roots_than_tables) {
  for (const std::size_t count : {0U, 3U, 5U}) {
    Post post = small_post();
    post.table_roots.resize(count);
    EXPECT_EQ(refused_header(post), Reason::kTableRoots) << count;
  }
}

// Nothing of an empty tree can be opened, so no game could show that its root is false.
TEST(MakeHeader, refuses_a_root_of_an_empty_tree_that_is_not_the_empty_trees) {
  math::Program program = small_program();
  program.dims[0].lo = 0;
  program.objects[test::kTotal].rank = 1;
  program.objects[test::kTotal].extents[0] = {math::ExtentKind::kDim, 0};
  TaskPreimage task = small_task();
  task.settings.min_records = 0;
  const auto post_with = [&](const Digest& records, const Digest& total) {
    Post post = small_post();
    post.record_count = 0;
    post.records_root = records;
    post.table_roots[0] = total;
    return reason_of(make_header(task, program, parent(), post, address(1)));
  };
  EXPECT_EQ(post_with(empty_tree_root(), empty_tree_root()), std::nullopt);
  EXPECT_EQ(post_with(digest(3), empty_tree_root()), Reason::kRecordCount);
  EXPECT_EQ(post_with(empty_tree_root(), digest(4)), Reason::kTableRoots);
}

TEST(CheckProposer, lets_proposers_take_turns_and_others_of_the_list_after_the_grace_period) {
  const ProposerRule rotation =
      ProposerRotation{.slot_s = 100, .grace_s = 30, .proposers = {address(1), address(2), address(3)}};
  struct Case {
    std::uint64_t now_s;
    std::uint8_t sender;
    std::optional<Reason> refusal;
  };
  for (const Case& c : std::vector<Case>{{0, 1, {}},
                                         {0, 2, Reason::kNotYourTurn},
                                         {29, 2, Reason::kNotYourTurn},
                                         {30, 2, {}},
                                         {99, 3, {}},
                                         {100, 1, Reason::kNotYourTurn},
                                         {100, 2, {}},
                                         {229, 3, {}},
                                         {300, 1, {}},
                                         {99, 4, Reason::kNotAProposer}}) {
    EXPECT_EQ(reason_of(check_proposer(rotation, address(c.sender), c.now_s)), c.refusal)
        << "proposer " << int{c.sender} << " at " << c.now_s;
  }
  EXPECT_EQ(reason_of(check_proposer(OpenProposers{}, address(4), 0)), std::nullopt);
}

TEST(CheckKeepers, asks_for_exactly_the_threshold_of_signatures_in_the_order_of_the_list) {
  std::vector<PrivateKey> keys;
  KeeperQuorum quorum{.threshold = 2};
  for (std::uint8_t i = 1; i <= 3; ++i) {
    keys.push_back(key(i));
    quorum.keepers.push_back(keys.back().address());
  }
  const BatchId batch{digest(7)};
  const auto signed_by = [&](std::size_t signer, std::uint16_t position, const BatchId& what) {
    return KeeperSignature{.position = position, .signature = sign(keys[signer], keeper_message(what).bytes)};
  };
  const auto good = [&](std::uint16_t position) { return signed_by(position, position, batch); };
  const auto check = [&](const std::vector<KeeperSignature>& signatures) {
    return reason_of(check_keepers(quorum, batch, signatures));
  };
  EXPECT_EQ(check({good(0), good(1)}), std::nullopt);
  EXPECT_EQ(check({good(0), good(2)}), std::nullopt);
  EXPECT_EQ(check({good(1)}), Reason::kKeeperCount);
  EXPECT_EQ(check({good(0), good(1), good(2)}), Reason::kKeeperCount);
  EXPECT_EQ(check({good(1), good(1)}), Reason::kKeeperOrder);
  EXPECT_EQ(check({good(1), good(0)}), Reason::kKeeperOrder);
  EXPECT_EQ(check({good(0), signed_by(2, 3, batch)}), Reason::kKeeperOrder);
  EXPECT_EQ(check({good(0), signed_by(1, 2, batch)}), Reason::kKeeperSignature);
  EXPECT_EQ(check({good(0), signed_by(2, 2, {digest(8)})}), Reason::kKeeperSignature);
  EXPECT_EQ(check({good(0), {.position = 2}}), Reason::kKeeperSignature);
  EXPECT_EQ(reason_of(check_keepers(LeafRequests{}, batch, {})), std::nullopt);
  EXPECT_EQ(reason_of(check_keepers(LeafRequests{}, batch, std::vector{good(0)})), Reason::kKeeperCount);
}

// 3 records; a row of 3·17 leaves; states of 17 and 1 leaves, advice of 17.
TEST(InputLeaves, counts_records_rows_states_and_advice) {
  math::Program program = small_program();
  program.dims[2].hi = 1000;
  const math::BatchValues values{.dims = {3, 2, 257}};
  EXPECT_EQ(input_leaves(program, values, 64), 3 + 3 * 17 + 17 + 1 + 17U);
  EXPECT_EQ(input_leaves(program, values, 4096), 3 + 3 + 1 + 1 + 1U);
}

TEST(InputLeaves, are_as_many_as_keys_that_name_one) {
  const math::Program program = small_program();
  const BatchHeader header{.record_count = 3};
  const CommittedBatch batch{program, header, 64, {.dims = {3, 2, 4}}};
  std::uint64_t found = 0;
  for (std::size_t object = 0; object < program.objects.size() + 2; ++object) {
    for (std::uint32_t record = 0; record < 5; ++record) {
      for (std::uint64_t leaf = 0; leaf < 4; ++leaf) {
        if (is_input_leaf(batch, {static_cast<math::ObjectId>(object), record, leaf})) ++found;
      }
    }
  }
  EXPECT_EQ(found, input_leaves(program, batch.values, 64));
  EXPECT_TRUE(is_input_leaf(batch, {math::kMemberObject, 2, 0}));
  EXPECT_FALSE(is_input_leaf(batch, {math::kNonceObject, 2, 0}));
  EXPECT_FALSE(is_input_leaf(batch, {test::kExamples, 2, 0}));
  EXPECT_FALSE(is_input_leaf(batch, {test::kTotal, 0, 0}));
  EXPECT_FALSE(is_input_leaf(batch, {math::kMemberObject, 3, 0}));
}

TEST(SealBlock, is_the_one_after_the_post_until_its_hash_is_gone) {
  EXPECT_EQ(seal_block(10, 10), std::nullopt);
  EXPECT_EQ(seal_block(10, 11), std::nullopt);
  EXPECT_EQ(seal_block(10, 12), 11U);
  EXPECT_EQ(seal_block(10, 11 + 256), 11U);
  EXPECT_EQ(seal_block(10, 11 + 257), 11U + 256);
  EXPECT_EQ(seal_block(10, 11 + 512), 11U + 256);
  EXPECT_EQ(seal_block(10, 11 + 513), 11U + 512);
}

RC_GTEST_PROP(SealBlock, has_a_hash_that_is_at_hand_and_is_the_same_for_256_blocks, ()) {
  const auto posted = *rc::gen::inRange<std::uint64_t>(0, 1U << 20);
  const auto current = posted + *rc::gen::inRange<std::uint64_t>(2, 5000);
  const auto sealing = seal_block(posted, current);
  RC_ASSERT(sealing.has_value());
  RC_ASSERT((*sealing > posted && *sealing < current && current - *sealing <= kBlockHashes));
  RC_ASSERT((*sealing - posted - 1) % kBlockHashes == 0U);
}

}  // namespace
}  // namespace tally::proof
