// The shapes of everything that a batch commits to, as its program says them: no role takes a shape from anyone else.
#pragma once

#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/records/record.h"

namespace tally::proof {

/// Ids of all objects of a kind, in program order; kAdvice and kComputed together are the batch's tables.
[[nodiscard]] std::vector<math::ObjectId> objects_of(const math::Program& program, math::ObjectKind kind);
[[nodiscard]] std::vector<math::ObjectId> table_objects(const math::Program& program);

/// States, advice and computed tables: what has a table_shape().
[[nodiscard]] bool is_table(math::ObjectKind kind);

/// All dims of a batch, in program order: K, and those that the task fixes.
[[nodiscard]] std::vector<std::uint64_t> batch_dims(const TaskPreimage& task, std::uint64_t record_count);
/// What sections run on beside loaded values. A seed of zeros where the program reads none.
[[nodiscard]] math::BatchValues batch_values(std::vector<std::uint64_t> dims, std::uint64_t number, const Digest& seed);

/// Whether a section reads the seed; whether any of the program does. (What only hints read is not the chain's
/// concern.)
[[nodiscard]] bool reads_seed(std::span<const math::Instruction> code);
[[nodiscard]] bool reads_seed(const math::Program& program);

[[nodiscard]] RecordShape record_shape(const math::Program& program);
[[nodiscard]] RecordOrder record_order(const math::Program& program);

/// Of a state, advice or computed table.
[[nodiscard]] TableShape table_shape(const math::Object& object, const math::BatchValues& values);
/// Of one record's row: rank 1, its length alone.
[[nodiscard]] TableShape row_shape(const math::Object& row, const math::BatchValues& values);

/// The state's commitments after the batch: those of `tables` (all advice and computed tables, in program order) where
/// the program says `next`, else the previous ones.
[[nodiscard]] std::vector<Digest> next_state(const math::Program& program, std::vector<Digest> states,
                                             std::span<const Digest> tables);

}  // namespace tally::proof
