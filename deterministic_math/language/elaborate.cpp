#include "deterministic_math/language/elaborate.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/language/bodies.h"
#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/expand.h"
#include "deterministic_math/language/parser.h"
#include "deterministic_math/language/proving.h"

namespace tally::math {
namespace {

constexpr Extent kOne{ExtentKind::kConstant, 1};
constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};
constexpr i128 kMaxMemberWithoutSlots = (i128{1} << 32) - 1;
constexpr i128 kMaxNonce = (i128{1} << 64) - 1;

class Elaborator {
 public:
  Elaborator(const Syntax& syntax, const CompileOptions& options, ItemPlaces& places)
      : x_options(options), x_places(places), x_expansion(expand(syntax)) {}

  CompiledProgram run();

 private:
  /// What a unit's declaration leaves for its body.
  struct Pending {
    std::size_t cutoff = 0;
    std::size_t item = 0;
  };

  void start();
  void check_parameters_are_declared() const;
  void loop(std::size_t first, std::size_t end);
  Pending declare(const Unit& unit);
  void finish(const Unit& unit, const Pending& pending);

  void declare_constant(const Unit& unit);
  void declare_function(const Unit& unit);
  void declare_parameter(const Unit& unit);
  void declare_dim(const Unit& unit);
  void declare_input(const Unit& unit);
  void declare_use(const Unit& unit);
  void declare_item(const Unit& unit);
  void declare_next(const Unit& unit);
  void declare_payable(const Unit& unit);
  void declare_one_record(const Unit& unit);

  void bind(Scope* scope, const Identifier& name, Binding binding);
  void bind_with_order(Scope* scope, const Identifier& name, Binding binding, std::size_t order);
  [[nodiscard]] Frame frame(Scope* scope) const { return {scope, x_order, nullptr, nullptr}; }
  [[nodiscard]] LoweringContext context(LoopId loop_id = kOutside) { return {x_out.program, loop_id, x_lowered}; }
  [[nodiscard]] i128 constant(const Expr& expr, Scope* scope) {
    return evaluate_constant(expr, frame(scope), context());
  }
  [[nodiscard]] Range bounds(const RangeSyntax& range, Scope* scope);
  void declare_range(Object& object, const std::optional<RangeSyntax>& range, Scope* scope);
  [[nodiscard]] ObjectId object_named(const Expr& expr, Scope* scope) const;
  [[nodiscard]] ObjectId state_named(const Identifier& name, Scope* scope, CompileReason reason) const;
  void check_size(const Object& object, const Identifier& name) const;
  void limit(std::size_t count, std::size_t most, const SourceSpan& span, std::string_view what) const;
  [[nodiscard]] std::string item_name(const Unit& unit);

  const CompileOptions& x_options;
  ItemPlaces& x_places;
  Expansion x_expansion;
  CompiledProgram x_out;
  std::size_t x_order = 0;
  std::size_t x_loop_order = 0;  // of the loop being declared
  std::size_t x_lowered = 0;
  std::size_t x_checks = 0;
  bool x_has_records_dim = false;
  std::vector<bool> x_proved;         // by object: its range is known
  std::vector<Range> x_known_ranges;  // by object: declared and inferred
  ObjectId x_next_field = 0;
  ObjectId x_next_row = 0;
  ObjectId x_next_state = 0;
};

CompiledProgram Elaborator::run() {
  start();
  const std::vector<Unit>& units = x_expansion.units;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].kind == UnitKind::kLoopStart) {
      const auto end = std::ranges::find(units.begin() + static_cast<std::ptrdiff_t>(i), units.end(),
                                         UnitKind::kLoopEnd, &Unit::kind);
      const auto last = static_cast<std::size_t>(end - units.begin());
      loop(i, last);
      i = last;
      continue;
    }
    const Pending pending = declare(units[i]);
    finish(units[i], pending);
  }
  if (!x_has_records_dim) {
    fail(CompileReason::kMissingRecordsDim, x_places.program,
         "there is no `dim K`, the number of records; add for example dim K in 1..1024");
  }
  std::ranges::sort(x_out.program.next, {}, &Next::state);
  std::ranges::sort(x_out.program.payable);
  return std::move(x_out);
}

