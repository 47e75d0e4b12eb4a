#include "deterministic_math/executor/code.h"

#include <algorithm>
#include <map>
#include <utility>

#include "deterministic_math/executor/slots.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

LaneType wider(LaneType x, LaneType y) { return std::max(x, y); }

class Scheduler {
 public:
  explicit Scheduler(const CodeRequest& request) : x_request(request), x_graph(request.graph) {
    x_code.axis = request.axis;
    const std::size_t count = x_graph.nodes.size();
    x_scalar_done.assign(count, 0);
    for (NodeId node = 0; node < count; ++node) classify(node);
    for (std::size_t j = 0; j < x_graph.accumulators.size(); ++j) add_accumulator(x_graph.accumulators[j]);
  }

  Code build() {
    schedule_guards();
    if (x_code.axis == Axis::kFold) {
      schedule_reductions();
    } else {
      schedule_updates();
    }
    for (const NodeId node : x_graph.requirements) {
      x_code.requirements.push_back(source_of(node, x_types[node]));
      x_code.requirement_types.push_back(x_types[node]);
    }
    for (const ReturnedValue& value : x_graph.returned) {
      x_code.returned.push_back(source_of(value.node, x_types[value.node]));
      x_code.returned_types.push_back(x_types[value.node]);
    }
    for (NodeId node = 0; node < x_graph.nodes.size(); ++node) {
      if (x_graph.nodes[node].kind == NodeKind::kConstant && x_graph.nodes[node].value == 0)
        x_code.zeros.push_back(node);
    }
    place_slots(x_code);
    return std::move(x_code);
  }

 private:
  bool over_entries() const { return x_code.axis == Axis::kEntry || x_code.axis == Axis::kFlatEntry; }

  // Along a fold, accumulators change from lane to lane: what depends on them is done one lane after the other.
  bool sequential(NodeId node) const {
    return x_code.axis == Axis::kFold && (x_graph.nodes[node].depends & kOnAccumulators) != 0;
  }

  Form index_form(std::int32_t variable) const {
    const std::uint8_t rank = x_request.program.items[x_request.item].rank;
    if (x_code.axis == Axis::kFlatEntry) return Form::kLanes;
    if (x_code.axis == Axis::kEntry)
      return variable + 1 == static_cast<std::int32_t>(rank) ? Form::kRun : Form::kUniform;
    return Form::kUniform;
  }

  Form variable_form(std::int32_t variable) const {
    if (variable == static_cast<std::int32_t>(Variable::kIndex0) ||
        variable == static_cast<std::int32_t>(Variable::kIndex1)) {
      return index_form(variable);
    }
    const bool runs = variable == static_cast<std::int32_t>(Variable::kFold) && x_code.axis == Axis::kFold;
    return runs ? Form::kRun : Form::kUniform;
  }

  Form form_of(NodeId node) const { return node == kNoNode ? Form::kUniform : x_forms[node]; }

  bool entry_matters(LoadRule rule) const {
    if (!over_entries()) return false;
    switch (rule) {
      case LoadRule::kVisible:
      case LoadRule::kNever:
        return false;
      case LoadRule::kSmallerFlat:
        return true;
      case LoadRule::kUpToRound:
      case LoadRule::kEarlierRound:
        return index_form(0) != Form::kUniform;
    }
    return false;
  }

  Form load_form(const Node& node) const {
    const LoadRule rule = load_site(x_request.program, x_request.item, static_cast<ObjectId>(node.imm)).rule;
    const bool uniform = form_of(node.a) == Form::kUniform && form_of(node.b) == Form::kUniform;
    return uniform && !entry_matters(rule) ? Form::kUniform : Form::kLanes;
  }

  Form compute_form(const Node& node) const {
    const Form a = form_of(node.a);
    const Form b = form_of(node.b);
    if (a == Form::kUniform && b == Form::kUniform && form_of(node.c) == Form::kUniform) return Form::kUniform;
    if (node.op == Op::kAdd && std::min(a, b) == Form::kUniform && std::max(a, b) == Form::kRun) return Form::kRun;
    if (node.op == Op::kSub && a == Form::kRun && b == Form::kUniform) return Form::kRun;
    return Form::kLanes;
  }

