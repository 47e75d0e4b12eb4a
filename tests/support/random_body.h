// Random bodies for random_program: the parts that write instructions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/ranges/interval.h"
#include "tests/support/random_program.h"

namespace tally::test {

/// Writes one section of one item, keeping the interval of every register, so that no operand leaves its domain.
class SectionWriter {
 public:
  enum class Kind : std::uint8_t { kStep, kFinish };

  /// Appends constants to the program's pool as they are first used. `x_code` must end up in the program.
  SectionWriter(math::Program& program, std::size_t item, Kind kind, Rng& rng);

  using Register = std::uint8_t;

  [[nodiscard]] Register constant(math::i128 value);
  [[nodiscard]] Register variable(math::Variable variable);
  [[nodiscard]] Register load(math::ObjectId object, Register first, Register second);
  [[nodiscard]] Register binary(math::Op op, Register a, Register b);
  [[nodiscard]] Register select(Register condition, Register a, Register b);
  [[nodiscard]] Register wrap(Register a, std::int32_t bits);

  /// A random expression; `depth` bounds its nesting.
  [[nodiscard]] Register value(unsigned depth);
  [[nodiscard]] Register condition(unsigned depth);
  /// `a`, brought within +-2^bits by wrapping or clamping where it may be larger.
  [[nodiscard]] Register within_bits(Register a, unsigned bits);
  [[nodiscard]] Register clamped(Register a, const math::Range& range);

  /// Turns the last instruction's result into accumulator `j`: dst becomes its register.
  void accumulate(math::Op op, Register accumulator, Register value);
  void move_to(Register accumulator, Register value);
  void skip_unless(Register condition);
  void require(Register condition);
  void give(std::size_t column, Register value);

  [[nodiscard]] bool full() const { return x_next + 8 >= math::kRegisters; }
  [[nodiscard]] std::vector<math::Instruction> take() { return std::move(x_code); }

 private:
  [[nodiscard]] Register emit(math::Instruction instruction, const math::Interval& range);
  [[nodiscard]] Register leaf();
  [[nodiscard]] Register random_variable();
  [[nodiscard]] Register random_load(unsigned depth);
  [[nodiscard]] Register random_arithmetic(unsigned depth);
  [[nodiscard]] Register at_least(Register a, math::i128 least);

  math::Program& x_program;
  std::size_t x_item;
  Kind x_kind;
  Rng& x_rng;
  std::vector<math::Instruction> x_code;
  std::array<math::Interval, math::kRegisters> x_ranges;
  std::size_t x_next = 0;
};

/// A body for item `item`; its ranges are still to be proved.
[[nodiscard]] math::Body random_body(math::Program& program, std::size_t item, Rng& rng);

/// A body in one of the shapes that the executor plans for, where the program's objects allow one.
[[nodiscard]] std::optional<math::Body> shaped_body(math::Program& program, std::size_t item, Rng& rng);

}  // namespace tally::test
