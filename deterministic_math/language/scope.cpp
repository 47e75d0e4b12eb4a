#include "deterministic_math/language/scope.h"

#include <algorithm>

#include "deterministic_math/language/diagnostics.h"

namespace tally::math {

void Locals::declare(const Identifier& name, ValueId value) {
  if (find(name.text) != nullptr) {
    fail(CompileReason::kDuplicateName, name.span, quoted(name.text) + " already names a value of this body");
  }
  x_values.emplace_back(name.text, value);
}

void Locals::assign(std::string_view name, ValueId value) {
  const auto found = std::ranges::find(x_values, name, &std::pair<std::string_view, ValueId>::first);
  found->second = value;
}

const Binding& resolve(const Expr& name, const Frame& frame) {
  const Scope* scope = frame.scope;
  for (std::size_t i = 0;; ++i) {
    const auto found = scope->names.find(name.path[i]);
    if (found == scope->names.end()) {
      fail(CompileReason::kUnknownName, name.place,
           quoted(joined(name.path)) + " is not declared before this place; names are declared before they are used");
    }
    const Binding& binding = found->second;
    if (binding.order >= frame.cutoff) {
      if (binding.kind == BindingKind::kFunction && binding.function == frame.function) {
        fail(CompileReason::kRecursion, name.place,
             quoted(joined(name.path)) + " refers to itself; functions are inlined and cannot recurse");
      }
      fail(CompileReason::kUsedBeforeDeclaration, name.place,
           quoted(joined(name.path)) + " is declared further down; move its declaration up");
    }
    if (i + 1 == name.path.size()) return binding;
    if (binding.kind != BindingKind::kInstance) {
      fail(CompileReason::kWrongKind, name.place,
           quoted(name.path[i]) + " is " + std::string(describe(binding.kind)) + " and has no parts");
    }
    scope = binding.scope;
  }
}

std::string_view describe(BindingKind kind) {
  switch (kind) {
    case BindingKind::kConstant:
      return "a constant";
    case BindingKind::kFunction:
      return "a function";
    case BindingKind::kDim:
      return "a dim";
    case BindingKind::kObject:
      return "a table";
    case BindingKind::kInstance:
      return "a used template";
    case BindingKind::kExpression:
      return "a value";
    case BindingKind::kLoopIndex:
      return "a loop's index";
  }
  return {};
}

}  // namespace tally::math