/// The program's name, dim 0, and room for the inputs, whose numbers follow from their kinds.
void Elaborator::start() {
  const std::vector<Unit>& units = x_expansion.units;
  if (units.empty() || units.front().syntax->kind != SyntaxKind::kProgram) {
    const SourceSpan span = units.empty() ? SourceSpan{} : units.front().syntax->span;
    fail(CompileReason::kMissingProgram, span, "a program begins with `program NAME`");
  }
  x_places.program = units.front().syntax->span;
  x_out.names.program = std::string(units.front().syntax->name.text);
  check_parameters_are_declared();
  const auto count = [&](SyntaxKind kind) {
    return static_cast<std::size_t>(
        std::ranges::count_if(units, [&](const Unit& unit) { return unit.syntax->kind == kind; }));
  };
  const std::size_t fields = count(SyntaxKind::kField);
  const std::size_t rows = count(SyntaxKind::kRow);
  const std::size_t states = count(SyntaxKind::kState);
  x_next_field = kNonceObject + 1;
  x_next_row = static_cast<ObjectId>(x_next_field + fields);
  x_next_state = static_cast<ObjectId>(x_next_row + rows);
  Program& program = x_out.program;
  program.objects.resize(x_next_state + states);
  x_out.names.objects.resize(program.objects.size());
  x_proved.assign(program.objects.size(), false);
  x_known_ranges.resize(program.objects.size());
  program.objects[kMemberObject] = {.kind = ObjectKind::kMember,
                                    .type = ElementType::kI128,
                                    .rank = 1,
                                    .extents = {kRecordsExtent, kOne},
                                    .range = {0, kMaxMemberWithoutSlots}};
  program.objects[kNonceObject] = {.kind = ObjectKind::kNonce,
                                   .type = ElementType::kI128,
                                   .rank = 1,
                                   .extents = {kRecordsExtent, kOne},
                                   .range = {0, kMaxNonce}};
  x_out.names.objects[kMemberObject] = "member";
  x_out.names.objects[kNonceObject] = "nonce";
  x_proved[kMemberObject] = x_proved[kNonceObject] = true;
  program.dims.push_back({DimRole::kRecords, 0, 0});
  x_out.names.dims.emplace_back("K");
}

void Elaborator::check_parameters_are_declared() const {
  for (const auto& [name, value] : x_options.parameters) {
    const bool declared = std::ranges::any_of(x_expansion.units, [&](const Unit& unit) {
      return unit.syntax->kind == SyntaxKind::kParameter && unit.syntax->name.text == name;
    });
    if (!declared) {
      fail(CompileReason::kUnknownParameter, x_places.program, "the program has no parameter " + quoted(name));
    }
  }
}

void Elaborator::limit(std::size_t count, std::size_t most, const SourceSpan& span, std::string_view what) const {
  if (count > most)
    fail(CompileReason::kTooMany, span, "a program has at most " + std::to_string(most) + " " + std::string(what));
}

void Elaborator::bind_with_order(Scope* scope, const Identifier& name, Binding binding, std::size_t order) {
  binding.order = order;
  if (!scope->names.emplace(name.text, binding).second) {
    fail(CompileReason::kDuplicateName, name.span, quoted(name.text) + " is declared already");
  }
}

void Elaborator::bind(Scope* scope, const Identifier& name, Binding binding) {
  bind_with_order(scope, name, binding, x_order++);
}

