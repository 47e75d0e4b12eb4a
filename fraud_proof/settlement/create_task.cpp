// Tasks are created by anyone. Everything that could make a task unsafe for those who join it is checked here, once.
#include <string>
#include <utility>
#include <variant>

#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/numbers/int128.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

namespace {

/// The most that any delay may be: block times and delays add up in 64 bits.
constexpr std::uint64_t kMaxDelay = std::uint64_t{1} << 40;

OrRefused<math::Program> check_program(const CreateTask& task) {
  if (task.bytecode.size() > math::kMaxProgramBytes) {
    return refuse(Reason::kProgramTooLarge, "a program of " + std::to_string(task.bytecode.size()) +
                                                " bytes, more than " + std::to_string(math::kMaxProgramBytes));
  }
  auto program = math::load_program(task.bytecode);
  if (!program) return refuse(Reason::kProgramInvalid, math::describe(program.error()));
  return *std::move(program);
}

OrRefused<void> check_dims(const CreateTask& task, const math::Program& program) {
  if (task.dims.size() + 1 != program.dims.size()) {
    return refuse(Reason::kTaskDims, std::to_string(task.dims.size()) + " dims, where the program has " +
                                         std::to_string(program.dims.size() - 1) + " beside K");
  }
  for (std::size_t i = 0; i < task.dims.size(); ++i) {
    const math::Dim& bounds = program.dims[i + 1];
    if (task.dims[i] < bounds.lo || task.dims[i] > bounds.hi) {
      return refuse(Reason::kTaskDims, "dim " + std::to_string(i) + " is " + std::to_string(task.dims[i]) +
                                           ", outside " + std::to_string(bounds.lo) + ".." + std::to_string(bounds.hi));
    }
  }
  return {};
}

/// The shape at which programs cost most: with as many records as the program takes.
math::TaskShape largest_shape(const CreateTask& task, const math::Program& program) {
  math::TaskShape shape{.dims = {program.dims.front().hi}, .leaf_bytes = task.settings.leaf_bytes};
  shape.dims.insert(shape.dims.end(), task.dims.begin(), task.dims.end());
  return shape;
}

/// A record could commit to anything as a row without elements: no leaf of it could be demanded, and no entry reads it.
OrRefused<void> check_rows(const CreateTask& task, const math::Program& program) {
  const math::BatchValues values{.dims = largest_shape(task, program).dims};
  for (const math::ObjectId row : objects_of(program, math::ObjectKind::kRow)) {
    if (row_shape(program.objects[row], values).elements() == 0)
      return refuse(Reason::kTaskDims, "rows of object " + std::to_string(row) + " would have no elements");
  }
  return {};
}

OrRefused<void> check_numbers(const CreateTask& task, const math::Program& program) {
  if (task.params.size() > kMaxTaskParams) {
    return refuse(Reason::kTaskParams,
                  std::to_string(task.params.size()) + " params are more than " + std::to_string(kMaxTaskParams));
  }
  if (task.frac_bits > math::kMaxFracBits) {
    return refuse(Reason::kTaskSettings, std::to_string(task.frac_bits) + " fraction bits are more than " +
                                             std::to_string(math::kMaxFracBits));
  }
  if (auto checked = check_settings(task.settings); !checked) {
    return refuse(Reason::kTaskSettings, std::move(checked.error().message));
  }
  if (task.settings.min_records > program.dims.front().hi) {
    return refuse(Reason::kTaskSettings, "min_records is more than the program takes");
  }
  if (task.settings.exit_delay_s > kMaxDelay) return refuse(Reason::kTaskSettings, "exit_delay is more than 2^40 s");
  return {};
}

std::string seconds(math::u128 time) { return math::to_string(static_cast<math::i128>(time)) + " s"; }

OrRefused<void> check_times(const TaskSettings& settings, std::uint64_t moves) {
  const math::u128 window = settings.window_s;
  // Whoever is kept off the chain for the whole budget still has the time of a move.
  const math::u128 one_answer = math::u128{settings.move_time_s} + settings.censorship_budget_s;
  const math::u128 clock = math::u128{moves} * settings.move_time_s + settings.censorship_budget_s;
  if (settings.game_clock_s < clock) {
    return refuse(Reason::kClockTooShort, "game_clock is " + std::to_string(settings.game_clock_s) + " s, less than " +
                                              seconds(clock) + ": the move_time of the " + std::to_string(moves) +
                                              " moves that a side may have to make, and censorship_budget");
  }
  if (settings.game_clock_s == 0) return refuse(Reason::kClockTooShort, "a game clock of no time");
  const bool has_requests = std::holds_alternative<LeafRequests>(settings.availability);
  if (has_requests && (window == 0 || window < one_answer)) {
    return refuse(Reason::kWindowTooShort,
                  "window is " + std::to_string(settings.window_s) + " s, " +
                      (window == 0 ? "no time to answer a request"
                                   : "less than move_time and censorship_budget, " + seconds(one_answer)));
  }
  // What an answer shows may have to be followed by another request.
  const math::u128 second_request = window + one_answer + settings.move_time_s;
  if (has_requests && settings.request_period_s <= second_request) {
    return refuse(Reason::kPeriodTooShort, "request_period is " + std::to_string(settings.request_period_s) +
                                               " s, not more than a window, two move_times and censorship_budget, " +
                                               seconds(second_request));
  }
  if (settings.challenge_period_s == 0) return refuse(Reason::kPeriodTooShort, "a challenge period of no time");
  const math::u128 least_period = 2 * window + one_answer;
  if (settings.challenge_period_s < least_period) {
    return refuse(Reason::kPeriodTooShort, "challenge_period is " + std::to_string(settings.challenge_period_s) +
                                               " s, less than two windows, move_time and censorship_budget, " +
                                               seconds(least_period));
  }
  const math::u128 liable = settings.challenge_period_s + 2 * math::u128{settings.game_clock_s} + 2 * window;
  if (settings.exit_delay_s <= liable) {
    return refuse(Reason::kExitTooShort, "exit_delay is " + std::to_string(settings.exit_delay_s) +
                                             " s, not more than challenge_period, two game_clocks and two windows, " +
                                             seconds(liable));
  }
  return {};
}

OrRefused<void> check_bonds(const TaskSettings& settings) {
  if (settings.challenger_bond == Wei{}) return refuse(Reason::kBondTooSmall, "a challenger's bond of 0");
  const auto* const requests = std::get_if<LeafRequests>(&settings.availability);
  if (requests != nullptr && requests->request_bond == Wei{})
    return refuse(Reason::kBondTooSmall, "a bond of 0 for each request");
  if (settings.challenger_bond.value > settings.sequencer_bond.value / 10) {
    return refuse(Reason::kBondsTooClose, "the sequencer's bond is less than 10 times the challenger's");
  }
  return {};
}

OrRefused<std::vector<Digest>> genesis_commitments(const CreateTask& task, const math::Program& program) {
  const auto states = objects_of(program, math::ObjectKind::kState);
  if (task.genesis_roots.size() != states.size()) {
    return refuse(Reason::kGenesisRoots, std::to_string(task.genesis_roots.size()) + " genesis roots for " +
                                             std::to_string(states.size()) + " states");
  }
  const math::BatchValues values{.dims = largest_shape(task, program).dims};  // no state's shape has K in it
  std::vector<Digest> commitments;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const TableShape shape = table_shape(program.objects[states[i]], values);
    if (shape.elements() == 0 && task.genesis_roots[i] != empty_tree_root()) {
      return refuse(Reason::kGenesisRoots, "state " + std::to_string(i) + " is empty, but its root is not");
    }
    commitments.push_back(table_commitment(shape, task.settings.leaf_bytes, task.genesis_roots[i]));
  }
  return commitments;
}

