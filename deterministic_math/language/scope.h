// What names mean.
//
// A scope is the program's or one template instance's. Bindings are numbered in order of declaration; a frame looks up
// names as they stood at its own place, its cutoff, so that a function sees what was declared before it and nothing
// later, wherever it is called. In a loop all tables are declared at the loop's start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deterministic_math/language/syntax.h"
#include "deterministic_math/language/value_graph.h"

namespace tally::math {

struct Scope;

enum class BindingKind : std::uint8_t {
  kConstant,    // value
  kFunction,    // function, scope, cutoff
  kDim,         // index of Program::dims
  kObject,      // index of Program::objects
  kInstance,    // scope: of a template
  kExpression,  // a template's argument: expression, scope, cutoff
  kLoopIndex,   // index of Program::loops
};

struct Binding {
  BindingKind kind = BindingKind::kConstant;
  std::size_t order = 0;
  i128 value = 0;
  std::size_t index = 0;
  const ItemSyntax* function = nullptr;
  const Expr* expression = nullptr;
  Scope* scope = nullptr;
  std::size_t cutoff = 0;
};

struct Scope {
  std::string prefix;  // of the names of items: empty or "p."
  std::map<std::string_view, Binding> names;
};

/// Names of a body: indices, lets, accumulators, a function's arguments. Inner ones come last.
class Locals {
 public:
  [[nodiscard]] const ValueId* find(std::string_view name) const {
    for (auto it = x_values.rbegin(); it != x_values.rend(); ++it) {
      if (it->first == name) return &it->second;
    }
    return nullptr;
  }
  /// Throws CompileFailure where the name is taken.
  void declare(const Identifier& name, ValueId value);
  void assign(std::string_view name, ValueId value);

 private:
  std::vector<std::pair<std::string_view, ValueId>> x_values;
};

/// The place from which an expression sees names. `function` is the one whose body it is, if any.
struct Frame {
  Scope* scope = nullptr;
  std::size_t cutoff = 0;
  const Locals* locals = nullptr;
  const ItemSyntax* function = nullptr;
};

/// What a path means from a frame, template arguments that are mere names included. Throws CompileFailure.
[[nodiscard]] const Binding& resolve(const Expr& name, const Frame& frame);

[[nodiscard]] std::string_view describe(BindingKind kind);

}  // namespace tally::math
