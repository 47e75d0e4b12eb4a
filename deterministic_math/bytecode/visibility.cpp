#include "deterministic_math/bytecode/visibility.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"

namespace tally::math {
namespace {

LoadRule rule_for_owner(const Program& program, std::size_t item, std::size_t owner, ObjectKind kind) {
  const LoopId loop = program.items[item].loop;
  const bool same_loop = loop != kOutside && program.items[owner].loop == loop;
  if (owner < item) return same_loop ? LoadRule::kUpToRound : LoadRule::kVisible;
  if (owner > item) return same_loop ? LoadRule::kEarlierRound : LoadRule::kNever;
  if (kind == ObjectKind::kComputed) return LoadRule::kSmallerFlat;
  return same_loop ? LoadRule::kUpToRound : LoadRule::kVisible;
}

bool is_visible(LoadRule rule, std::uint64_t entry, std::uint64_t round, std::uint64_t flat, std::uint64_t first) {
  switch (rule) {
    case LoadRule::kVisible:
      return true;
    case LoadRule::kSmallerFlat:
      return flat < entry;
    case LoadRule::kUpToRound:
      return first <= round;
    case LoadRule::kEarlierRound:
      return first < round;
    case LoadRule::kNever:
      return false;
  }
  return false;
}

}  // namespace

std::optional<std::size_t> owner_item(const Program& program, ObjectId object) {
  const ObjectKind kind = program.objects[object].kind;
  if (kind != ObjectKind::kAdvice && kind != ObjectKind::kComputed) return std::nullopt;
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    if (std::ranges::find(program.items[i].results, object) != program.items[i].results.end()) return i;
  }
  return std::nullopt;
}

std::set<ObjectId> loaded_objects(const Body& body) {
  std::set<ObjectId> objects;
  for (const auto* const section : {&body.step, &body.finish}) {
    for (const Instruction& op : *section) {
      if (op.op == Op::kLoad) objects.insert(static_cast<ObjectId>(op.imm));
    }
  }
  return objects;
}

LoadSite load_site(const Program& program, std::size_t item, ObjectId object) {
  TALLY_ASSERT(item < program.items.size() && object < program.objects.size());
  const Object& loaded = program.objects[object];
  LoadSite site{LoadRule::kVisible, loaded.range};
  if (loaded.kind != ObjectKind::kAdvice && loaded.kind != ObjectKind::kComputed) return site;
  const std::optional<std::size_t> owner = owner_item(program, object);
  site.rule = owner ? rule_for_owner(program, item, *owner, loaded.kind) : LoadRule::kNever;
  const bool unproved = site.rule == LoadRule::kEarlierRound && loaded.origin == RangeOrigin::kProved;
  if (unproved) site.clamp = type_range(loaded.type);
  return site;
}

ResolvedLoad resolve_load(const Program& program, const BatchValues& values, std::size_t item, std::uint64_t entry,
                          ObjectId object, const Coordinates& coordinates) {
  const LoadSite site = load_site(program, item, object);
  const Object& loaded = program.objects[object];
  ResolvedLoad load{std::nullopt, site.clamp};
  std::uint64_t flat = 0;
  for (std::size_t axis = 0; axis < loaded.rank; ++axis) {
    const std::uint64_t bound = extent_value(loaded.extents[axis], values);
    if (coordinates[axis] < 0 || coordinates[axis] >= static_cast<i128>(bound)) return load;
    flat = flat * bound + static_cast<std::uint64_t>(coordinates[axis]);
  }
  const std::uint64_t first = loaded.rank == 0 ? 0 : static_cast<std::uint64_t>(coordinates[0]);
  const std::uint64_t round = entry_indices(program.items[item], values, entry)[0];
  if (is_visible(site.rule, entry, round, flat, first)) load.element = flat;
  return load;
}

std::array<std::uint64_t, kMaxRank> entry_indices(const Item& item, const BatchValues& values, std::uint64_t entry) {
  if (item.rank == 0) return {0, 0};
  if (item.rank == 1) return {entry, 0};
  const std::uint64_t columns = extent_value(item.extents[1], values);
  TALLY_ASSERT(columns != 0);
  return {entry / columns, entry % columns};
}

}  // namespace tally::math
