// What parameters a program declares, with their ranges, before their values are known.
#include <algorithm>
#include <optional>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/elaborate.h"
#include "deterministic_math/language/lowering.h"

namespace tally::math {
namespace {

/// Parameters without a value whose ends are tried in every combination; of further ones only the lower ends are.
constexpr std::size_t kMaxVaried = 8;

/// One pass over the constants, functions, parameters and fixed dims. Bit j of `ends` chooses the end that the j-th
/// missing parameter is taken at.
class Pass {
 public:
  Pass(const CompileOptions& options, std::uint32_t ends, std::size_t& lowered)
      : x_options(options), x_ends(ends), x_lowered(lowered) {}

  std::vector<Parameter> run(const Syntax& syntax) {
    for (const ItemSyntax& item : syntax.items) {
      switch (item.kind) {
        case SyntaxKind::kConst:
          bind(item.name, {.kind = BindingKind::kConstant, .value = constant(*item.value)});
          break;
        case SyntaxKind::kFunction:
          bind(item.name, {.kind = BindingKind::kFunction, .function = &item, .scope = &x_scope, .cutoff = x_order});
          break;
        case SyntaxKind::kParameter:
          parameter(item);
          break;
        case SyntaxKind::kDim:
          if (item.range->lo == item.range->hi) {
            bind(item.name, {.kind = BindingKind::kConstant, .value = constant(*item.range->hi)});
          }
          break;
        case SyntaxKind::kProgram:
        case SyntaxKind::kUse:
        case SyntaxKind::kTemplate:
        case SyntaxKind::kField:
        case SyntaxKind::kRow:
        case SyntaxKind::kState:
        case SyntaxKind::kAdvice:
        case SyntaxKind::kCheck:
        case SyntaxKind::kTable:
        case SyntaxKind::kLoop:
        case SyntaxKind::kNext:
        case SyntaxKind::kPayable:
        case SyntaxKind::kOneRecord:
          break;
      }
    }
    return std::move(x_parameters);
  }

 private:
  i128 constant(const Expr& expr) {
    return evaluate_constant(expr, {&x_scope, x_order, nullptr, nullptr}, {x_program, kOutside, x_lowered});
  }

  void bind(const Identifier& name, Binding binding) {
    binding.order = x_order++;
    if (!x_scope.names.emplace(name.text, binding).second) {
      fail(CompileReason::kDuplicateName, name.span, quoted(name.text) + " is declared already");
    }
  }

  void parameter(const ItemSyntax& item) {
    const Range range{constant(*item.range->lo), constant(*item.range->hi)};
    if (range.lo > range.hi) {
      fail(CompileReason::kEmptyRange, item.range->span, "the range " + to_string(range) + " is empty");
    }
    Parameter parameter{std::string(item.name.text), range, range.lo};
    const auto given = x_options.parameters.find(parameter.name);
    if (given != x_options.parameters.end()) {
      parameter.value = given->second;
    } else {
      const bool upper = x_missing < kMaxVaried && ((x_ends >> x_missing) & 1U) != 0;
      if (upper) parameter.value = range.hi;
      ++x_missing;
    }
    bind(item.name, {.kind = BindingKind::kConstant, .value = parameter.value});
    x_parameters.push_back(std::move(parameter));
  }

  const CompileOptions& x_options;
  std::uint32_t x_ends;
  std::size_t x_missing = 0;
  Program x_program;
  Scope x_scope;
  std::size_t x_order = 0;
  std::size_t& x_lowered;  // over all passes
  std::vector<Parameter> x_parameters;
};

void widen(std::vector<Parameter>& total, const std::vector<Parameter>& found) {
  for (std::size_t i = 0; i < total.size(); ++i) {
    total[i].range.lo = std::min(total[i].range.lo, found[i].range.lo);
    total[i].range.hi = std::max(total[i].range.hi, found[i].range.hi);
    if (found[i].value == found[i].range.lo) total[i].value = std::min(total[i].value, found[i].value);
  }
}

}  // namespace

std::vector<Parameter> elaborate_parameters(const Syntax& syntax, const CompileOptions& options) {
  const auto missing = static_cast<std::size_t>(std::ranges::count_if(syntax.items, [&](const ItemSyntax& item) {
    return item.kind == SyntaxKind::kParameter && !options.parameters.contains(std::string(item.name.text));
  }));
  std::optional<std::vector<Parameter>> total;
  std::optional<CompileFailure> first_failure;
  std::size_t lowered = 0;
  for (std::uint32_t ends = 0; ends < (std::uint32_t{1} << std::min(missing, kMaxVaried)); ++ends) {
    // Some combinations of ends are of no task: they empty a range. The others decide.
    try {
      std::vector<Parameter> found = Pass(options, ends, lowered).run(syntax);
      if (total) {
        widen(*total, found);
      } else {
        total = std::move(found);
      }
    } catch (const CompileFailure& failure) {
      if (failure.reason == CompileReason::kTooMuchInlining) throw;
      if (!first_failure) first_failure = failure;
    }
  }
  if (!total) throw CompileFailure(*first_failure);
  return *total;
}

}  // namespace tally::math
