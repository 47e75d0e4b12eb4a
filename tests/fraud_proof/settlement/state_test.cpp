#include "fraud_proof/settlement/state.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/changes.h"
#include "tests/support/memory_chain.h"

namespace tally::proof {
namespace {

const TaskId kTask{math::sha256({})};

BatchId batch(std::uint8_t number) { return {math::sha256({&number, 1})}; }

/// A tree of batches, written by hand: `parent` 0 is the genesis.
class BatchTree {
 public:
  BatchTree() { put(kGenesisParent, {.task = kTask, .state = NodeState::kFinal}); }

  void add(std::uint8_t number, std::uint8_t parent, NodeState state = NodeState::kPending) {
    put(batch(number), {.task = kTask, .parent = name(parent), .state = state});
  }
  /// Makes a child of `parent` its final one.
  void finalise(std::uint8_t child, std::uint8_t parent) {
    auto node = *read_node(x_state, kTask, name(parent));
    node.final_child = batch(child);
    put(name(parent), node);
    auto below = *read_node(x_state, kTask, batch(child));
    below.state = NodeState::kFinal;
    put(batch(child), below);
  }
  [[nodiscard]] std::optional<BatchStatus> status(std::uint8_t number) const {
    return batch_status(x_state, kTask, batch(number));
  }
  [[nodiscard]] const test::MemoryState& state() const { return x_state; }

 private:
  static BatchId name(std::uint8_t number) { return number == 0 ? kGenesisParent : batch(number); }
  void put(const BatchId& id, const NodeRecord& node) {
    Changes changes(x_state);
    changes.put(node_key(kTask, id), node);
    x_state.write(changes.take());
  }

