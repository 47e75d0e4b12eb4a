#include "deterministic_math/bytecode/validator.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/visibility.h"

namespace tally::math {
namespace {

using Reason = ValidationReason;

constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};

/// Runs the checks in order; the first fault stays.
class Validator {
 public:
  explicit Validator(const Program& program) : x_program(program) {}

  std::expected<void, ValidationFault> run() {
    check_well_formed();
    check(&Validator::check_dims);
    check(&Validator::check_objects);
    check(&Validator::check_loops);
    check(&Validator::check_items);
    check(&Validator::check_pool);
    check(&Validator::check_ranges);
    check(&Validator::check_next);
    check(&Validator::check_payable);
    return std::move(x_result);
  }

 private:
  void check(void (Validator::*part)()) {
    if (x_result) (this->*part)();
  }

  void refuse(ValidationFault fault) {
    // GCC 12 takes a copy here for a read of absent optionals.
    if (x_result) x_result = std::unexpected(std::move(fault));  // NOLINT(performance-move-const-arg)
  }

  void refuse_at(Reason reason, std::size_t index) { refuse({.reason = reason, .index = index}); }

  void refuse_item(Reason reason, std::size_t item) { refuse({.reason = reason, .item = item}); }

  void check_well_formed() {
    const auto decoded = decode_program(encode_program(x_program));
    if (!decoded) {
      refuse({.reason = Reason::kNotWellFormed, .decode = decoded.error()});
    } else if (*decoded != x_program) {
      refuse({.reason = Reason::kNotWellFormed});
    }
  }

  void check_dims() {
    if (x_program.dims.empty() || x_program.dims[0].role != DimRole::kRecords) {
      return refuse_at(Reason::kDimRoles, 0);
    }
    bool members = false;
    for (std::size_t i = 1; i < x_program.dims.size(); ++i) {
      const DimRole role = x_program.dims[i].role;
      if (role == DimRole::kRecords || (role == DimRole::kMembers && members)) refuse_at(Reason::kDimRoles, i);
      members = members || role == DimRole::kMembers;
    }
  }

  [[nodiscard]] Range member_range() const {
    for (const Dim& dim : x_program.dims) {
      if (dim.role == DimRole::kMembers) return {0, dim.hi == 0 ? 0 : static_cast<i128>(dim.hi) - 1};
    }
    return {0, 0xffffffff};
  }

  [[nodiscard]] bool uses_records(const Extent& extent) const {
    return extent.kind == ExtentKind::kDim && x_program.dims[extent.value].role == DimRole::kRecords;
  }

  [[nodiscard]] bool too_many_elements(const std::array<Extent, kMaxRank>& extents) const {
    const u128 first = extent_max(extents[0], x_program);
    return first * extent_max(extents[1], x_program) >= kMaxTableElements;
  }

  void check_objects() {
    std::array<std::size_t, 7> counts{};
    ObjectKind previous = ObjectKind::kMember;
    for (std::size_t i = 0; i < x_program.objects.size(); ++i) {
      const Object& object = x_program.objects[i];
      const bool is_table = object.kind == ObjectKind::kAdvice || object.kind == ObjectKind::kComputed;
      const ObjectKind rank = is_table ? ObjectKind::kAdvice : object.kind;  // tables of both kinds mix
      const bool first_two = (i == kMemberObject) == (object.kind == ObjectKind::kMember) &&
                             (i == kNonceObject) == (object.kind == ObjectKind::kNonce);
      if (rank < previous || !first_two) refuse_at(Reason::kObjectOrder, i);
      previous = rank;
      counts[static_cast<std::size_t>(object.kind)] += 1;
      check_object(i, object);
    }
    if (x_program.objects.size() <= kNonceObject) refuse_at(Reason::kObjectOrder, x_program.objects.size());
    const bool within = counts[static_cast<std::size_t>(ObjectKind::kField)] <= kMaxFields &&
                        counts[static_cast<std::size_t>(ObjectKind::kRow)] <= kMaxRows &&
                        counts[static_cast<std::size_t>(ObjectKind::kState)] <= kMaxStates;
    if (!within) refuse({.reason = Reason::kTooManyInputs});
  }

  [[nodiscard]] bool has_form(const Object& object) const {
    const bool declared = object.origin == RangeOrigin::kDeclared;
    const bool per_record = object.rank == 1 && object.extents[0] == kRecordsExtent;
    switch (object.kind) {
      case ObjectKind::kMember:
        return declared && per_record && object.type == ElementType::kI128 && object.range == member_range();
      case ObjectKind::kNonce:
        return declared && per_record && object.type == ElementType::kI128 &&
               object.range == Range{0, (i128{1} << 64) - 1};
      case ObjectKind::kField:
        return declared && per_record && object.type == ElementType::kI64;
      case ObjectKind::kRow:
        return declared && object.rank == 2 && object.extents[0] == kRecordsExtent;
      case ObjectKind::kState:
      case ObjectKind::kAdvice:
        return declared;
      case ObjectKind::kComputed:
        return true;
    }
    return false;
  }

