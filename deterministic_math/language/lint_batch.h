// A tiny batch in memory, for the advice lint: inputs that can be set one element at a time, and room for every table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/executor/inputs.h"

namespace tally::math {

/// Element `element` of an input object.
struct InputSlot {
  ObjectId object = 0;
  std::uint64_t element = 0;
};

class LintBatch final : public RowSource {
 public:
  LintBatch(const Program& program, const BatchValues& values);

  /// Every element of fields, rows and states.
  [[nodiscard]] const std::vector<InputSlot>& slots() const { return x_slots; }
  [[nodiscard]] std::uint64_t elements(ObjectId object) const;
  [[nodiscard]] i128 get(ObjectId object, std::uint64_t element) const;
  /// `value` must fit the object's type.
  void set(ObjectId object, std::uint64_t element, i128 value);

  [[nodiscard]] const Inputs& inputs() const { return x_inputs; }
  [[nodiscard]] std::span<const std::byte> view(ObjectId row, std::uint64_t record, std::uint64_t first,
                                                std::size_t count, std::span<std::byte> scratch) override;

 private:
  const Program& x_program;
  const BatchValues& x_values;
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::vector<std::vector<std::int64_t>> x_fields;  // by object
  std::vector<std::vector<std::byte>> x_memory;     // by object: rows, states, tables
  std::vector<InputSlot> x_slots;
  Inputs x_inputs;
};

}  // namespace tally::math
