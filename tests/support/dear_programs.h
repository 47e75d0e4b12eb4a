// Programs whose sections cost as much on chain as sections of their kind can.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "fraud_proof/step/one_step.h"

namespace tally::test {

/// An instruction on the operands that cost it most.
struct DearOpcode {
  math::Instruction instruction{};
  math::i128 a = 0;    // in register 1
  math::i128 b = 0;    // in register 2
  std::int32_t c = 1;  // in register 4
};

/// One of each opcode but ret, of which a section has no more than columns.
[[nodiscard]] std::vector<DearOpcode> dear_opcodes();
/// A valid program whose only section has the instruction that often: of the loads of a leaf, all but one read what was
/// opened before.
[[nodiscard]] math::Program repeated(const DearOpcode& dear, std::size_t times);

struct DearProgram {
  std::string name;
  math::Program program;
  std::uint32_t leaf_bytes = 64;
  proof::Transition transition{};
  math::Accumulators before{};
};

/// Of the most openings, of the dearest opcodes, the longest, and what costs most before a section runs.
[[nodiscard]] std::vector<DearProgram> dear_programs();

/// The largest dims.
[[nodiscard]] std::vector<std::uint64_t> dear_dims(const math::Program& program);

}  // namespace tally::test