  void classify(NodeId id) {
    const Node& node = x_graph.nodes[id];
    Form form = Form::kUniform;
    LaneType type = lane_type(node.range);
    LaneType computed = type;
    switch (node.kind) {
      case NodeKind::kConstant:
        break;
      case NodeKind::kVariable:
        form = variable_form(node.imm);
        break;
      case NodeKind::kAccumulator:
        form = over_entries() ? Form::kLanes : Form::kUniform;
        break;
      case NodeKind::kLoad:
        form = load_form(node);
        type = computed =
            lane_type(load_site(x_request.program, x_request.item, static_cast<ObjectId>(node.imm)).clamp);
        break;
      case NodeKind::kCompute:
        form = compute_form(node);
        if (form == Form::kLanes && node.op != Op::kPrf) {
          for (const NodeId operand : {node.a, node.b, node.c}) {
            if (operand != kNoNode) computed = wider(computed, x_types[operand]);
          }
          if (computed != LaneType::k128) type = computed;
        } else if (node.op == Op::kPrf) {
          type = computed = LaneType::k64;
        }
        break;
    }
    x_forms.push_back(form);
    x_types.push_back(type);
    x_computed.push_back(computed);
  }

  void add_accumulator(NodeId node) {
    AccumulatorCode accumulator;
    if (over_entries()) {
      accumulator.slot = add_slot(x_types[node], true);
      x_slots[{node, x_types[node]}] = accumulator.slot;
    } else {
      x_scalar_done[node] = 1;
    }
    x_code.accumulators.push_back(accumulator);
  }

  SlotId add_slot(LaneType type, bool held) {
    TALLY_ASSERT(x_code.slots.size() < kNoSlot);
    x_code.slots.push_back({type, held, 0});
    return static_cast<SlotId>(x_code.slots.size() - 1);
  }

  bool repeated(NodeId node) const { return (x_graph.nodes[node].depends & (kOnFold | kOnAccumulators)) != 0; }

  // The finish keeps nothing for a whole block: its lanes are all temporaries.
  Phase lane_phase(NodeId node) const {
    return !x_request.has_fold || repeated(node) ? Phase::kRepeated : Phase::kHoisted;
  }
  Phase scalar_phase(NodeId node) const {
    return x_request.has_fold && repeated(node) ? Phase::kRepeated : Phase::kHoisted;
  }

  std::vector<ScalarStep>& scalar_steps(NodeId node) {
    return x_code.scalars[static_cast<std::size_t>(scalar_phase(node))];
  }

  std::uint16_t add_load(const Node& node) {
    const auto object = static_cast<ObjectId>(node.imm);
    const LoadSite site = load_site(x_request.program, x_request.item, object);
    Load load{view_object(x_request.program, x_request.values, x_request.inputs, object), site.rule, site.clamp, 0};
    if (load.object.rank == 2) load.cache = kLoadCaches * x_request.row_loads++;
    x_code.loads.push_back(load);
    return static_cast<std::uint16_t>(x_code.loads.size() - 1);
  }

  ScalarStep scalar_step(NodeId node) {
    ScalarStep step;
    step.node = node;
    if (x_graph.nodes[node].kind == NodeKind::kLoad) step.load = add_load(x_graph.nodes[node]);
    return step;
  }

  // Schedules the scalar of a uniform value, or the base of a run.
  void need_scalar(NodeId id) {
    if (id == kNoNode || x_scalar_done[id] != 0) return;
    TALLY_ASSERT(x_forms[id] != Form::kLanes);
    const Node& node = x_graph.nodes[id];
    need_scalar(node.a);
    need_scalar(node.b);
    need_scalar(node.c);
    x_scalar_done[id] = 1;
    const ScalarStep step = scalar_step(id);
    scalar_steps(id).push_back(step);
  }

  Source source_of(NodeId node, LaneType type) {
    if (x_forms[node] == Form::kUniform) {
      need_scalar(node);
      return {kNoSlot, node};
    }
    return {lanes_of(node, type), kNoNode};
  }

  // The slot that holds a value's lanes in a type, scheduling it where that has not been done.
  SlotId lanes_of(NodeId id, LaneType type) {
    const auto known = x_slots.find({id, type});
    if (known != x_slots.end()) return known->second;
    const Phase phase = lane_phase(id);
    LaneStep step;
    if (type != x_computed[id]) {
      step.kind = LaneStepKind::kConvert;
      step.a = {lanes_of(id, x_computed[id]), kNoNode};
    } else {
      step = lane_step(id);
    }
    step.dst = add_slot(type, phase == Phase::kHoisted);
    x_slots[{id, type}] = step.dst;
    x_code.lanes[static_cast<std::size_t>(phase)].push_back(step);
    return step.dst;
  }

