#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "deterministic_math/bytecode/codec.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "tests/support/memory_world.h"
#include "tests/support/refused.h"
#include "tests/support/settlement_world.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::quick_settings;
using test::refused;
using test::SettlementWorld;

class CreateTaskTest : public testing::Test {
 protected:
  /// The world's task with another salt, changed.
  CreateTask changed(const std::function<void(CreateTask&)>& change) {
    CreateTask task = world.creation();
    task.salt.front() = 1;
    change(task);
    return task;
  }
  OrRefused<Effects> create(const std::function<void(CreateTask&)>& change) {
    return world.send(world.creator(), changed(change));
  }
  OrRefused<Effects> create_with(const std::function<void(TaskSettings&)>& change) {
    return create([&](CreateTask& task) { change(task.settings); });
  }

  SettlementWorld world;
};

TEST_F(CreateTaskTest, keeps_the_task_its_program_and_its_genesis) {
  const auto& state = world.state();
  const auto task = read_task(state, world.task());
  ASSERT_TRUE(task.has_value());
  const TaskPreimage& preimage = task->preimage;
  EXPECT_EQ(task_id(preimage), world.task());
  EXPECT_EQ(preimage.creator, world.creator().address());
  EXPECT_EQ(preimage.contract, world.chain().identity().contract);
  EXPECT_EQ(preimage.chain_id, world.chain().identity().chain_id);
  EXPECT_EQ(preimage.dims, world.creation().dims);
  EXPECT_EQ(preimage.settings, world.settings());
  EXPECT_EQ(read_program(state, preimage.program_hash)->bytecode, world.creation().bytecode);
  EXPECT_EQ(preimage.program_hash, math::program_hash(world.program()));

  const TaskStatus status = world.status();
  EXPECT_EQ(status.final_batch, kGenesisParent);
  EXPECT_EQ(status.final_state, preimage.genesis_root);
  const NodeRecord genesis = world.node(kGenesisParent);
  EXPECT_EQ(genesis.state, NodeState::kFinal);
  EXPECT_EQ(genesis.number, 0U);
  EXPECT_EQ(genesis.task, world.task());
  EXPECT_EQ(batch_status(state, world.task(), kGenesisParent), BatchStatus::kFinal);
}

TEST_F(CreateTaskTest, says_what_was_created_and_builds_the_genesis_root_from_tree_roots) {
  auto made = world.make_batch();
  const auto event = std::get<TaskCreated>(world.chain().events(0, 1).front().event);
  EXPECT_EQ(event.task, world.task());
  EXPECT_EQ(event.preimage.genesis_root, state_root(event.genesis_commitments));
  const auto commitments = made.committed().state_commitments();
  EXPECT_EQ(event.genesis_commitments, std::vector(commitments.begin(), commitments.end()));
  EXPECT_EQ(made.header().prev_state_root, event.preimage.genesis_root);
}

// Pitfall 23: bonds and fees of a task never change; with others it is another task.
TEST_F(CreateTaskTest, takes_another_salt_creator_or_setting_for_another_task) {
  EXPECT_TRUE(accepted(create([](CreateTask&) {})));
  EXPECT_TRUE(accepted(world.send(world.other(), world.creation())));
  EXPECT_TRUE(accepted(create_with([](TaskSettings& settings) { settings.payout_unit.value += 1; })));
}

TEST_F(CreateTaskTest, takes_the_default_settings) {
  EXPECT_TRUE(accepted(create([](CreateTask& task) { task.settings = TaskSettings{}; })));
}

TEST_F(CreateTaskTest, refuses_the_same_task_twice) {
  EXPECT_TRUE(refused(world.send(world.creator(), world.creation()), Reason::kTaskExists));
}

TEST_F(CreateTaskTest, refuses_money) {
  EXPECT_TRUE(refused(world.send(world.creator(), Wei{1}, changed([](CreateTask&) {})), Reason::kWrongValue));
}

TEST_F(CreateTaskTest, refuses_a_program_that_is_too_large_or_not_valid) {
  const auto with_bytecode = [&](std::vector<std::uint8_t> bytecode) {
    return create([&](CreateTask& task) { task.bytecode = std::move(bytecode); });
  };
  EXPECT_TRUE(refused(with_bytecode(std::vector<std::uint8_t>(math::kMaxProgramBytes + 1)), Reason::kProgramTooLarge));
  EXPECT_TRUE(refused(with_bytecode(std::vector<std::uint8_t>(math::kMaxProgramBytes)), Reason::kProgramInvalid));
  EXPECT_TRUE(refused(with_bytecode({}), Reason::kProgramInvalid));
  math::Program lying = world.program();
  lying.items.front().body->accumulators.front().hi += 1;
  EXPECT_TRUE(refused(with_bytecode(math::encode_program(lying)), Reason::kProgramInvalid));
}

