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

using ValueId = std::uint32_t;

enum class ValueKind : std::uint8_t { kConstant, kAccumulator, kOperation };

/// `operands` are registers a, b, c of kOperation, as many as the operation has. `imm` is an accumulator's number, or
/// the operation's imm (variable, object, bits). `span` is where the text first asks for this value.
struct ValueNode {
  ValueKind kind = ValueKind::kConstant;
  Op op = Op::kImm;
  std::uint8_t operand_count = 0;
  std::array<ValueId, 3> operands{};
  std::int32_t imm = 0;
  i128 value = 0;  // of kConstant
  SourceSpan span;
};

class ValueGraph {
 public:
  ValueId constant(i128 value, const SourceSpan& span);
  ValueId accumulator(std::size_t number, const SourceSpan& span);
  ValueId variable(std::int32_t variable, const SourceSpan& span);
  ValueId load(ObjectId object, const std::vector<ValueId>& indices, const SourceSpan& span);
  ValueId unary(Op op, ValueId a, const SourceSpan& span, std::int32_t imm = 0);
  ValueId binary(Op op, ValueId a, ValueId b, const SourceSpan& span);
  ValueId select(ValueId condition, ValueId a, ValueId b, const SourceSpan& span);
  ValueId prf(ValueId a, ValueId b, ValueId c, const SourceSpan& span);

  [[nodiscard]] const ValueNode& operator[](ValueId id) const { return x_nodes[id]; }
  [[nodiscard]] std::size_t size() const { return x_nodes.size(); }
  [[nodiscard]] std::optional<i128> constant_value(ValueId id) const;
  /// Halves of the seed may be operands of prf only.
  void refuse_seed(ValueId id, const SourceSpan& span) const;

 private:
  ValueId make(ValueNode node);

  using Key = std::tuple<ValueKind, Op, std::array<ValueId, 3>, std::int32_t, i128>;
  std::vector<ValueNode> x_nodes;
  std::map<Key, ValueId> x_known;
};

}  // namespace tally::math
