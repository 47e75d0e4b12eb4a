// A section of bytecode as values and what they depend on: the executor's view of a body.
//
// Registers disappear: every instruction that gives a value is a node, and its operands are nodes. A node carries its
// proved range, from which its lane type follows, and the indices that its value may depend on, from which it follows
// what is the same for all lanes or for all steps of a fold. Nodes stand in topological order. Loads are total, so
// nodes may be computed in any order that respects operands, or not at all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

using NodeId = std::uint16_t;
inline constexpr NodeId kNoNode = 0xffff;

enum class NodeKind : std::uint8_t {
  kConstant,     // value
  kVariable,     // imm: Variable, or kFirstDimVariable + dim
  kAccumulator,  // imm: its number
  kLoad,         // imm: object; a and b are coordinates, kNoNode beyond its rank
  kCompute,      // op, imm
};

/// Bits of Node::depends.
inline constexpr std::uint8_t kOnIndex0 = 1;
inline constexpr std::uint8_t kOnIndex1 = 2;
inline constexpr std::uint8_t kOnFold = 4;
inline constexpr std::uint8_t kOnAccumulators = 8;

struct Node {
  NodeKind kind = NodeKind::kConstant;
  Op op = Op::kImm;
  NodeId a = kNoNode;
  NodeId b = kNoNode;
  NodeId c = kNoNode;
  std::int32_t imm = 0;
  i128 value = 0;
  Range range;
  std::uint8_t depends = 0;
};

struct ReturnedValue {
  std::size_t column = 0;
  NodeId node = kNoNode;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<NodeId> accumulators;     // the node of each accumulator at the section's start
  std::vector<NodeId> updated;          // and at its end (step)
  std::vector<NodeId> guards;           // operands of SKIPZ: one that is 0 makes the step the identity
  std::vector<NodeId> requirements;     // operands of REQ
  std::vector<ReturnedValue> returned;  // operands of RET, in order
};

/// What a section's bytecode refers to. `ranges` holds one interval for each instruction.
struct SectionSource {
  const Program& program;
  std::size_t item = 0;
  std::span<const Instruction> code;
  std::span<const Range> ranges;
  std::span<const i128> constants;
  std::span<const Range> accumulators;
};

[[nodiscard]] Graph build_graph(const SectionSource& source);

}  // namespace tally::math
