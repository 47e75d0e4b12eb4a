#include "deterministic_math/language/bodies.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/parser.h"

namespace tally::math {
namespace {

/// One section while its statements are lowered.
class SectionLowering {
 public:
  SectionLowering(const BodyInput& input, Place place)
      : x_input(input), x_place(place), x_lowering(input.context, place) {
    for (std::size_t i = 0; i < input.syntax.indices.size(); ++i) {
      const Identifier& name = input.syntax.indices[i].name;
      x_locals.declare(name, x_lowering.graph().variable(static_cast<std::int32_t>(input.first_index + i), name.span));
    }
  }

  void entry_lets() {
    x_lowering.set_place(Place::kEntry);
    for (const Statement& statement : x_input.syntax.body->before) let(statement);
    x_lowering.set_place(x_place);
  }

  void let(const Statement& statement) { x_locals.declare(statement.name, value(*statement.values.front())); }

  ValueId value(const Expr& expr) { return x_lowering.lower(expr, frame()); }

  void declare_fold_index(const IndexSyntax& index) {
    x_locals.declare(index.name,
                     x_lowering.graph().variable(static_cast<std::int32_t>(Variable::kFold), index.name.span));
  }

  void declare_accumulators(const FoldSyntax& fold) {
    for (std::size_t j = 0; j < fold.accumulators.size(); ++j) {
      const Identifier& name = fold.accumulators[j].name;
      x_locals.declare(name, x_lowering.graph().accumulator(j, name.span));
    }
  }

  [[nodiscard]] Frame frame() const {
    Frame frame = x_input.frame;
    frame.locals = &x_locals;
    return frame;
  }
  [[nodiscard]] Locals& locals() { return x_locals; }
  [[nodiscard]] Lowering& lowering() { return x_lowering; }