/// All declarations of a loop come before all its bodies, so that each body sees every table of the loop.
void Elaborator::loop(std::size_t first, std::size_t end) {
  const std::vector<Unit>& units = x_expansion.units;
  const Unit& start = units[first];
  const IndexSyntax& index = start.syntax->indices.front();
  x_out.program.loops.push_back({resolve_extent(*index.extent, frame(start.scope), context())});
  bind(start.scope, index.name, {.kind = BindingKind::kLoopIndex, .index = start.loop});
  x_loop_order = x_order++;
  std::vector<Pending> pending;
  const std::size_t items_before = x_out.program.items.size();
  for (std::size_t i = first + 1; i < end; ++i) pending.push_back(declare(units[i]));
  if (x_out.program.items.size() == items_before) {
    fail(CompileReason::kEmptyLoop, start.syntax->span, "a loop holds a table, an advice or a check at least");
  }
  for (std::size_t i = first + 1; i < end; ++i) finish(units[i], pending[i - first - 1]);
  start.scope->names.erase(index.name.text);
}

Elaborator::Pending Elaborator::declare(const Unit& unit) {
  switch (unit.syntax->kind) {
    case SyntaxKind::kProgram:
      if (&unit != x_expansion.units.data()) {
        fail(CompileReason::kDuplicateClause, unit.syntax->span, "`program` stands once, before all other items");
      }
      break;
    case SyntaxKind::kUse:
      declare_use(unit);
      break;
    case SyntaxKind::kConst:
      declare_constant(unit);
      break;
    case SyntaxKind::kFunction:
      declare_function(unit);
      break;
    case SyntaxKind::kParameter:
      declare_parameter(unit);
      break;
    case SyntaxKind::kDim:
      declare_dim(unit);
      break;
    case SyntaxKind::kField:
    case SyntaxKind::kRow:
    case SyntaxKind::kState:
      declare_input(unit);
      break;
    case SyntaxKind::kAdvice:
    case SyntaxKind::kCheck:
    case SyntaxKind::kTable:
      declare_item(unit);
      break;
    case SyntaxKind::kNext:
      declare_next(unit);
      break;
    case SyntaxKind::kPayable:
      declare_payable(unit);
      break;
    case SyntaxKind::kOneRecord:
      declare_one_record(unit);
      break;
    case SyntaxKind::kTemplate:
    case SyntaxKind::kLoop:
      break;
  }
  return {x_order, x_out.program.items.empty() ? 0 : x_out.program.items.size() - 1};
}

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
  Object object{.type = syntax.type, .rank = 1, .extents = {kRecordsExtent, kOne}, .range = {}};
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
  if (is_state) object.extents = {kOne, kOne};
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

/// An argument that is a mere name stands for whatever it names; any other is an expression of the caller's.
void Elaborator::declare_use(const Unit& unit) {
  const ItemSyntax& use = *unit.syntax;
  const ItemSyntax& definition = *x_expansion.templates.at(use.target.text);
  for (std::size_t i = 0; i < use.arguments.size(); ++i) {
    const Expr& argument = *use.arguments[i];
    Binding binding{.kind = BindingKind::kExpression, .expression = &argument, .scope = unit.scope, .cutoff = x_order};
    if (argument.kind == ExprKind::kName && !is_reserved(joined(argument.path))) {
      binding = resolve(argument, frame(unit.scope));
    }
    bind(unit.instance, definition.parameters[i], binding);
  }
  const std::size_t order = unit.loop == kOutside ? x_order++ : x_loop_order;
  bind_with_order(unit.scope, use.name, {.kind = BindingKind::kInstance, .scope = unit.instance}, order);
}

std::string Elaborator::item_name(const Unit& unit) {
  if (unit.syntax->kind == SyntaxKind::kCheck) return "check " + std::to_string(++x_checks);
  std::string name;
  for (const ResultSyntax& result : unit.syntax->results) {
    if (!name.empty()) name += ", ";
    name += unit.scope->prefix + std::string(result.name.text);
  }
  return name;
}

