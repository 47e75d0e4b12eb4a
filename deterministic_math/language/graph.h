// The values of one section as a graph: single assignment, each value once.
//
// Nodes are made bottom-up from expressions. Making a node that exists already gives the existing one, operands of
// commutative operations are put in order first, and operations on constants are done at once; so common
// subexpressions are shared however the text repeats them. Nothing is folded that could hide a fault: an operation on
// constants that has no exact result is an error at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t { kConstant, kAccumulator, kOperation };

/// `operands` are registers a, b, c of kOperation, as many as the operation has. `imm` is an accumulator's number, or
/// the operation's imm (variable, object, bits). `span` is where the text first asks for this value.
struct Node {
  NodeKind kind = NodeKind::kConstant;
  Op op = Op::kImm;
  std::uint8_t operand_count = 0;
  std::array<NodeId, 3> operands{};
  std::int32_t imm = 0;
  i128 value = 0;  // of kConstant
  SourceSpan span;
};

class Graph {
 public:
  NodeId constant(i128 value, const SourceSpan& span);
  NodeId accumulator(std::size_t number, const SourceSpan& span);
  NodeId variable(std::int32_t variable, const SourceSpan& span);
  NodeId load(ObjectId object, const std::vector<NodeId>& indices, const SourceSpan& span);
  NodeId unary(Op op, NodeId a, const SourceSpan& span, std::int32_t imm = 0);
  NodeId binary(Op op, NodeId a, NodeId b, const SourceSpan& span);
  NodeId select(NodeId condition, NodeId a, NodeId b, const SourceSpan& span);
  NodeId prf(NodeId a, NodeId b, NodeId c, const SourceSpan& span);

  [[nodiscard]] const Node& operator[](NodeId id) const { return x_nodes[id]; }
  [[nodiscard]] std::size_t size() const { return x_nodes.size(); }
  [[nodiscard]] std::optional<i128> constant_value(NodeId id) const;
  /// Halves of the seed may be operands of prf only.
  void refuse_seed(NodeId id, const SourceSpan& span) const;

 private:
  NodeId make(Node node);

  using Key = std::tuple<NodeKind, Op, std::array<NodeId, 3>, std::int32_t, i128>;
  std::vector<Node> x_nodes;
  std::map<Key, NodeId> x_known;
};

}  // namespace tally::math