  void check_object(std::size_t id, const Object& object) {
    if (!has_form(object)) return refuse_at(Reason::kObjectForm, id);
    if (!type_range(object.type).contains(object.range)) return refuse_at(Reason::kRangeOutsideType, id);
    const bool is_state = object.kind == ObjectKind::kState;
    const bool is_row = object.kind == ObjectKind::kRow;
    if ((is_state && uses_records(object.extents[0])) || ((is_state || is_row) && uses_records(object.extents[1]))) {
      return refuse_at(Reason::kUsesRecords, id);
    }
    if (!is_row && too_many_elements(object.extents)) refuse_at(Reason::kTooManyElements, id);
  }

  /// Loops are numbered in order of appearance, without gaps.
  void check_loops() {
    std::size_t seen = 0;
    LoopId current = kOutside;
    for (std::size_t i = 0; i < x_program.items.size(); ++i) {
      const LoopId loop = x_program.items[i].loop;
      if (loop != kOutside && loop != current && loop != seen++) return refuse_item(Reason::kLoopOrder, i);
      current = loop;
    }
    if (seen != x_program.loops.size()) refuse_at(Reason::kLoopOrder, seen);
  }

  void check_items() {
    std::size_t next_table = 0;
    while (next_table < x_program.objects.size() && x_program.objects[next_table].kind < ObjectKind::kAdvice) {
      ++next_table;
    }
    for (std::size_t i = 0; i < x_program.items.size() && x_result; ++i) {
      check_item(i, next_table);
      if (x_result && x_program.items[i].body) check_body(i, *x_program.items[i].body);
    }
    if (next_table != x_program.objects.size()) refuse_at(Reason::kResultOrder, next_table);
  }

  [[nodiscard]] static bool has_form(const Item& item) {
    switch (item.kind) {
      case ItemKind::kAdvice:
        return item.results.size() == 1;
      case ItemKind::kTable:
        return !item.results.empty() && item.body.has_value();
      case ItemKind::kCheck:
        return item.results.empty() && item.body.has_value();
    }
    return false;
  }

  void check_item(std::size_t index, std::size_t& next_table) {
    const Item& item = x_program.items[index];
    if (!has_form(item)) return refuse_item(Reason::kItemForm, index);
    if (too_many_elements(item.extents)) return refuse_item(Reason::kTooManyElements, index);
    if (item.loop != kOutside) {
      const bool leads = item.rank > 0 && item.extents[0] == x_program.loops[item.loop].extent;
      if (!leads) return refuse_item(Reason::kLoopShape, index);
    }
    const ObjectKind kind = item.kind == ItemKind::kAdvice ? ObjectKind::kAdvice : ObjectKind::kComputed;
    for (const ObjectId result : item.results) {
      const Object& object = x_program.objects[result];
      if (result != next_table++) return refuse_item(Reason::kResultOrder, index);
      if (object.kind != kind) return refuse_item(Reason::kItemForm, index);
      if (object.rank != item.rank || object.extents != item.extents) return refuse_item(Reason::kResultShape, index);
    }
  }

  void check_body(std::size_t index, const Body& body) {
    const Item& item = x_program.items[index];
    if (body.fold == FoldKind::kFold && body.init.empty()) return refuse_item(Reason::kNoAccumulators, index);
    check_loads(index, CodeSection::kStep, body.step);
    check_loads(index, CodeSection::kFinish, body.finish);
    bool written = false;
    for (std::size_t i = 0; i < body.step.size(); ++i) {
      const Instruction& op = body.step[i];
      if (op.op == Op::kSkipZ && written) {
        refuse({.reason = Reason::kSkipAfterWrite, .item = index, .index = i, .section = CodeSection::kStep});
      }
      written = written || (opcode_info(op.op).uses(kUsesDst) && op.dst < body.init.size());
    }
    const std::size_t columns = item.kind == ItemKind::kTable ? item.results.size() : 0;
    for (std::size_t column = 0; column < columns; ++column) {
      const auto returns = std::ranges::count_if(body.finish, [column](const Instruction& op) {
        return op.op == Op::kRet && static_cast<std::size_t>(op.imm) == column;
      });
      if (returns != 1) refuse({.reason = Reason::kReturns, .item = index, .index = column});
    }
  }