  test::MemoryState x_state;
};

TEST(State, a_batch_is_what_it_and_its_ancestors_up_to_a_final_one_make_it) {
  BatchTree tree;
  tree.add(1, 0);
  tree.add(2, 1);
  tree.add(3, 2);
  tree.add(4, 0);
  for (const std::uint8_t number : std::to_array<std::uint8_t>({1, 2, 3, 4}))
    EXPECT_EQ(tree.status(number), BatchStatus::kPending);
  EXPECT_EQ(tree.status(9), std::nullopt);

  tree.add(2, 1, NodeState::kLost);
  EXPECT_EQ(tree.status(1), BatchStatus::kPending);
  EXPECT_EQ(tree.status(2), BatchStatus::kInvalid);
  EXPECT_EQ(tree.status(3), BatchStatus::kOrphaned);
  EXPECT_EQ(tree.status(4), BatchStatus::kPending);

  tree.finalise(1, 0);
  EXPECT_EQ(tree.status(1), BatchStatus::kFinal);
  EXPECT_EQ(tree.status(3), BatchStatus::kOrphaned);
  EXPECT_EQ(tree.status(4), BatchStatus::kSuperseded);
  tree.add(5, 4);
  tree.add(6, 1);
  EXPECT_EQ(tree.status(5), BatchStatus::kSuperseded);
  EXPECT_EQ(tree.status(6), BatchStatus::kPending);
}

TEST(State, the_nearest_lost_ancestor_counts_before_a_final_rival_above_it) {
  BatchTree tree;
  tree.add(1, 0);
  tree.add(2, 0, NodeState::kLost);
  tree.add(3, 2);
  tree.finalise(1, 0);
  EXPECT_EQ(tree.status(3), BatchStatus::kOrphaned);
}

TEST(State, status_is_found_below_64_unfinalised_batches_in_a_line) {
  BatchTree tree;
  for (std::uint8_t number = 1; number <= kMaxUnfinalised; ++number) {
    tree.add(number, static_cast<std::uint8_t>(number - 1));
  }
  EXPECT_EQ(tree.status(kMaxUnfinalised), BatchStatus::kPending);
  tree.add(1, 0, NodeState::kLost);
  EXPECT_EQ(tree.status(kMaxUnfinalised), BatchStatus::kOrphaned);
}

TEST(State, a_line_of_more_batches_than_can_be_posted_is_broken) {
  BatchTree tree;
  for (std::uint8_t number = 1; number <= kMaxUnfinalised + 1; ++number) {
    tree.add(number, static_cast<std::uint8_t>(number - 1));
  }
  EXPECT_THROW(static_cast<void>(tree.status(kMaxUnfinalised + 1)), BrokenState);
}

TEST(State, a_batch_of_another_task_is_not_found) {
  BatchTree tree;
  tree.add(1, 0);
  const TaskId other{math::sha256(kTask.digest.bytes)};
  EXPECT_EQ(read_node(tree.state(), other, batch(1)), std::nullopt);
  EXPECT_EQ(read_node(tree.state(), other, kGenesisParent), std::nullopt);
  EXPECT_EQ(batch_status(tree.state(), other, batch(1)), std::nullopt);
}

TEST(State, keys_begin_with_their_kind_and_no_two_are_equal) {
  const Digest digest = kTask.digest;
  const std::vector<std::vector<std::uint8_t>> keys = {
      program_key(digest),         task_key(kTask),        task_status_key(kTask),
      member_key(kTask, 1),        binding_key(kTask, {}), node_key(kTask, batch(1)),
      child_key(kTask, {}, 1),     seed_key(kTask, {}),    game_key({digest}),
      request_key({digest}, {}),   commitment_key({}, {}), paid_key(kTask, 1, 1),
      paid_in_batch_key({digest}), credit_key({}),         burned_key()};
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(keys[i].front(), i + 1);

  std::set<std::string> distinct;
  const std::vector<std::vector<std::uint8_t>> close = {member_key(kTask, 1),
                                                        member_key(kTask, 256),
                                                        node_key(kTask, batch(1)),
                                                        node_key(kTask, kGenesisParent),
                                                        child_key(kTask, {}, 0),
                                                        child_key(kTask, {}, 1),
                                                        child_key(kTask, batch(1), 0),
                                                        request_key({digest}, {1, 0, 0}),
                                                        request_key({digest}, {0, 1, 0}),
                                                        request_key({digest}, {0, 0, 1}),
                                                        paid_key(kTask, 0, 1),
                                                        paid_key(kTask, 1, 0)};
  for (const auto& key : close) distinct.emplace(key.begin(), key.end());
  EXPECT_EQ(distinct.size(), close.size());
}

TEST(State, records_come_back_as_they_were_written) {
  test::MemoryState state;
  Changes changes(state);
  const NodeRecord node{.task = kTask,
                        .parent = batch(1),
                        .number = 2,
                        .state = NodeState::kLost,
                        .poster = {{3}},
                        .delegate = {{4}},
                        .posted_s = 5,
                        .posted_block = 6,
                        .position = 7,
                        .bond = {8},
                        .open_games = 9,
                        .open_requests = 10,
                        .children = 11,
                        .first_live = 12,
                        .final_child = batch(13)};
  changes.put(node_key(kTask, batch(2)), node);
  changes.put(member_key(kTask, 3),
              MemberRecord{.wallet = {{1}}, .stake = {2}, .registered_s = 3, .exit_at_s = 4, .device_keys = 5});
  changes.put(binding_key(kTask, {{6}}), BindingRecord{.member = 7, .bound_s = 8, .unbound_s = 9});
  changes.put(game_key({kTask.digest}),
              GameRecord{.hash = kTask.digest, .batch = batch(1), .state = GameState::kEnded, .bond = {10}});
  changes.put(request_key(batch(1), {1, 2, 3}),
              RequestRecord{.requester = {{11}}, .bond = {12}, .requested_s = 13, .state = RequestState::kWithheld});
  changes.put(commitment_key({{1}}, kTask.digest), CommitmentRecord{.block = 14});
  changes.put(child_key(kTask, batch(1), 4), batch(5));
  changes.put(seed_key(kTask, batch(1)), kTask.digest);
  changes.put(paid_key(kTask, 6, 7), Wei{15});
  state.write(changes.take());

  const auto read = *read_node(state, kTask, batch(2));
  EXPECT_EQ(encode_record(read), encode_record(node));
  EXPECT_EQ(read.final_child, batch(13));
  EXPECT_EQ(read.state, NodeState::kLost);
  const auto member = *read_member(state, kTask, 3);
  EXPECT_EQ(member.exit_at_s, 4U);
  EXPECT_EQ(member.device_keys, 5);
  EXPECT_EQ(read_binding(state, kTask, {{6}})->unbound_s, 9U);
  EXPECT_EQ(read_game(state, {kTask.digest})->state, GameState::kEnded);
  EXPECT_EQ(read_request(state, batch(1), {1, 2, 3})->state, RequestState::kWithheld);
  EXPECT_EQ(read_request(state, batch(1), {1, 2, 3})->requested_s, 13U);
  EXPECT_EQ(read_commitment(state, {{1}}, kTask.digest)->block, 14U);
  EXPECT_EQ(read_child(state, kTask, batch(1), 4), batch(5));
  EXPECT_EQ(read_seed(state, kTask, batch(1)), kTask.digest);
  EXPECT_EQ(read_paid(state, kTask, 6, 7), Wei{15});
  EXPECT_EQ(read_paid(state, kTask, 7, 6), Wei{});
  EXPECT_EQ(read_paid_in_batch(state, batch(1)), Wei{});
}

TEST(State, a_broken_record_is_the_outside_worlds_fault_and_throws) {
  test::MemoryState state;
  state.write({.writes = {{.key = member_key(kTask, 1), .record = {1, 2, 3}},
                          {.key = burned_key(), .record = std::vector<std::uint8_t>(33)}},
               .events = {},
               .payments = {}});
  EXPECT_THROW(static_cast<void>(read_member(state, kTask, 1)), std::runtime_error);
  EXPECT_THROW(static_cast<void>(read_burned(state)), std::runtime_error);
}

TEST(State, names_statuses) {
  EXPECT_EQ(to_string(BatchStatus::kPending), "pending");
  EXPECT_EQ(to_string(BatchStatus::kInvalid), "invalid");
  EXPECT_EQ(to_string(BatchStatus::kOrphaned), "orphaned");
  EXPECT_EQ(to_string(BatchStatus::kSuperseded), "superseded");
  EXPECT_EQ(to_string(BatchStatus::kFinal), "final");
}

}  // namespace
}  // namespace tally::proof