// No poster could answer a descent into all of them in one transaction.
TEST_F(CreateTaskTest, refuses_a_loop_with_more_result_tables_than_one_move_can_reveal) {
  const auto with_tables = [&](int tables) {
    std::string source = "program wide\ndim K in 1..8\nloop r in 2 {\n";
    for (int i = 0; i < tables; ++i)
      source += "table t" + std::to_string(i) + "[d in 256]: i128 in 0..9 { return 1 }\n";
    return create([&](CreateTask& task) {
      task.bytecode = math::encode_program(test::compile_text(source + "}\n").program);
      task.dims.clear();
      task.genesis_roots.clear();
      task.settings.leaf_bytes = 4096;
    });
  };
  EXPECT_TRUE(accepted(with_tables(16)));
  EXPECT_TRUE(refused(with_tables(17), Reason::kProgramTooLarge));
}

// Each load opens a leaf of 1 KiB on 2 levels: 60 of them are less than 64 KiB, but not with their heads.
TEST_F(CreateTaskTest, refuses_a_program_whose_witness_may_be_too_long_with_all_that_is_in_it) {
  const auto with_loads = [&](int loads) {
    std::string source = "program many\ndim K in 1..8\nstate s: i8[4096]\ntable t: i64 { return s[0]";
    for (int i = 1; i < loads; ++i) source += " + s[" + std::to_string(i) + "]";
    return create([&](CreateTask& task) {
      task.bytecode = math::encode_program(test::compile_text(source + " }\n").program);
      task.dims.clear();
      task.genesis_roots.resize(1);
      task.settings.leaf_bytes = 1024;
    });
  };
  EXPECT_TRUE(refused(with_loads(60), Reason::kProgramInvalid));
  EXPECT_TRUE(accepted(with_loads(59)));
}

TEST_F(CreateTaskTest, refuses_a_program_that_costs_more_than_the_task_allows) {
  EXPECT_TRUE(refused(create_with([](TaskSettings& settings) { settings.max_work = 1; }), Reason::kProgramInvalid));
}

TEST_F(CreateTaskTest, refuses_dims_of_another_number_or_outside_their_bounds) {
  const std::vector<std::vector<std::uint64_t>> bad = {{}, {2}, {2, 3, 1}, {1, 3}, {3, 3}, {2, 0}, {2, 5}};
  for (const auto& dims : bad) {
    EXPECT_TRUE(refused(create([&](CreateTask& task) { task.dims = dims; }), Reason::kTaskDims));
  }
}

// Nothing of an empty row can be demanded, so a false commitment to one could not be shown.
TEST_F(CreateTaskTest, refuses_rows_without_elements) {
  math::Program program = world.program();
  program.dims[2].lo = 0;
  const auto create_with_length = [&](std::uint64_t length) {
    return create([&](CreateTask& task) {
      task.bytecode = math::encode_program(program);
      task.dims = {2, length};
      if (length == 0) task.genesis_roots[0] = empty_tree_root();
    });
  };
  EXPECT_TRUE(refused(create_with_length(0), Reason::kTaskDims));
  EXPECT_TRUE(accepted(create_with_length(1)));
}

TEST_F(CreateTaskTest, refuses_the_root_of_an_empty_state_that_is_not_the_empty_trees) {
  math::Program program = world.program();
  program.dims[2].lo = 0;
  program.objects[test::kUpdates].extents[1] = {math::ExtentKind::kConstant, 1};
  const auto create_with_root = [&](const Digest& root) {
    return create([&](CreateTask& task) {
      task.bytecode = math::encode_program(program);
      task.dims = {2, 0};
      task.genesis_roots[0] = root;
    });
  };
  EXPECT_TRUE(refused(create_with_root({.bytes = {1}}), Reason::kGenesisRoots));
  EXPECT_TRUE(accepted(create_with_root(empty_tree_root())));
}

TEST_F(CreateTaskTest, refuses_more_params_than_a_program_can_have) {
  EXPECT_TRUE(accepted(create([](CreateTask& task) { task.params.resize(kMaxTaskParams, -1); })));
  EXPECT_TRUE(refused(create([](CreateTask& task) { task.params.resize(kMaxTaskParams + 1); }), Reason::kTaskParams));
}

