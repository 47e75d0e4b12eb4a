// Random valid programs and random batches for them, from a seed.
//
// random_program mixes free-form bodies (every opcode, variable and kind of load, several columns, scans, loops) with
// the shapes that the executor has plans for: weighted sums over records, norms over parameters, tiled pairs, buckets,
// prefixes, counting checks. Each body has passed the range proof; ranges are filled in and the pool is canonical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/executor/inputs.h"

namespace tally::test {

using Rng = std::mt19937_64;

struct RandomProgramOptions {
  std::size_t max_items = 8;
  std::uint64_t max_records = std::uint64_t{1} << 16;     // upper bound of K's declared upper bound
  std::uint64_t max_parameters = std::uint64_t{1} << 24;  // of every other dim's
};

[[nodiscard]] math::Program random_program(Rng& rng, const RandomProgramOptions& options = {});

/// How the values of a batch are drawn: anywhere, or mostly at the ends of ranges and types.
enum class ValueStyle : std::uint8_t { kUniform, kExtreme };

struct RandomBatchOptions {
  ValueStyle style = ValueStyle::kUniform;
  std::uint64_t max_dim = 8;  // of each actual dim, where the declared lower bound allows it
};

/// A batch's data in memory. Inputs may lie outside their declared ranges (loads clamp them), advice lies within.
/// Computed tables start as zeros.
class RandomBatch final : public math::RowSource {
 public:
  RandomBatch(const math::Program& program, Rng& rng, const RandomBatchOptions& options = {});
  /// With these dims, batch number and seed.
  RandomBatch(const math::Program& program, math::BatchValues values, Rng& rng,
              ValueStyle style = ValueStyle::kUniform);
  ~RandomBatch() override = default;
  RandomBatch(const RandomBatch&) = delete;
  RandomBatch& operator=(const RandomBatch&) = delete;

  [[nodiscard]] const math::BatchValues& values() const { return x_values; }
  /// Reads this object's memory.
  [[nodiscard]] const math::Inputs& inputs() const { return x_inputs; }
  [[nodiscard]] std::vector<std::byte>& table(math::ObjectId object) { return x_tables[object]; }
  /// Member and nonce of each record, to be changed in place.
  [[nodiscard]] std::span<std::uint64_t> members() { return x_members; }
  [[nodiscard]] std::span<std::uint64_t> nonces() { return x_nonces; }

  [[nodiscard]] std::span<const std::byte> view(math::ObjectId row, std::uint64_t record, std::uint64_t first,
                                                std::size_t count, std::span<std::byte> scratch) override;

 private:
  math::BatchValues x_values;
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::vector<std::vector<std::int64_t>> x_fields;
  std::vector<std::vector<std::byte>> x_tables;  // rows' elements too, K after K
  std::vector<std::size_t> x_row_bytes;          // bytes of one record's row, by object
  std::vector<std::size_t> x_row_length;         // its elements
  math::Inputs x_inputs;
};

/// Replaces every computed table by what the scalar interpreter gives, in the order of entries; a FAIL stores zeros.
/// Gives the number of entries that are FAIL.
std::uint64_t compute_tables(const math::Program& program, RandomBatch& batch);

/// A small integer in [lo, hi], inclusive.
[[nodiscard]] std::uint64_t pick(Rng& rng, std::uint64_t lo, std::uint64_t hi);
/// Any integer of a range, both ends included.
[[nodiscard]] math::i128 pick_value(Rng& rng, const math::Range& range, ValueStyle style);

}  // namespace tally::test
