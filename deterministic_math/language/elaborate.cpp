#include "deterministic_math/language/elaborate.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/elaborator.h"
#include "deterministic_math/language/parser.h"
#include "deterministic_math/language/proving.h"

namespace tally::math {
namespace {

constexpr i128 kMaxMemberWithoutSlots = (i128{1} << 32) - 1;
constexpr i128 kMaxNonce = (i128{1} << 64) - 1;

}  // namespace

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
                                    .extents = {kRecordsExtent, kOneExtent},
                                    .range = {0, kMaxMemberWithoutSlots}};
  program.objects[kNonceObject] = {.kind = ObjectKind::kNonce,
                                   .type = ElementType::kI128,
                                   .rank = 1,
                                   .extents = {kRecordsExtent, kOneExtent},
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
  item.extents = {kOneExtent, kOneExtent};
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
  const LoweredBody lowered = lower_body(input, program.constants);
  for (const Identifier& name : lowered.accumulators) x_out.names.accumulators[pending.item].emplace_back(name.text);
  const std::vector<Range> results = prove_body(program, pending.item, lowered, syntax);
  for (std::size_t column = 0; column < results.size() && column < program.items[pending.item].results.size();
       ++column) {
    const ObjectId id = program.items[pending.item].results[column];
    x_known_ranges[id] = results[column];
    x_proved[id] = true;
  }
}

CompiledProgram elaborate(const Syntax& syntax, const CompileOptions& options, ItemPlaces& places) {
  return Elaborator(syntax, options, places).run();
}

}  // namespace tally::math
