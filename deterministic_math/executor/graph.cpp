#include "deterministic_math/executor/graph.h"

#include <array>
#include <utility>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

class GraphBuilder {
 public:
  explicit GraphBuilder(const SectionSource& source) : x_source(source) {
    x_registers.fill(kNoNode);
    for (std::size_t j = 0; j < source.accumulators.size(); ++j) {
      Node node;
      node.kind = NodeKind::kAccumulator;
      node.imm = static_cast<std::int32_t>(j);
      node.range = source.accumulators[j];
      node.depends = kOnAccumulators;
      x_registers[j] = add(node);
      x_graph.accumulators.push_back(x_registers[j]);
    }
  }

  Graph build() {
    for (std::size_t i = 0; i < x_source.code.size(); ++i) translate(x_source.code[i], x_source.ranges[i]);
    for (std::size_t j = 0; j < x_source.accumulators.size(); ++j) x_graph.updated.push_back(x_registers[j]);
    return std::move(x_graph);
  }

 private:
  NodeId add(const Node& node) {
    x_graph.nodes.push_back(node);
    return static_cast<NodeId>(x_graph.nodes.size() - 1);
  }

  NodeId read(std::uint8_t number) {
    NodeId& node = x_registers[number];
    if (node == kNoNode) node = add(Node{});
    return node;
  }

  std::uint8_t depends(NodeId node) const { return node == kNoNode ? std::uint8_t{0} : x_graph.nodes[node].depends; }

  static std::uint8_t variable_depends(std::int32_t variable) {
    if (variable == static_cast<std::int32_t>(Variable::kIndex0)) return kOnIndex0;
    if (variable == static_cast<std::int32_t>(Variable::kIndex1)) return kOnIndex1;
    if (variable == static_cast<std::int32_t>(Variable::kFold)) return kOnFold;
    return 0;
  }

  // A load of what becomes visible with the entry depends on the entry's indices, whatever its coordinates.
  std::uint8_t visibility_depends(ObjectId object) const {
    switch (load_site(x_source.program, x_source.item, object).rule) {
      case LoadRule::kVisible:
      case LoadRule::kNever:
        return 0;
      case LoadRule::kSmallerFlat:
        return kOnIndex0 | kOnIndex1;
      case LoadRule::kUpToRound:
      case LoadRule::kEarlierRound:
        return kOnIndex0;
    }
    return 0;
  }

  void translate(const Instruction& code, const Range& range) {
    Node node;
    node.op = code.op;
    node.imm = code.imm;
    node.range = range;
    switch (code.op) {
      case Op::kSkipZ:
        x_graph.guards.push_back(read(code.a));
        return;
      case Op::kReq:
        x_graph.requirements.push_back(read(code.a));
        return;
      case Op::kRet:
        x_graph.returned.push_back({static_cast<std::size_t>(code.imm), read(code.a)});
        return;
      case Op::kMov:
        x_registers[code.dst] = read(code.a);
        return;
      case Op::kImm:
        node.value = code.imm;
        break;
      case Op::kConst:
        node.value = x_source.constants[static_cast<std::size_t>(code.imm)];
        break;
      case Op::kVar:
        node.kind = NodeKind::kVariable;
        node.depends = variable_depends(code.imm);
        break;
      case Op::kLoad: {
        const auto object = static_cast<ObjectId>(code.imm);
        const std::uint8_t rank = x_source.program.objects[object].rank;
        node.kind = NodeKind::kLoad;
        if (rank > 0) node.a = read(code.a);
        if (rank > 1) node.b = read(code.b);
        node.depends = static_cast<std::uint8_t>(depends(node.a) | depends(node.b) | visibility_depends(object));
        break;
      }
      case Op::kAdd:
      case Op::kSub:
      case Op::kMul:
      case Op::kMin:
      case Op::kMax:
      case Op::kDiv:
      case Op::kMod:
      case Op::kDivRound:
      case Op::kShl:
      case Op::kShr:
      case Op::kShrRound:
      case Op::kIsqrt:
      case Op::kWrap:
      case Op::kLt:
      case Op::kLe:
      case Op::kEq:
      case Op::kSel:
      case Op::kPrf:
        translate_compute(code, node);
        break;
    }
    x_registers[code.dst] = add(node);
  }

  void translate_compute(const Instruction& code, Node& node) {
    const OpInfo* const info = find_opcode(code.op);
    TALLY_ASSERT(info != nullptr);
    node.kind = NodeKind::kCompute;
    if (info->uses(kUsesA)) node.a = read(code.a);
    if (info->uses(kUsesB)) node.b = read(code.b);
    if (info->imm == ImmUse::kC) node.c = read(code.c());
    node.depends = static_cast<std::uint8_t>(depends(node.a) | depends(node.b) | depends(node.c));
  }

  const SectionSource& x_source;
  std::array<NodeId, kRegisters> x_registers{};
  Graph x_graph;
};

}  // namespace

Graph build_graph(const SectionSource& source) { return GraphBuilder(source).build(); }

}  // namespace tally::math
