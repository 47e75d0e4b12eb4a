#include "deterministic_math/language/emit.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "deterministic_math/language/diagnostics.h"

namespace tally::math {
namespace {

constexpr ValueId kNoNode = std::numeric_limits<ValueId>::max();
constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

/// Either the computation of a node or, where `root` is set, its use as one.
struct Slot {
  ValueId node = 0;
  const Root* root = nullptr;
};

struct Move {
  std::uint8_t to = 0;
  std::uint8_t from = 0;
  ValueId node = 0;
};

class Emitter {
 public:
  Emitter(const ValueGraph& graph, std::size_t accumulators, const SourceSpan& span, std::vector<i128>& pool)
      : x_graph(graph), x_accumulators(accumulators), x_span(span), x_pool(pool) {
    x_position.assign(graph.size(), kNowhere);
    x_last_use.assign(graph.size(), 0);
    x_register.assign(graph.size(), 0);
    x_section.accumulators.assign(accumulators, kNoNode);
  }

  Section step(const StepRoots& roots);
  Section finish(const std::vector<Root>& roots);

 private:
  void schedule(ValueId root);
  void schedule_root(const Root& root);
  void find_last_uses();
  void place_results(const std::vector<ValueId>& results, std::size_t first_free_position);
  void emit_all();
  void emit_node(ValueId id);
  void emit_moves(std::vector<Move> moves);
  void push(Instruction instruction, ValueId node, const SourceSpan& span);
  std::uint8_t free_register(const SourceSpan& span);
  [[nodiscard]] Instruction constant(i128 value);
  void use(ValueId id, std::size_t position) { x_last_use[id] = std::max(x_last_use[id], position); }