OrRefused<void> check_task(const CreateTask& task, const math::Program& program) {
  if (auto checked = check_dims(task, program); !checked) return checked;
  if (auto checked = check_rows(task, program); !checked) return checked;
  if (auto checked = check_numbers(task, program); !checked) return checked;
  const math::TaskShape shape = largest_shape(task, program);
  if (auto valid = math::validate_for_task(program, shape, task.settings.max_work); !valid) {
    return refuse(Reason::kProgramInvalid, math::describe(valid.error()));
  }
  if (const std::uint64_t bytes = most_reveal_bytes(program, shape); bytes > kMaxRevealBytes) {
    return refuse(Reason::kProgramTooLarge, "leaves of " + std::to_string(bytes) +
                                                " bytes may have to be revealed at once, more than " +
                                                std::to_string(kMaxRevealBytes));
  }
  if (auto checked = check_times(task.settings, most_moves(program, shape, task.settings.arity)); !checked) {
    return checked;
  }
  return check_bonds(task.settings);
}

}  // namespace

OrRefused<void> run(const Call& call, const CreateTask& task) {
  const auto program = check_program(task);
  if (!program) return std::unexpected(program.error());
  if (auto checked = check_task(task, *program); !checked) return checked;
  auto commitments = genesis_commitments(task, *program);
  if (!commitments) return std::unexpected(std::move(commitments.error()));

  TaskPreimage preimage{.chain_id = call.block.chain_id,
                        .contract = call.block.contract,
                        .creator = call.sender,
                        .salt = task.salt,
                        .program_hash = math::sha256(task.bytecode),
                        .dims = task.dims,
                        .params = task.params,
                        .frac_bits = task.frac_bits,
                        .settings = task.settings,
                        .genesis_root = state_root(*commitments)};
  const TaskId id = task_id(preimage);
  if (read_task(call.changes, id)) return refuse(Reason::kTaskExists, "the task " + to_hex(id) + " exists");

  if (!read_program(call.changes, preimage.program_hash)) {
    call.changes.put(program_key(preimage.program_hash), ProgramRecord{.bytecode = task.bytecode});
  }
  call.changes.put(task_status_key(id), TaskStatus{.final_state = preimage.genesis_root});
  call.changes.put(
      node_key(id, kGenesisParent),
      NodeRecord{
          .task = id, .state = NodeState::kFinal, .posted_s = call.block.time_s, .posted_block = call.block.number});
  call.changes.put(
      task_key(id),
      TaskRecord{.preimage = preimage, .created_s = call.block.time_s, .created_block = call.block.number});
  call.changes.emit(
      TaskCreated{.task = id, .preimage = std::move(preimage), .genesis_commitments = *std::move(commitments)});
  return {};
}

}  // namespace tally::proof
