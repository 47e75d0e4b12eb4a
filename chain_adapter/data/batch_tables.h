// What a program and its dims say about a batch's data: shapes, commitments, and the order of evaluation. Builder and
// verifier share it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chain_adapter/data/row_files.h"
#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/records/record.h"

namespace tally::chain {

/// Why these dims do not fit the program: another number of them, one outside its bounds, a table too large.
[[nodiscard]] std::optional<std::string> check_dims(const math::CompiledProgram& program,
                                                    std::span<const std::uint64_t> dims);

[[nodiscard]] std::vector<RowShape> row_shapes(const math::CompiledProgram& program, const math::BatchValues& values);
[[nodiscard]] math::Digest commit_table(const proof::TableShape& shape, std::uint32_t leaf_bytes,
                                        std::span<const std::byte> data, math::TaskPool& pool);

/// Entries [first, first + count) of an item.
struct EntryRange {
  std::size_t item = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// Calls `visit` for all entries in the order of a batch: item by item; inside a loop t by t, and for each t item by
/// item. Ends early where it gives false.
void visit_entries(const math::Program& program, const math::BatchValues& values,
                   const std::function<bool(const EntryRange&)>& visit);

/// An entry's position in its item: one number for each dim.
[[nodiscard]] std::vector<std::uint64_t> entry_position(const math::Item& item, const math::BatchValues& values,
                                                        std::uint64_t entry);
/// "next_model[3]", "rank[2, 0]", "total".
[[nodiscard]] std::string entry_text(const std::string& table, std::span<const std::uint64_t> position);

/// True iff any section of the program, or a hint of it, reads the seed.
[[nodiscard]] bool uses_seed(const math::CompiledProgram& program);

}  // namespace tally::chain