  void check_loads(std::size_t item, CodeSection section, const std::vector<Instruction>& code) {
    for (std::size_t i = 0; i < code.size(); ++i) {
      if (code[i].op != Op::kLoad) continue;
      if (load_site(x_program, item, static_cast<ObjectId>(code[i].imm)).rule == LoadRule::kNever) {
        return refuse({.reason = Reason::kLaterLoad, .item = item, .index = i, .section = section});
      }
    }
  }

  void check_pool() {
    std::size_t used = 0;
    const auto visit = [&](const std::vector<Instruction>& code) {
      for (const Instruction& op : code) {
        const auto constant = static_cast<std::size_t>(op.imm);
        if (op.op != Op::kConst || constant < used) continue;
        if (constant != used++) refuse_at(Reason::kPoolOrder, constant);
      }
    };
    for (const Item& item : x_program.items) {
      if (!item.body) continue;
      visit(item.body->step);
      visit(item.body->finish);
    }
    if (used != x_program.constants.size()) refuse_at(Reason::kPoolOrder, used);
    for (std::size_t i = 0; i < x_program.constants.size(); ++i) {
      const i128 value = x_program.constants[i];
      const bool small =
          value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
      const auto first = std::ranges::find(x_program.constants, value) - x_program.constants.begin();
      if (small || static_cast<std::size_t>(first) != i) refuse_at(Reason::kPoolOrder, i);
    }
  }

  void check_ranges() {
    x_proved.resize(x_program.objects.size());
    for (std::size_t i = 0; i < x_program.items.size() && x_result; ++i) {
      const auto ranges = prove_item(x_program, i);
      if (!ranges) {
        const auto section = ranges.error().section == RangeSection::kStep ? CodeSection::kStep : CodeSection::kFinish;
        return refuse({.reason = Reason::kRangeProof,
                       .item = i,
                       .index = ranges.error().index,
                       .section = section,
                       .range = ranges.error()});
      }
      compare_ranges(i, *ranges);
    }
  }

  void compare_ranges(std::size_t index, const ItemRanges& ranges) {
    const Item& item = x_program.items[index];
    if (item.body && item.body->accumulators != ranges.accumulators) refuse_item(Reason::kRangesDiffer, index);
    for (std::size_t column = 0; column < ranges.results.size(); ++column) {
      const ObjectId id = item.results[column];
      const Object& table = x_program.objects[id];
      if (table.origin == RangeOrigin::kProved && table.range != ranges.results[column]) {
        refuse({.reason = Reason::kRangesDiffer, .item = index, .index = column});
      }
      x_proved[id] = ranges.results[column];
    }
  }

  void check_next() {
    for (std::size_t i = 0; i < x_program.next.size(); ++i) {
      const Next& next = x_program.next[i];
      const Object& state = x_program.objects[next.state];
      const Object& table = x_program.objects[next.table];
      const bool ascending = i == 0 || x_program.next[i - 1].state < next.state;
      if (!ascending || state.kind != ObjectKind::kState || table.kind != ObjectKind::kComputed ||
          state.type != table.type || state.rank != table.rank || state.extents != table.extents) {
        return refuse_at(Reason::kNextForm, i);
      }
      if (!state.range.contains(x_proved[next.table])) return refuse_at(Reason::kNextRange, i);
    }
  }

  void check_payable() {
    for (std::size_t i = 0; i < x_program.payable.size(); ++i) {
      const Object& state = x_program.objects[x_program.payable[i]];
      const bool ascending = i == 0 || x_program.payable[i - 1] < x_program.payable[i];
      const bool per_member = state.kind == ObjectKind::kState && state.rank == 1 &&
                              state.extents[0].kind == ExtentKind::kDim &&
                              x_program.dims[state.extents[0].value].role == DimRole::kMembers;
      if (!ascending || !per_member) return refuse_at(Reason::kPayableForm, i);
    }
  }

  const Program& x_program;
  std::vector<Range> x_proved;  // by object, for computed tables
  std::expected<void, ValidationFault> x_result;
};

}  // namespace

std::expected<void, ValidationFault> validate(const Program& program) { return Validator(program).run(); }

std::expected<Program, ValidationFault> load_program(Bytes bytes) {
  auto program = decode_program(bytes);
  if (!program) {
    return std::unexpected(ValidationFault{.reason = Reason::kNotWellFormed, .decode = program.error()});
  }
  if (const auto valid = validate(*program); !valid) return std::unexpected(valid.error());
  return std::move(*program);
}