  LaneStep lane_step(NodeId id) {
    const Node& node = x_graph.nodes[id];
    LaneStep step;
    step.op = node.op;
    step.imm = node.imm;
    if (x_forms[id] == Form::kRun) {
      need_scalar(id);
      step.kind = LaneStepKind::kCount;
      step.a = {kNoSlot, id};
      return step;
    }
    TALLY_ASSERT(x_forms[id] == Form::kLanes && !sequential(id));
    switch (node.kind) {
      case NodeKind::kVariable:
        step.kind = LaneStepKind::kIndex;
        break;
      case NodeKind::kLoad:
        load_step(node, step);
        break;
      case NodeKind::kCompute:
        compute_step(id, step);
        break;
      case NodeKind::kConstant:
      case NodeKind::kAccumulator:
        TALLY_ASSERT(false);
        break;
    }
    return step;
  }

  void compute_step(NodeId id, LaneStep& step) {
    const Node& node = x_graph.nodes[id];
    const bool prf = node.op == Op::kPrf;
    step.kind = prf ? LaneStepKind::kPrf : LaneStepKind::kCompute;
    const LaneType type = prf ? LaneType::k128 : x_computed[id];
    if (node.a != kNoNode) step.a = source_of(node.a, type);
    if (node.b != kNoNode) step.b = source_of(node.b, type);
    if (node.c != kNoNode) step.c = source_of(node.c, type);
  }

  Source coordinate(NodeId node, Form form) {
    if (form != Form::kLanes) {
      if (node != kNoNode) need_scalar(node);
      return {kNoSlot, node};
    }
    const SlotId slot = lanes_of(node, x_types[node]);
    if (x_types[node] == LaneType::k64) return {slot, kNoNode};
    const auto known = x_coordinates.find(node);
    if (known != x_coordinates.end()) return {known->second, kNoNode};
    LaneStep step;
    step.kind = LaneStepKind::kToCoordinate;
    step.a = {slot, kNoNode};
    const Phase phase = lane_phase(node);
    step.dst = add_slot(LaneType::k64, phase == Phase::kHoisted);
    x_coordinates[node] = step.dst;
    x_code.lanes[static_cast<std::size_t>(phase)].push_back(step);
    return {step.dst, kNoNode};
  }

  void load_step(const Node& node, LaneStep& step) {
    step.load = add_load(node);
    const Load& load = x_code.loads[step.load];
    step.a_form = form_of(node.a);
    step.b_form = form_of(node.b);
    const bool by_round = load.rule == LoadRule::kUpToRound || load.rule == LoadRule::kEarlierRound;
    const bool run = load.object.rank == 1
                         ? step.a_form == Form::kRun
                         : load.object.rank == 2 && step.a_form == Form::kUniform && step.b_form == Form::kRun;
    const bool resolvable = !(by_round && x_code.axis == Axis::kFlatEntry);
    step.kind = run && resolvable ? LaneStepKind::kLoadRun : LaneStepKind::kLoadGather;
    step.a = coordinate(node.a, step.a_form);
    step.b = coordinate(node.b, step.b_form);
  }

  void schedule_guards() {
    for (const NodeId guard : x_graph.guards) {
      if (sequential(guard) || x_forms[guard] != Form::kUniform) continue;
      need_scalar(guard);
      ScalarStep step;
      step.node = guard;
      step.guard = true;
      scalar_steps(guard).push_back(step);
    }
    for (const NodeId guard : x_graph.guards) {
      if (sequential(guard) || x_forms[guard] == Form::kUniform) continue;
      LaneStep step;
      step.kind = LaneStepKind::kGuard;
      step.a = source_of(guard, x_types[guard]);
      x_code.lanes[static_cast<std::size_t>(Phase::kRepeated)].push_back(step);
      x_code.lane_guards = true;
    }
  }

  void schedule_updates() {
    for (std::size_t j = 0; j < x_graph.updated.size(); ++j) {
      const NodeId own = x_graph.accumulators[j];
      const NodeId updated = x_graph.updated[j];
      if (updated == own || !x_request.has_fold) continue;
      AccumulatorCode& accumulator = x_code.accumulators[j];
      accumulator.updated = source_of(updated, x_types[own]);
      // Another accumulator's lanes are copied before that one changes.
      if (accumulator.updated.slot == kNoSlot || x_graph.nodes[updated].kind != NodeKind::kAccumulator) continue;
      LaneStep step;
      step.kind = LaneStepKind::kConvert;
      step.a = accumulator.updated;
      step.dst = add_slot(x_types[own], false);
      accumulator.updated = {step.dst, kNoNode};
      x_code.lanes[static_cast<std::size_t>(Phase::kRepeated)].push_back(step);
    }
  }