 private:
  const BodyInput& x_input;
  Place x_place;
  Lowering x_lowering;
  Locals x_locals;
};

void assign(SectionLowering& section, const FoldSyntax& fold, const Statement& statement) {
  const auto is_it = [&](const AccumulatorSyntax& accumulator) { return accumulator.name.text == statement.name.text; };
  if (std::ranges::none_of(fold.accumulators, is_it)) {
    fail(CompileReason::kNotAnAccumulator, statement.name.span,
         quoted(statement.name.text) + " is no accumulator of this fold; add it to `from`, or write let");
  }
  const Expr& expr = *statement.values.front();
  const ValueId value = section.value(expr);
  section.lowering().graph().refuse_seed(value, expr.span);
  section.locals().assign(statement.name.text, value);
}

void lower_step(const BodyInput& input, const FoldSyntax& fold, LoweredBody& out, std::vector<i128>& pool) {
  SectionLowering section(input, Place::kStep);
  section.entry_lets();
  section.declare_fold_index(fold.index);
  section.declare_accumulators(fold);
  StepRoots roots;
  roots.span = fold.span;
  if (fold.where != nullptr) {
    const ValueId guard = section.lowering().condition(*fold.where, section.frame(), "`where`");
    if (section.lowering().graph().constant_value(guard) != 1)
      roots.guard = Root{Op::kSkipZ, guard, 0, fold.where->span};
  }
  for (const Statement& statement : fold.statements) {
    if (statement.kind == StatementKind::kLet) {
      section.let(statement);
    } else {
      assign(section, fold, statement);
    }
  }
  for (const AccumulatorSyntax& accumulator : fold.accumulators) {
    roots.accumulators.push_back(*section.locals().find(accumulator.name.text));
  }
  out.step = emit_step(section.lowering().graph(), roots, pool);
  out.step_uses = section.lowering().logical_uses();
}

void lower_return(SectionLowering& section, const BodyInput& input, const Statement& statement) {
  if (input.syntax.kind != SyntaxKind::kTable) {
    fail(CompileReason::kUnexpectedReturn, statement.span,
         "a check returns nothing; state its conditions with require");
  }
  const std::size_t expected = input.syntax.results.size();
  if (statement.values.size() != expected) {
    fail(CompileReason::kReturnCount, statement.span,
         std::to_string(statement.values.size()) + " returned for " + std::to_string(expected) +
             (expected == 1 ? " table" : " tables"));
  }
  std::vector<Root> returned;
  for (std::size_t column = 0; column < expected; ++column) {
    const Expr& expr = *statement.values[column];
    const ValueId value = section.value(expr);
    section.lowering().graph().refuse_seed(value, expr.span);
    returned.push_back({Op::kRet, value, static_cast<std::int32_t>(column), expr.span});
  }
  // Every require comes first, those of an `expect` among the returned values included.
  std::ranges::copy(returned, std::back_inserter(section.lowering().roots()));
}

void lower_finish(const BodyInput& input, LoweredBody& out, std::vector<i128>& pool) {
  const BodySyntax& body = *input.syntax.body;
  SectionLowering section(input, Place::kFinish);
  section.entry_lets();
  if (body.fold) section.declare_accumulators(*body.fold);
  bool returns = false;
  for (const Statement& statement : body.after) {
    if (statement.kind == StatementKind::kLet) {
      section.let(statement);
    } else if (statement.kind == StatementKind::kRequire) {
      const Expr& expr = *statement.values.front();
      section.lowering().require(section.lowering().condition(expr, section.frame(), "`require`"), expr.span);
    } else {
      lower_return(section, input, statement);
      returns = true;
    }
  }
  if (input.syntax.kind == SyntaxKind::kTable && !returns) {
    fail(CompileReason::kMissingReturn, body.end, "the body of a table ends with return");
  }
  const std::size_t accumulators = body.fold ? body.fold->accumulators.size() : 0;
  out.finish =
      emit_finish(section.lowering().graph(), section.lowering().roots(), accumulators, input.syntax.span, pool);
  out.finish_uses = section.lowering().logical_uses();
}

}  // namespace

LoweredBody lower_body(const BodyInput& input, std::vector<i128>& pool) {
  const BodySyntax& body = *input.syntax.body;
  LoweredBody out;
  if (body.fold) {
    const FoldSyntax& fold = *body.fold;
    if (fold.accumulators.size() > kMaxAccumulators) {
      fail(CompileReason::kTooMany, fold.accumulators[kMaxAccumulators].name.span,
           "a fold has at most " + std::to_string(kMaxAccumulators) + " accumulators");
    }
    out.body.fold = FoldKind::kFold;
    out.body.length = resolve_extent(*fold.index.extent, input.frame, input.context);
    for (const AccumulatorSyntax& accumulator : fold.accumulators) {
      out.accumulators.push_back(accumulator.name);
      out.body.init.push_back(evaluate_constant(*accumulator.init, input.frame, input.context));
    }
    lower_step(input, fold, out, pool);
  }
  lower_finish(input, out, pool);
  out.body.step = out.step.code;
  out.body.finish = out.finish.code;
  return out;
}

Hint lower_hint(const BodyInput& input, std::size_t item) {
  const HintSyntax& syntax = *input.syntax.hint;
  Hint hint;
  hint.kind = syntax.kind;
  hint.item = item;
  if (syntax.kind == HintKind::kInput) return hint;
  hint.over = resolve_extent(*syntax.index.extent, input.frame, input.context);
  SectionLowering keys(input, Place::kHint);
  keys.declare_fold_index(syntax.index);
  std::vector<Root> roots{{Op::kRet, keys.value(*syntax.key), 0, syntax.key->span}};
  if (syntax.where != nullptr) roots.push_back({Op::kRet, keys.value(*syntax.where), 1, syntax.where->span});
  for (const Root& root : roots) keys.lowering().graph().refuse_seed(root.node, root.span);
  hint.keys = emit_finish(keys.lowering().graph(), roots, 0, syntax.span, hint.constants).code;
  if (syntax.rank != nullptr) {
    SectionLowering rank(input, Place::kHint);
    const std::vector<Root> returned{{Op::kRet, rank.value(*syntax.rank), 0, syntax.rank->span}};
    rank.lowering().graph().refuse_seed(returned.front().node, syntax.rank->span);
    hint.rank = emit_finish(rank.lowering().graph(), returned, 0, syntax.span, hint.constants).code;
  }
  return hint;
}

Extent resolve_extent(const Expr& expr, const Frame& frame, const LoweringContext& context) {
  if (expr.kind == ExprKind::kName && !is_reserved(joined(expr.path))) {
    const Binding& binding = resolve(expr, frame);
    if (binding.kind == BindingKind::kDim) return {ExtentKind::kDim, binding.index};
    if (binding.kind == BindingKind::kExpression) {
      return resolve_extent(*binding.expression, {binding.scope, binding.cutoff, nullptr, nullptr}, context);
    }
    if (binding.kind != BindingKind::kConstant && binding.kind != BindingKind::kFunction) {
      fail(CompileReason::kBadExtent, expr.span,
           quoted(joined(expr.path)) + " is " + std::string(describe(binding.kind)) +
               "; an extent is a dim or a constant");
    }
  }
  const i128 value = evaluate_constant(expr, frame, context);
  if (value < 1 || value > static_cast<i128>(kMaxDim)) {
    fail(CompileReason::kBadExtent, expr.span, "an extent of " + to_string(value) + "; it must lie in 1..2^28");
  }
  return {ExtentKind::kConstant, static_cast<std::uint64_t>(value)};
}

}  // namespace tally::math