std::expected<void, ValidationFault> validate_for_task(const Program& program, const TaskShape& shape,
                                                       std::uint64_t max_work) {
  const auto refuse = [](ValidationFault fault) {
    return std::unexpected(std::move(fault));  // NOLINT(performance-move-const-arg): as above
  };
  if (shape.dims.size() != program.dims.size()) return refuse({.reason = Reason::kTaskDims});
  for (std::size_t i = 0; i < shape.dims.size(); ++i) {
    if (shape.dims[i] < program.dims[i].lo || shape.dims[i] > program.dims[i].hi) {
      return refuse({.reason = Reason::kTaskDims, .index = i, .found = shape.dims[i]});
    }
  }
  if (!std::has_single_bit(shape.leaf_bytes) || shape.leaf_bytes < kMinLeafBytes || shape.leaf_bytes > kMaxLeafBytes) {
    return refuse({.reason = Reason::kTaskLeafBytes, .found = shape.leaf_bytes});
  }
  const std::uint64_t work = program_work(program, shape);
  if (work > max_work) return refuse({.reason = Reason::kTaskWork, .found = work});
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    for (const CodeSection section : {CodeSection::kStep, CodeSection::kFinish}) {
      const SectionCost cost = section_cost(program, shape, i, section);
      if (cost.opening_bytes > kMaxOpeningBytes) {
        return refuse(
            {.reason = Reason::kTaskOpeningBytes, .item = i, .section = section, .found = cost.opening_bytes});
      }
      if (cost.gas > kMaxSectionGas) {
        return refuse({.reason = Reason::kTaskGas, .item = i, .section = section, .found = cost.gas});
      }
    }
  }
  return {};
}

std::string_view to_string(ValidationReason reason) {
  switch (reason) {
    case Reason::kNotWellFormed:
      return "not well formed";
    case Reason::kDimRoles:
      return "the first dim must be K, and K and M may each stand once";
    case Reason::kObjectOrder:
      return "objects are not in order: member, nonce, fields, rows, states, tables";
    case Reason::kObjectForm:
      return "an object has a type, shape or range that its kind does not have";
    case Reason::kTooManyInputs:
      return "too many fields, rows or states";
    case Reason::kUsesRecords:
      return "the dims of rows and states may not use K";
    case Reason::kTooManyElements:
      return "a table of 2^40 elements or more";
    case Reason::kRangeOutsideType:
      return "a range that is not within its element type";
    case Reason::kItemForm:
      return "an item has results or a body that its kind does not have";
    case Reason::kResultOrder:
      return "tables are not the items' results, each once and in order";
    case Reason::kResultShape:
      return "a result has another shape than its item";
    case Reason::kLoopOrder:
      return "a loop's items are not consecutive, or it has none";
    case Reason::kLoopShape:
      return "an item in a loop must lead with the loop's index";
    case Reason::kNoAccumulators:
      return "a fold without accumulators";
    case Reason::kLaterLoad:
      return "a load of a table that comes later";
    case Reason::kSkipAfterWrite:
      return "skipz after an accumulator was written";
    case Reason::kReturns:
      return "a column is not returned exactly once";
    case Reason::kPoolOrder:
      return "constants must stand in order of first use, once, and not fit an immediate";
    case Reason::kNextForm:
      return "`next` needs a state and a computed table of its type and shape, in order";
    case Reason::kNextRange:
      return "the table's proved range is not within the state's range";
    case Reason::kPayableForm:
      return "`payable` needs states of one entry for each member, in order";
    case Reason::kRangeProof:
      return "the range proof fails";
    case Reason::kRangesDiffer:
      return "the carried ranges are not what the proof gives";
    case Reason::kTaskDims:
      return "the task's dims are not within the program's bounds";
    case Reason::kTaskLeafBytes:
      return "leaf_bytes must be a power of two from 64 to 4096";
    case Reason::kTaskWork:
      return "more work in a batch than the task allows";
    case Reason::kTaskOpeningBytes:
      return "a section may open more bytes than one proof may carry";
    case Reason::kTaskGas:
      return "a section may cost more gas than one proof may";
  }
  return "unknown reason";
}

std::string describe(const ValidationFault& fault) {
  std::string text(to_string(fault.reason));
  if (fault.item) text += ", item " + std::to_string(*fault.item);
  if (fault.section) text += *fault.section == CodeSection::kStep ? ", step" : ", finish";
  if (fault.index) text += ", index " + std::to_string(*fault.index);
  if (fault.found != 0) text += ", found " + std::to_string(fault.found);
  if (fault.decode) text += ": " + describe(*fault.decode);
  if (fault.range) text += ": " + describe(*fault.range);
  return text;
}

}  // namespace tally::math
