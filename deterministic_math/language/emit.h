// From a graph to the instructions of a section.
//
// Instructions stand in the order in which a walk from the roots, operands first, meets them: deterministic, and close
// to their uses. What nothing needs is left out. Registers are given by liveness, lowest free first, above the
// accumulators'. In a step an accumulator's new value is computed straight into its register where its old value is no
// longer needed; the others are moved there at the end, all at once.
#pragma once

#include <optional>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/language/value_graph.h"

namespace tally::math {

/// A section with, for each instruction, the node that it computes or uses and its place in the text.
struct Section {
  std::vector<Instruction> code;
  std::vector<ValueId> nodes;
  std::vector<SourceSpan> spans;
  std::vector<ValueId> accumulators;  // the nodes of the accumulators as the section starts
  /// The instruction that computes a node; absent for accumulators and for nodes that nothing needs.
  [[nodiscard]] std::optional<std::size_t> instruction_of(ValueId node) const;
};

/// A use that ends in an effect: kReq, kRet (of column imm).
struct Root {
  Op op = Op::kReq;
  ValueId node = 0;
  std::int32_t column = 0;
  SourceSpan span;
};

struct StepRoots {
  std::optional<Root> guard;          // of kSkipZ
  std::vector<ValueId> accumulators;  // their values at the end of the step
  SourceSpan span;
};

/// Constants that fit no imm, in order of first use, are appended to `pool`. Throws CompileFailure.
[[nodiscard]] Section emit_step(const ValueGraph& graph, const StepRoots& roots, std::vector<i128>& pool);
[[nodiscard]] Section emit_finish(const ValueGraph& graph, const std::vector<Root>& roots, std::size_t accumulators,
                                  const SourceSpan& span, std::vector<i128>& pool);

}  // namespace tally::math
