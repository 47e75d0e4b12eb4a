// What each kind of declaration binds and puts into the program.
#include <algorithm>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/elaborator.h"

namespace tally::math {

void Elaborator::declare_constant(const Unit& unit) {
  const i128 value = constant(*unit.syntax->value, unit.scope);
  bind(unit.scope, unit.syntax->name, {.kind = BindingKind::kConstant, .value = value});
}

void Elaborator::declare_function(const Unit& unit) {
  const auto& parameters = unit.syntax->parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (parameters[i].text == parameters[j].text) {
        fail(CompileReason::kDuplicateName, parameters[i].span, quoted(parameters[i].text) + " is a parameter already");
      }
    }
  }
  bind(unit.scope, unit.syntax->name,
       {.kind = BindingKind::kFunction, .function = unit.syntax, .scope = unit.scope, .cutoff = x_order});
}

Range Elaborator::bounds(const RangeSyntax& range, Scope* scope) {
  const Range result{constant(*range.lo, scope), constant(*range.hi, scope)};
  if (result.lo > result.hi)
    fail(CompileReason::kEmptyRange, range.span, "the range " + to_string(result) + " is empty");
  return result;
}

void Elaborator::declare_parameter(const Unit& unit) {
  const Identifier& name = unit.syntax->name;
  const Range range = bounds(*unit.syntax->range, unit.scope);
  const auto given = x_options.parameters.find(std::string(name.text));
  if (given == x_options.parameters.end()) {
    fail(CompileReason::kMissingParameter, name.span,
         "the parameter " + quoted(name.text) + " has no value; give one in " + to_string(range));
  }
  if (!range.contains(given->second)) {
    fail(CompileReason::kParameterOutOfRange, name.span,
         "the parameter " + quoted(name.text) + " is " + to_string(given->second) + "; it must lie in " +
             to_string(range));
  }
  x_out.parameters.push_back({std::string(name.text), range, given->second});
  bind(unit.scope, name, {.kind = BindingKind::kConstant, .value = given->second});
}

void Elaborator::declare_dim(const Unit& unit) {
  const Identifier& name = unit.syntax->name;
  const RangeSyntax& syntax = *unit.syntax->range;
  if (!x_out.program.items.empty()) {
    fail(CompileReason::kMisplacedItem, unit.syntax->span, "dims are declared before the first table, advice or check");
  }
  const Range range{syntax.lo != nullptr ? constant(*syntax.lo, unit.scope) : 1, constant(*syntax.hi, unit.scope)};
  if (range.lo > range.hi || range.lo < 0 || range.hi > static_cast<i128>(kMaxDim)) {
    fail(CompileReason::kBadDim, syntax.span,
         "the bounds of " + quoted(name.text) + " are " + to_string(range) +
             "; they must lie in 0..2^28 and not be empty");
  }
  Program& program = x_out.program;
  Dim dim{DimRole::kOther, static_cast<std::uint64_t>(range.lo), static_cast<std::uint64_t>(range.hi)};
  std::size_t index = 0;
  if (name.text == "K") {
    dim.role = DimRole::kRecords;
    x_has_records_dim = true;
    program.dims[0] = dim;
  } else {
    if (name.text == "M") {
      if (range.hi < 1) fail(CompileReason::kBadDim, syntax.span, "`dim M` has at least one member slot");
      dim.role = DimRole::kMembers;
      program.objects[kMemberObject].range.hi = range.hi - 1;
    }
    index = program.dims.size();
    program.dims.push_back(dim);
    x_out.names.dims.emplace_back(name.text);
    limit(program.dims.size(), kMaxDims, name.span, "dims");
  }
  bind(unit.scope, name, {.kind = BindingKind::kDim, .index = index});
}

void Elaborator::declare_range(Object& object, const std::optional<RangeSyntax>& range, Scope* scope) {
  const Range type = type_range(object.type);
  object.origin = RangeOrigin::kDeclared;
  object.range = type;
  if (!range) {
    if (object.kind == ObjectKind::kComputed) object.origin = RangeOrigin::kProved;
    return;
  }
  if (range->copied != nullptr) {
    const ObjectId source = object_named(*range->copied, scope);
    if (!x_proved[source]) {
      fail(CompileReason::kRangeNotKnown, range->copied->span,
           "the range of " + quoted(joined(range->copied->path)) + " is not proved before this place; write lo..hi");
    }
    object.range = x_out.program.objects[source].range;
  } else {
    object.range = bounds(*range, scope);
  }
  if (!type.contains(object.range)) {
    fail(CompileReason::kRangeOutsideType, range->span,
         "the range " + to_string(object.range) + " does not fit the type, " + to_string(type));
  }
}

ObjectId Elaborator::object_named(const Expr& expr, Scope* scope) const {
  if (expr.kind != ExprKind::kName) fail(CompileReason::kWrongKind, expr.span, "a table's name is expected here");
  if (joined(expr.path) == "member") return kMemberObject;
  if (joined(expr.path) == "nonce") return kNonceObject;
  const Binding& binding = resolve(expr, frame(scope));
  if (binding.kind != BindingKind::kObject) {
    fail(CompileReason::kWrongKind, expr.span,
         quoted(joined(expr.path)) + " is " + std::string(describe(binding.kind)) + ", not a table");
  }
  return static_cast<ObjectId>(binding.index);
}

void Elaborator::check_size(const Object& object, const Identifier& name) const {
  const std::uint64_t elements =
      extent_max(object.extents[0], x_out.program) * extent_max(object.extents[1], x_out.program);
  if (elements < kMaxTableElements) return;
  fail(CompileReason::kTableTooLarge, name.span,
       quoted(name.text) + " may have " + std::to_string(elements) + " elements; a table has fewer than 2^40");
}

