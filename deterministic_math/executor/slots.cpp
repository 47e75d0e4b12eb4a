#include "deterministic_math/executor/slots.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tally::math {

namespace {

constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();

std::array<SlotId, 3> operands(const LaneStep& step) { return {step.a.slot, step.b.slot, step.c.slot}; }

void rename(Source& source, SlotId from, SlotId to) {
  if (source.slot == from) source.slot = to;
}

// An accumulator takes its new value where it stands if the step that computes it is the last to read an accumulator's
// old value, and no lane may keep the old one.
void update_in_place(Code& code) {
  if (code.lane_guards) return;
  std::vector<LaneStep>& steps = code.lanes[static_cast<std::size_t>(Phase::kRepeated)];
  for (AccumulatorCode& accumulator : code.accumulators) {
    const SlotId fresh = accumulator.updated.slot;
    const SlotId own = accumulator.slot;
    if (fresh == kNoSlot || own == kNoSlot || code.slots[fresh].held) continue;
    const auto writes = std::ranges::find(steps, fresh, &LaneStep::dst);
    if (writes == steps.end() || writes->kind != LaneStepKind::kCompute) continue;
    const bool read_later = std::any_of(writes + 1, steps.end(), [&](const LaneStep& step) {
      return step.a.slot == own || step.b.slot == own || step.c.slot == own;
    });
    if (read_later) continue;
    for (auto step = writes; step != steps.end(); ++step) {
      if (step != writes) {
        rename(step->a, fresh, own);
        rename(step->b, fresh, own);
        rename(step->c, fresh, own);
      }
      if (step->dst == fresh) step->dst = own;
    }
    for (AccumulatorCode& other : code.accumulators) rename(other.updated, fresh, own);
    accumulator.updated = {};
  }
}

std::vector<std::size_t> last_uses(const Code& code) {
  std::vector<std::size_t> last(code.slots.size(), 0);
  const std::vector<LaneStep>& steps = code.lanes[static_cast<std::size_t>(Phase::kRepeated)];
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].dst != kNoSlot) last[steps[i].dst] = std::max(last[steps[i].dst], i);
    for (const SlotId slot : operands(steps[i])) {
      if (slot != kNoSlot) last[slot] = i;
    }
  }
  const auto keep = [&](const Source& source) {
    if (source.slot != kNoSlot) last[source.slot] = kForever;
  };
  for (const AccumulatorCode& accumulator : code.accumulators) {
    keep(accumulator.updated);
    for (const Term& term : accumulator.terms) keep(term.value);
  }
  for (const Source& source : code.requirements) keep(source);
  for (const Source& source : code.returned) keep(source);
  for (const LaneInput& input : code.sequential_inputs) last[input.slot] = kForever;
  return last;
}

}  // namespace

void place_slots(Code& code) {
  update_in_place(code);
  for (Slot& slot : code.slots) {
    if (!slot.held) continue;
    slot.offset = code.held_bytes;
    code.held_bytes += lane_bytes(slot.type);
  }
  const std::vector<std::size_t> last = last_uses(code);
  const std::vector<LaneStep>& steps = code.lanes[static_cast<std::size_t>(Phase::kRepeated)];
  std::array<std::vector<std::size_t>, 5> spare;  // offsets, by lane type
  std::vector<std::uint8_t> placed(code.slots.size(), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const SlotId dst = steps[i].dst;
    if (dst != kNoSlot && !code.slots[dst].held && placed[dst] == 0) {
      Slot& slot = code.slots[dst];
      std::vector<std::size_t>& offsets = spare[static_cast<std::size_t>(slot.type)];
      if (offsets.empty()) {
        slot.offset = code.group_bytes;
        code.group_bytes += lane_bytes(slot.type);
      } else {
        slot.offset = offsets.back();
        offsets.pop_back();
      }
      placed[dst] = 1;
    }
    for (SlotId slot = 0; slot < code.slots.size(); ++slot) {
      if (placed[slot] != 0 && !code.slots[slot].held && last[slot] == i) {
        spare[static_cast<std::size_t>(code.slots[slot].type)].push_back(code.slots[slot].offset);
      }
    }
  }
}

}  // namespace tally::math