void Elaborator::declare_item(const Unit& unit) {
  const ItemSyntax& syntax = *unit.syntax;
  Program& program = x_out.program;
  Item item;
  item.kind = syntax.kind == SyntaxKind::kAdvice  ? ItemKind::kAdvice
              : syntax.kind == SyntaxKind::kTable ? ItemKind::kTable
                                                  : ItemKind::kCheck;
  item.loop = unit.loop;
  item.extents = {kOne, kOne};
  if (unit.loop != kOutside) item.extents.at(item.rank++) = program.loops[unit.loop].extent;
  for (const IndexSyntax& index : syntax.indices) {
    if (item.rank == kMaxRank) {
      fail(CompileReason::kBadShape, index.name.span, "a table has two indices at most, the loop's included");
    }
    item.extents.at(item.rank++) = resolve_extent(*index.extent, frame(unit.scope), context());
  }
  if (syntax.results.size() > kMaxResults) {
    fail(CompileReason::kTooMany, syntax.results[kMaxResults].name.span,
         "a body returns " + std::to_string(kMaxResults) + " values at most");
  }
  for (const ResultSyntax& result : syntax.results) {
    Object object{.kind = item.kind == ItemKind::kAdvice ? ObjectKind::kAdvice : ObjectKind::kComputed,
                  .type = result.type,
                  .rank = item.rank,
                  .extents = item.extents,
                  .range = {}};
    declare_range(object, result.range, unit.scope);
    check_size(object, result.name);
    const auto id = static_cast<ObjectId>(program.objects.size());
    program.objects.push_back(object);
    item.results.push_back(id);
    x_proved.push_back(object.origin == RangeOrigin::kDeclared);
    x_known_ranges.push_back(object.range);
    x_out.names.objects.push_back(unit.scope->prefix + std::string(result.name.text));
    bind_with_order(unit.scope, result.name, {.kind = BindingKind::kObject, .index = id},
                    unit.loop == kOutside ? x_order++ : x_loop_order);
  }
  if (syntax.kind == SyntaxKind::kCheck)
    check_size({.extents = item.extents, .range = {}}, {"this check", syntax.span});
  program.items.push_back(std::move(item));
  x_out.names.items.push_back(item_name(unit));
  x_out.names.accumulators.emplace_back();
  x_places.items.push_back(syntax.kind == SyntaxKind::kCheck ? syntax.span : syntax.name.span);
  limit(program.items.size(), kMaxItems, syntax.span, "items");
}

/// The hint and the body of an item, once everything that it may read is declared.
void Elaborator::finish(const Unit& unit, const Pending& pending) {
  const ItemSyntax& syntax = *unit.syntax;
  if (syntax.kind != SyntaxKind::kAdvice && syntax.kind != SyntaxKind::kCheck && syntax.kind != SyntaxKind::kTable)
    return;
  Program& program = x_out.program;
  const BodyInput input{.syntax = syntax,
                        .frame = {unit.scope, pending.cutoff, nullptr, nullptr},
                        .context = context(unit.loop),
                        .first_index = unit.loop == kOutside ? std::size_t{0} : std::size_t{1}};
  if (syntax.hint) x_out.hints.push_back(lower_hint(input, pending.item));
  if (!syntax.body) return;
  LoweredBody lowered = lower_body(input, program.constants);
  for (const Identifier& name : lowered.accumulators) x_out.names.accumulators[pending.item].emplace_back(name.text);
  const std::vector<Range> results = prove_body(program, pending.item, std::move(lowered), syntax);
  for (std::size_t column = 0; column < results.size() && column < program.items[pending.item].results.size();
       ++column) {
    const ObjectId id = program.items[pending.item].results[column];
    x_known_ranges[id] = results[column];
    x_proved[id] = true;
  }
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

}  // namespace

CompiledProgram elaborate(const Syntax& syntax, const CompileOptions& options, ItemPlaces& places) {
  return Elaborator(syntax, options, places).run();
}

}  // namespace tally::math
