// The scalar interpreter: whole entries, one at a time, by the definition in section.h.
//
// It defines what the executor must reproduce, evaluates the single entry of a dispute, and lists the loads of a
// section in order, from which a witness is made.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/interpreter/section.h"

namespace tally::math {

/// A batch's program, values and data, as one thing to evaluate entries of. The parts must outlive it.
struct Evaluation {
  const Program& program;
  const BatchValues& values;
  const Inputs& inputs;
  /// Called before a fold's first step, and again and again while it runs. What it throws ends the fold.
  const std::function<void()>* between_steps = nullptr;
};

/// Loads raw elements from memory and row sources. Keeps the last block of a row.
class InputsAccess {
 public:
  explicit InputsAccess(const Evaluation& evaluation) : x_evaluation(evaluation) {}
  [[nodiscard]] i128 load(ObjectId object, std::uint64_t element);

 private:
  [[nodiscard]] i128 load_row(ObjectId object, std::uint64_t element);

  Evaluation x_evaluation;
  std::vector<std::byte> x_scratch;
  std::span<const std::byte> x_block;
  std::uint64_t x_record = 0;
  std::uint64_t x_first = 0;
  ObjectId x_row = 0;  // 0 (the member object): no block yet
};

/// One load that a section made.
struct RecordedLoad {
  ObjectId object = 0;
  std::uint64_t element = 0;
  bool operator==(const RecordedLoad&) const = default;
};

/// Loads through another access and lists each load, in order, repeats included.
template <class Access>
class RecordingAccess {
 public:
  explicit RecordingAccess(Access& inner) : x_inner(inner) {}
  [[nodiscard]] auto load(ObjectId object, std::uint64_t element) {
    x_loads.push_back({object, element});
    return x_inner.load(object, element);
  }
  [[nodiscard]] const std::vector<RecordedLoad>& loads() const { return x_loads; }

 private:
  Access& x_inner;
  std::vector<RecordedLoad> x_loads;
};

/// Accumulators and results, in order; elements beyond an item's own are 0.
using Accumulators = std::array<i128, kMaxAccumulators>;
using ResultValues = std::array<i128, kMaxResults>;

/// The number of steps of an item's fold in this batch; 0 without a fold.
[[nodiscard]] std::uint64_t fold_length(const Program& program, const BatchValues& values, std::size_t item);

/// The accumulators before the first step.
[[nodiscard]] Accumulators initial_accumulators(const Item& item);

/// Runs steps [first, last) of an entry's fold on `accumulators`.
void run_steps(const Evaluation& evaluation, std::size_t item, std::uint64_t entry, std::uint64_t first,
               std::uint64_t last, Accumulators& accumulators);

/// The results of an entry whose fold ended in `accumulators`; absent: FAIL.
[[nodiscard]] std::optional<ResultValues> run_finish(const Evaluation& evaluation, std::size_t item,
                                                     std::uint64_t entry, const Accumulators& accumulators);

/// One entry, whole: init, every step, finish. Absent: FAIL. The item must have a body.
[[nodiscard]] std::optional<ResultValues> evaluate_entry(const Evaluation& evaluation, std::size_t item,
                                                         std::uint64_t entry);

/// Element `index` of raw little-endian elements.
[[nodiscard]] i128 read_element(std::span<const std::byte> data, ElementType type, std::uint64_t index);

/// Writes what read_element reads; `value` must fit the type.
void write_element(std::span<std::byte> data, ElementType type, std::uint64_t index, i128 value);

}  // namespace tally::math
