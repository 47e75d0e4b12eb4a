// The vectorised executor: evaluates entries of one item, in blocks of lanes on a lent pool of threads.
//
// The result is the scalar interpreter's, bit for bit, for every thread count and block size. A sink receives the
// blocks, so that one executor serves the builder (which stores them) and the verifier (which compares them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

/// Consecutive entries of an item and their results. `columns[c]` is raw little-endian, `count` elements of the type of
/// result c; `failed[i]` is 1 where entry first + i is FAIL (its column values are then 0).
struct EntryBlock {
  std::size_t item = 0;
  std::uint64_t first = 0;
  std::size_t count = 0;
  std::span<const std::span<const std::byte>> columns;
  std::span<const std::uint8_t> failed;
};

/// Called from several threads at once, for disjoint blocks in no fixed order. Where an item reads its own smaller
/// entries and `Inputs::tables` is the memory that the sink fills, the executor calls it in ascending order from one
/// thread.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  virtual void accept(const EntryBlock& block) = 0;
};

/// kFill: the sink writes the item's results into Inputs::tables, so own loads must wait for smaller entries.
/// kCompare: Inputs::tables already holds committed values, which all loads read.
enum class SelfLoads : std::uint8_t { kFill, kCompare };

struct EvaluateOptions {
  std::uint64_t first = 0;  // flattened index of the first entry
  std::uint64_t count = 0;  // entries to evaluate
  SelfLoads self_loads = SelfLoads::kCompare;
  std::size_t block = 0;  // at most this many entries to a sink's block; 0: as many as suit
};

/// Evaluates entries [first, first + count) of item `item`, which must have a body. The program must be valid.
void evaluate(const Program& program, const BatchValues& values, const Inputs& inputs, std::size_t item,
              const EvaluateOptions& options, TaskPool& pool, EntrySink& sink);

/// The advice that a hint gives for entries [first, first + count) of its item, written to `out` (raw little-endian,
/// the advice's type, clamped to its range). Not for HintKind::kInput.
void evaluate_hint(const Program& program, const Hint& hint, const BatchValues& values, const Inputs& inputs,
                   std::uint64_t first, std::uint64_t count, TaskPool& pool, std::span<std::byte> out);

/// Whether two kth hints select from the same keys, so that evaluate_hints gives both in one pass.
[[nodiscard]] bool share_keys(const Program& program, const Hint& first, const Hint& second);

/// evaluate_hint for several hints that share keys with the first; `outs` as evaluate_hint's `out`, one for each.
void evaluate_hints(const Program& program, std::span<const Hint* const> hints, const BatchValues& values,
                    const Inputs& inputs, std::uint64_t first, std::uint64_t count, TaskPool& pool,
                    std::span<const std::span<std::byte>> outs);

}  // namespace tally::math