  std::vector<std::uint16_t> count_uses() const {
    std::vector<std::uint16_t> uses(x_graph.nodes.size(), 0);
    const auto use = [&](NodeId node) {
      if (node != kNoNode) ++uses[node];
    };
    for (const NodeId node : x_graph.updated) use(node);
    for (const NodeId node : x_graph.guards) use(node);
    for (std::size_t i = x_graph.nodes.size(); i-- > 0;) {
      if (uses[i] == 0) continue;
      use(x_graph.nodes[i].a);
      use(x_graph.nodes[i].b);
      use(x_graph.nodes[i].c);
    }
    return uses;
  }

  struct ReductionShape {
    Reduction reduction = Reduction::kSequential;
    std::vector<std::pair<NodeId, bool>> terms;  // and whether it is subtracted
  };

  // Follows acc + x - y + … (or min, max) down to the accumulator.
  ReductionShape reduction_shape(NodeId own, NodeId updated, const std::vector<std::uint16_t>& uses) const {
    ReductionShape shape;
    NodeId at = updated;
    while (at != own) {
      const Node& node = x_graph.nodes[at];
      if (node.kind != NodeKind::kCompute || uses[at] != 1) return {};
      Reduction reduction = Reduction::kSequential;
      if (node.op == Op::kAdd || node.op == Op::kSub) reduction = Reduction::kSum;
      if (node.op == Op::kMin) reduction = Reduction::kMin;
      if (node.op == Op::kMax) reduction = Reduction::kMax;
      if (reduction == Reduction::kSequential) return {};
      if (shape.reduction != Reduction::kSequential && shape.reduction != reduction) return {};
      shape.reduction = reduction;
      if (!sequential(node.b)) {
        shape.terms.emplace_back(node.b, node.op == Op::kSub);
        at = node.a;
      } else if (node.op != Op::kSub && !sequential(node.a)) {
        shape.terms.emplace_back(node.a, false);
        at = node.b;
      } else {
        return {};
      }
      if (!sequential(at)) return {};
    }
    return uses[own] == 1 ? shape : ReductionShape{};
  }

  void schedule_reductions() {
    const std::vector<std::uint16_t> uses = count_uses();
    const bool all_sequential = std::ranges::any_of(x_graph.guards, [&](NodeId node) { return sequential(node); });
    for (std::size_t j = 0; j < x_graph.updated.size(); ++j) {
      const NodeId own = x_graph.accumulators[j];
      const NodeId updated = x_graph.updated[j];
      if (updated == own) continue;
      ReductionShape shape;
      if (!all_sequential) shape = reduction_shape(own, updated, uses);
      x_code.accumulators[j].reduction = shape.reduction;
      for (const auto& [term, negative] : shape.terms) {
        const Source source = source_of(term, x_types[term]);
        x_code.accumulators[j].terms.push_back({source, x_types[term], negative});
      }
    }
    const bool any = std::ranges::any_of(
        x_code.accumulators, [](const AccumulatorCode& code) { return code.reduction == Reduction::kSequential; });
    if (any) schedule_sequential();
  }

  void schedule_sequential() {
    for (const NodeId guard : x_graph.guards) {
      if (!sequential(guard)) continue;
      need_sequential(guard);
      ScalarStep step;
      step.node = guard;
      step.guard = true;
      x_code.sequential.push_back(step);
    }
    for (std::size_t j = 0; j < x_graph.updated.size(); ++j) {
      if (x_code.accumulators[j].reduction == Reduction::kSequential) need_sequential(x_graph.updated[j]);
    }
  }

  void need_sequential(NodeId id) {
    if (id == kNoNode) return;
    if (!sequential(id)) {
      const Source source = source_of(id, x_types[id]);
      const bool known =
          std::ranges::any_of(x_code.sequential_inputs, [&](const LaneInput& in) { return in.node == id; });
      if (source.slot != kNoSlot && !known) x_code.sequential_inputs.push_back({id, source.slot});
      return;
    }
    if (x_scalar_done[id] != 0) return;
    x_scalar_done[id] = 1;
    const Node& node = x_graph.nodes[id];
    need_sequential(node.a);
    need_sequential(node.b);
    need_sequential(node.c);
    const ScalarStep step = scalar_step(id);
    x_code.sequential.push_back(step);
  }

  const CodeRequest& x_request;
  const Graph& x_graph;
  Code x_code;
  std::vector<Form> x_forms;
  std::vector<LaneType> x_types;     // that users of a value see
  std::vector<LaneType> x_computed;  // that it is computed in
  std::vector<std::uint8_t> x_scalar_done;
  std::map<std::pair<NodeId, LaneType>, SlotId> x_slots;
  std::map<NodeId, SlotId> x_coordinates;
};

}  // namespace

Code schedule(const CodeRequest& request) { return Scheduler(request).build(); }

}  // namespace tally::math