void Elaborator::declare_input(const Unit& unit) {
  const ItemSyntax& syntax = *unit.syntax;
  const bool is_state = syntax.kind == SyntaxKind::kState;
  const bool is_field = syntax.kind == SyntaxKind::kField;
  Object object{.type = syntax.type, .rank = 1, .extents = {kRecordsExtent, kOneExtent}, .range = {}};
  if (is_field && (syntax.type != ElementType::kI64 || !syntax.extents.empty())) {
    fail(CompileReason::kBadFieldType, syntax.name.span,
         "a record's field is one i64; write record " + std::string(syntax.name.text) +
             ": i64 in lo..hi, or a row for a vector");
  }
  const std::size_t own_rank = syntax.extents.size();
  if ((syntax.kind == SyntaxKind::kRow && own_rank != 1) || own_rank > kMaxRank) {
    fail(CompileReason::kBadShape, syntax.name.span,
         is_state ? "a state has two dims at most" : "a row has exactly one dim; write row u: i32[D]");
  }
  object.kind = is_field ? ObjectKind::kField : is_state ? ObjectKind::kState : ObjectKind::kRow;
  const std::size_t first = is_state ? 0 : 1;
  if (is_state) object.extents = {kOneExtent, kOneExtent};
  for (std::size_t i = 0; i < own_rank; ++i) {
    const Extent extent = resolve_extent(*syntax.extents[i], frame(unit.scope), context());
    if (extent == kRecordsExtent) {
      fail(CompileReason::kBadShape, syntax.extents[i]->span,
           "rows and states cannot have the dim K, which each batch has anew");
    }
    object.extents.at(first + i) = extent;
  }
  object.rank = static_cast<std::uint8_t>(first + own_rank);
  if (is_state) check_size(object, syntax.name);
  declare_range(object, syntax.range, unit.scope);
  ObjectId& next = is_field ? x_next_field : is_state ? x_next_state : x_next_row;
  const ObjectId id = next++;
  const auto numbered = [&](ObjectKind kind) {
    return static_cast<std::size_t>(std::ranges::count(x_out.program.objects, kind, &Object::kind));
  };
  x_out.program.objects[id] = object;
  x_out.names.objects[id] = unit.scope->prefix + std::string(syntax.name.text);
  x_proved[id] = true;
  if (syntax.kind == SyntaxKind::kRow) limit(numbered(ObjectKind::kRow), kMaxRows, syntax.name.span, "rows");
  if (is_state) limit(numbered(ObjectKind::kState), kMaxStates, syntax.name.span, "states");
  if (is_field) limit(id - kNonceObject, kMaxFields, syntax.name.span, "fields");
  bind(unit.scope, syntax.name, {.kind = BindingKind::kObject, .index = id});
}

ObjectId Elaborator::state_named(const Identifier& name, Scope* scope, CompileReason reason) const {
  Expr expr;
  expr.kind = ExprKind::kName;
  expr.span = expr.place = name.span;
  expr.path = {name.text};
  const Binding& binding = resolve(expr, frame(scope));
  if (binding.kind != BindingKind::kObject || x_out.program.objects[binding.index].kind != ObjectKind::kState) {
    fail(reason, name.span, quoted(name.text) + " is no state");
  }
  return static_cast<ObjectId>(binding.index);
}

void Elaborator::declare_next(const Unit& unit) {
  const ItemSyntax& syntax = *unit.syntax;
  const ObjectId state = state_named(syntax.name, unit.scope, CompileReason::kBadNext);
  const ObjectId table = object_named(*syntax.value, unit.scope);
  const Object& from = x_out.program.objects[table];
  const Object& to = x_out.program.objects[state];
  const std::string names = quoted(syntax.name.text) + " and " + quoted(joined(syntax.value->path));
  if (from.kind != ObjectKind::kComputed) {
    fail(CompileReason::kBadNext, syntax.value->span, quoted(joined(syntax.value->path)) + " is not a computed table");
  }
  if (from.type != to.type) fail(CompileReason::kBadNext, syntax.value->span, names + " have different element types");
  if (from.rank != to.rank || from.extents != to.extents) {
    fail(CompileReason::kBadNext, syntax.value->span, names + " have different dims");
  }
  if (!to.range.contains(x_known_ranges[table])) {
    fail(CompileReason::kBadNext, syntax.value->span,
         "the table's range " + to_string(x_known_ranges[table]) + " does not lie in the state's, " +
             to_string(to.range));
  }
  if (std::ranges::count(x_out.program.next, state, &Next::state) != 0) {
    fail(CompileReason::kDuplicateClause, syntax.name.span, quoted(syntax.name.text) + " has a next already");
  }
  x_out.program.next.push_back({state, table});
}

void Elaborator::declare_payable(const Unit& unit) {
  const Identifier& name = unit.syntax->name;
  const ObjectId state = state_named(name, unit.scope, CompileReason::kBadPayable);
  const Object& object = x_out.program.objects[state];
  const bool over_members = object.rank == 1 && object.extents[0].kind == ExtentKind::kDim &&
                            x_out.program.dims[object.extents[0].value].role == DimRole::kMembers;
  if (!over_members) fail(CompileReason::kBadPayable, name.span, "a payable state has one dim, M, the member slots");
  if (std::ranges::count(x_out.program.payable, state) != 0) {
    fail(CompileReason::kDuplicateClause, name.span, quoted(name.text) + " is payable already");
  }
  x_out.program.payable.push_back(state);
}

void Elaborator::declare_one_record(const Unit& unit) {
  if (x_out.program.record_rule == RecordRule::kOnePerMember) {
    fail(CompileReason::kDuplicateClause, unit.syntax->span, "`one record per member` stands once");
  }
  x_out.program.record_rule = RecordRule::kOnePerMember;
}

}  // namespace tally::math