  const ValueGraph& x_graph;
  std::size_t x_accumulators;
  SourceSpan x_span;
  std::vector<i128>& x_pool;
  std::vector<Slot> x_slots;
  std::vector<std::size_t> x_position;  // of a node's slot; kNowhere: not scheduled
  std::vector<std::size_t> x_last_use;
  std::vector<std::uint8_t> x_register;
  std::vector<std::optional<std::uint8_t>> x_home;  // the accumulator register that a node is computed into
  std::array<bool, kRegisters> x_taken{};
  Section x_section;
};

void Emitter::schedule(ValueId root) {
  struct Visit {
    ValueId node;
    std::size_t next = 0;
  };
  std::vector<Visit> stack{{root}};
  while (!stack.empty()) {
    Visit& visit = stack.back();
    const ValueNode& node = x_graph[visit.node];
    if (x_position[visit.node] != kNowhere || node.kind == ValueKind::kAccumulator) {
      stack.pop_back();
    } else if (visit.next < node.operand_count) {
      const ValueId operand = node.operands.at(visit.next++);
      stack.push_back({operand});
    } else {
      x_position[visit.node] = x_slots.size();
      x_slots.push_back({visit.node});
      stack.pop_back();
    }
  }
}

void Emitter::schedule_root(const Root& root) {
  schedule(root.node);
  x_slots.push_back({root.node, &root});
}

void Emitter::find_last_uses() {
  if (x_slots.size() > kMaxSectionInstructions) {
    fail(CompileReason::kSectionTooLong, x_span,
         "this takes " + std::to_string(x_slots.size()) + " instructions; a section has at most " +
             std::to_string(kMaxSectionInstructions));
  }
  for (std::size_t position = 0; position < x_slots.size(); ++position) {
    const Slot& slot = x_slots[position];
    if (slot.root != nullptr) {
      use(slot.node, position);
      continue;
    }
    const ValueNode& node = x_graph[slot.node];
    for (std::size_t i = 0; i < node.operand_count; ++i) use(node.operands.at(i), position);
  }
}

/// Decides which accumulator registers are computed into directly; the rest stay live to the end.
void Emitter::place_results(const std::vector<ValueId>& results, std::size_t first_free_position) {
  x_home.assign(x_graph.size(), std::nullopt);
  std::vector<ValueId> old_values(results.size(), 0);
  std::vector<bool> old_value_known(results.size(), false);
  for (ValueId id = 0; id < x_graph.size(); ++id) {
    if (x_graph[id].kind != ValueKind::kAccumulator) continue;
    old_values.at(static_cast<std::size_t>(x_graph[id].imm)) = id;
    old_value_known.at(static_cast<std::size_t>(x_graph[id].imm)) = true;
  }
  for (std::size_t j = 0; j < results.size(); ++j) {
    const ValueId result = results[j];
    if (x_graph[result].kind == ValueKind::kAccumulator) continue;
    const std::size_t position = x_position[result];
    const ValueId old_value = old_values[j];
    const bool old_value_moves = old_value_known[j] && std::ranges::find(results, old_value) != results.end();
    const bool old_value_needed = old_value_known[j] && (old_value_moves || x_last_use[old_value] > position);
    if (position >= first_free_position && !old_value_needed && !x_home[result]) {
      x_home[result] = static_cast<std::uint8_t>(j);
    } else {
      use(result, kNowhere);
    }
  }
}

std::uint8_t Emitter::free_register(const SourceSpan& span) {
  const auto* const found =
      std::find(x_taken.begin() + static_cast<std::ptrdiff_t>(x_accumulators), x_taken.end(), false);
  if (found == x_taken.end()) {
    fail(CompileReason::kTooManyLiveValues, span,
         "more than " + std::to_string(kRegisters - x_accumulators) +
             " values are needed at once here; split the body into two tables");
  }
  return static_cast<std::uint8_t>(found - x_taken.begin());
}

void Emitter::push(Instruction instruction, ValueId node, const SourceSpan& span) {
  x_section.code.push_back(instruction);
  x_section.nodes.push_back(node);
  x_section.spans.push_back(span);
}

Instruction Emitter::constant(i128 value) {
  if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) {
    return {.op = Op::kImm, .imm = static_cast<std::int32_t>(value)};
  }
  const auto found = std::ranges::find(x_pool, value);
  const auto index = static_cast<std::int32_t>(found - x_pool.begin());
  if (found == x_pool.end()) x_pool.push_back(value);
  return {.op = Op::kConst, .imm = index};
}

void Emitter::emit_node(ValueId id) {
  const ValueNode& node = x_graph[id];
  Instruction instruction{.op = node.op, .imm = node.imm};
  if (node.kind == ValueKind::kConstant) instruction = constant(node.value);
  if (node.operand_count > 0) instruction.a = x_register[node.operands[0]];
  if (node.operand_count > 1) instruction.b = x_register[node.operands[1]];
  if (node.operand_count > 2) instruction.imm = x_register[node.operands[2]];
  const std::size_t position = x_position[id];
  for (std::size_t i = 0; i < node.operand_count; ++i) {
    const ValueId operand = node.operands.at(i);
    const bool dies = x_last_use[operand] == position && x_register[operand] >= x_accumulators;
    if (dies) x_taken.at(x_register[operand]) = false;
  }
  x_register[id] = x_home.empty() || !x_home[id] ? free_register(node.span) : *x_home[id];
  instruction.dst = x_register[id];
  if (x_register[id] >= x_accumulators) x_taken.at(x_register[id]) = true;
  push(instruction, id, node.span);
}

void Emitter::emit_all() {
  for (ValueId id = 0; id < x_graph.size(); ++id) {
    if (x_graph[id].kind != ValueKind::kAccumulator) continue;
    x_register[id] = static_cast<std::uint8_t>(x_graph[id].imm);
    x_section.accumulators.at(x_register[id]) = id;
  }
  for (std::size_t position = 0; position < x_slots.size(); ++position) {
    const Slot& slot = x_slots[position];
    if (slot.root == nullptr) {
      emit_node(slot.node);
      continue;
    }
    const std::uint8_t source = x_register[slot.node];
    push({.op = slot.root->op, .a = source, .imm = slot.root->column}, slot.node, slot.root->span);
    if (x_last_use[slot.node] == position && source >= x_accumulators) x_taken.at(source) = false;
  }
}

/// All moves read their sources before any is written. A move whose target nobody still reads goes first; what is left
/// are cycles, each of which is opened through a free register.
void Emitter::emit_moves(std::vector<Move> moves) {
  while (!moves.empty()) {
    const auto ready = std::ranges::find_if(moves, [&](const Move& move) {
      return std::ranges::none_of(moves, [&](const Move& other) { return other.from == move.to; });
    });
    if (ready != moves.end()) {
      push({.op = Op::kMov, .dst = ready->to, .a = ready->from}, ready->node, x_graph[ready->node].span);
      moves.erase(ready);
      continue;
    }
    const Move first = moves.front();
    const std::uint8_t spare = free_register(x_span);
    push({.op = Op::kMov, .dst = spare, .a = first.from}, first.node, x_graph[first.node].span);
    x_taken.at(spare) = true;
    for (Move& move : moves) {
      if (move.from == first.from) move.from = spare;
    }
  }
}

Section Emitter::step(const StepRoots& roots) {
  std::size_t first_free_position = 0;
  if (roots.guard) {
    schedule_root(*roots.guard);
    first_free_position = x_slots.size();
  }
  for (const ValueId result : roots.accumulators) schedule(result);
  find_last_uses();
  place_results(roots.accumulators, first_free_position);
  emit_all();
  std::vector<Move> moves;
  for (std::size_t j = 0; j < roots.accumulators.size(); ++j) {
    const auto to = static_cast<std::uint8_t>(j);
    const ValueId node = roots.accumulators[j];
    if (x_register[node] != to) moves.push_back({to, x_register[node], node});
  }
  emit_moves(std::move(moves));
  if (x_section.code.size() > kMaxSectionInstructions) {
    fail(CompileReason::kSectionTooLong, x_span,
         "this takes " + std::to_string(x_section.code.size()) + " instructions; a section has at most " +
             std::to_string(kMaxSectionInstructions));
  }
  return std::move(x_section);
}

Section Emitter::finish(const std::vector<Root>& roots) {
  for (const Root& root : roots) schedule_root(root);
  find_last_uses();
  emit_all();
  return std::move(x_section);
}

}  // namespace

std::optional<std::size_t> Section::instruction_of(ValueId node) const {
  for (std::size_t i = 0; i < code.size(); ++i) {
    const Op op = code[i].op;
    const bool computes = op != Op::kMov && op != Op::kSkipZ && op != Op::kReq && op != Op::kRet;
    if (computes && nodes[i] == node) return i;
  }
  return std::nullopt;
}

Section emit_step(const ValueGraph& graph, const StepRoots& roots, std::vector<i128>& pool) {
  return Emitter(graph, roots.accumulators.size(), roots.span, pool).step(roots);
}

Section emit_finish(const ValueGraph& graph, const std::vector<Root>& roots, std::size_t accumulators,
                    const SourceSpan& span, std::vector<i128>& pool) {
  return Emitter(graph, accumulators, span, pool).finish(roots);
}

}  // namespace tally::math