TEST_F(CreateTaskTest, refuses_settings_that_no_task_can_have) {
  const auto refuses = [&](const std::function<void(TaskSettings&)>& change) {
    return refused(create_with(change), Reason::kTaskSettings);
  };
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.arity = 1; }));
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.leaf_bytes = 100; }));
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.min_records = 9; }));  // the program takes 8
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.exit_delay_s = (std::uint64_t{1} << 40) + 1; }));
  EXPECT_TRUE(
      refused(create([](CreateTask& task) { task.frac_bits = math::kMaxFracBits + 1; }), Reason::kTaskSettings));
}

/// The least value of a setting that is accepted, found by bisection: it must be neither 0 nor the one in use.
std::uint64_t least_accepted(const std::function<bool(std::uint64_t)>& is_accepted, std::uint64_t enough) {
  std::uint64_t refused_at = 0;
  while (enough - refused_at > 1) {
    const std::uint64_t middle = refused_at + (enough - refused_at) / 2;
    (is_accepted(middle) ? enough : refused_at) = middle;
  }
  return enough;
}

// Pitfall 15: no move needs more time than a clock has.
TEST_F(CreateTaskTest, asks_for_a_clock_that_holds_every_move_a_side_may_have_to_make) {
  const math::TaskShape shape{.dims = {8, 2, 3}, .leaf_bytes = 64};
  const std::uint64_t moves = most_moves(world.program(), shape, quick_settings().arity);
  ASSERT_GT(moves, 2U);
  const auto with_clock = [&](std::uint64_t clock_s) {
    const CreateTask task = changed([&](CreateTask& made) { made.settings.game_clock_s = clock_s; });
    return world.chain().simulate(world.creator().address(), {}, task);
  };
  const std::uint64_t least = moves * 10 + 90;
  EXPECT_EQ(least_accepted([&](std::uint64_t clock_s) { return with_clock(clock_s).has_value(); }, 2'000), least);
  EXPECT_TRUE(refused(with_clock(least - 1), Reason::kClockTooShort));
}

TEST_F(CreateTaskTest, asks_for_a_period_of_two_windows_and_the_time_of_a_move_behind_the_censorship_budget) {
  const auto with_period = [&](std::uint64_t period_s) {
    return create_with([&](TaskSettings& settings) {
      settings.availability = KeeperQuorum{.threshold = 1, .keepers = {world.other().address()}};
      settings.challenge_period_s = period_s;
    });
  };
  EXPECT_TRUE(refused(with_period(2 * 100 + 10 + 90 - 1), Reason::kPeriodTooShort));
  EXPECT_TRUE(accepted(with_period(2 * 100 + 10 + 90)));
}

// Else an honest poster who is kept off the chain for the budget loses its bond over a leaf that it has.
TEST_F(CreateTaskTest, asks_for_a_window_in_which_a_censored_poster_can_answer) {
  const auto with_window = [&](std::uint64_t window_s) {
    return create_with([&](TaskSettings& settings) { settings.window_s = window_s; });
  };
  EXPECT_TRUE(refused(with_window(10 + 90 - 1), Reason::kWindowTooShort));
  EXPECT_TRUE(accepted(with_window(10 + 90)));
  EXPECT_TRUE(accepted(create_with([&](TaskSettings& settings) {
    settings.availability = KeeperQuorum{.threshold = 1, .keepers = {world.other().address()}};
    settings.window_s = 0;
  }))) << "nothing is requested of a task with keepers";
}

// Else a poster may withhold whatever it likes, and nobody can ask for it.
TEST_F(CreateTaskTest, asks_for_a_request_period_in_which_a_censored_watcher_can_ask_and_ask_again) {
  const auto with_period = [&](std::uint64_t period_s) {
    return create_with([&](TaskSettings& settings) { settings.request_period_s = period_s; });
  };
  EXPECT_TRUE(refused(with_period(100 + 2 * 10 + 90), Reason::kPeriodTooShort));
  EXPECT_TRUE(accepted(with_period(100 + 2 * 10 + 90 + 1)));
}

TEST_F(CreateTaskTest, asks_for_times_in_which_something_can_be_done) {
  const auto instant = [](TaskSettings& settings) {
    settings.challenge_period_s = settings.request_period_s = settings.window_s = 0;
    settings.move_time_s = settings.censorship_budget_s = 0;
  };
  const auto but = [&](const std::function<void(TaskSettings&)>& change) {
    return create_with([&](TaskSettings& settings) {
      instant(settings);
      change(settings);
    });
  };
  EXPECT_TRUE(refused(but([](TaskSettings& settings) { settings.game_clock_s = 0; }), Reason::kClockTooShort));
  EXPECT_TRUE(refused(but([](TaskSettings& settings) { settings.challenge_period_s = 2; }), Reason::kWindowTooShort));
  const auto with_keepers = [&](TaskSettings& settings) {
    settings.availability = KeeperQuorum{.threshold = 1, .keepers = {world.other().address()}};
  };
  EXPECT_TRUE(refused(but(with_keepers), Reason::kPeriodTooShort));
  const auto no_request = [](TaskSettings& settings) { settings.challenge_period_s = 2 * ++settings.window_s; };
  EXPECT_TRUE(refused(but(no_request), Reason::kPeriodTooShort));
  EXPECT_TRUE(accepted(but([](TaskSettings& settings) {
    settings.window_s = 1;
    settings.request_period_s = 2;
    settings.challenge_period_s = 4;
  })));
}

TEST_F(CreateTaskTest, asks_for_an_exit_delay_longer_than_any_batch_and_game) {
  const auto with_delay = [&](std::uint64_t delay_s) {
    return create_with([&](TaskSettings& settings) { settings.exit_delay_s = delay_s; });
  };
  EXPECT_TRUE(refused(with_delay(1'000 + 2 * 2'000 + 2 * 100), Reason::kExitTooShort));
  EXPECT_TRUE(accepted(with_delay(1'000 + 2 * 2'000 + 2 * 100 + 1)));
}

TEST_F(CreateTaskTest, times_that_would_overflow_are_too_short_or_too_long_but_never_wrap) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  EXPECT_TRUE(refused(create_with([](TaskSettings& s) { s.move_time_s = kMost; }), Reason::kClockTooShort));
  EXPECT_TRUE(refused(create_with([](TaskSettings& s) { s.censorship_budget_s = kMost; }), Reason::kClockTooShort));
  EXPECT_TRUE(refused(create_with([](TaskSettings& s) { s.window_s = kMost; }), Reason::kTaskSettings));
  EXPECT_TRUE(refused(create_with([](TaskSettings& s) { s.challenge_period_s = kMost; }), Reason::kExitTooShort));
  EXPECT_TRUE(refused(create_with([](TaskSettings& s) { s.game_clock_s = kMost; }), Reason::kExitTooShort));
}

TEST_F(CreateTaskTest, asks_for_a_sequencer_bond_of_ten_challenger_bonds) {
  const auto with_bonds = [&](math::u128 sequencer, math::u128 challenger) {
    return create_with([&](TaskSettings& settings) {
      settings.sequencer_bond = {sequencer};
      settings.challenger_bond = {challenger};
    });
  };
  EXPECT_TRUE(refused(with_bonds(99, 10), Reason::kBondsTooClose));
  EXPECT_TRUE(accepted(with_bonds(100, 10)));
  EXPECT_TRUE(refused(with_bonds(109, 11), Reason::kBondsTooClose));
  EXPECT_TRUE(refused(with_bonds(~math::u128{0}, ~math::u128{0} / 10 + 1), Reason::kBondsTooClose));
}

TEST_F(CreateTaskTest, asks_for_bonds_that_are_not_nothing) {
  const auto refuses = [&](const std::function<void(TaskSettings&)>& change) {
    return refused(create_with(change), Reason::kBondTooSmall);
  };
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.challenger_bond = {}; }));
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.sequencer_bond = settings.challenger_bond = {}; }));
  EXPECT_TRUE(refuses([](TaskSettings& settings) { settings.availability = LeafRequests{.max_requests = 1}; }));
  EXPECT_TRUE(
      refused(create_with([](TaskSettings& settings) { settings.sequencer_bond = {}; }), Reason::kBondsTooClose));
}

TEST_F(CreateTaskTest, asks_for_one_genesis_root_for_each_state) {
  EXPECT_TRUE(refused(create([](CreateTask& task) { task.genesis_roots.pop_back(); }), Reason::kGenesisRoots));
  EXPECT_TRUE(refused(create([](CreateTask& task) { task.genesis_roots.emplace_back(); }), Reason::kGenesisRoots));
}

}  // namespace
}  // namespace tally::proof
