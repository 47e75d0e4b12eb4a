// Templates expanded: the items of a program as one list, each with the scope that its names belong to.
//
// A template is closed: it sees its arguments, its own items, other templates and the built-ins, and nothing of the
// program that uses it. So it means the same wherever it stands, and may be written in anywhere.
#pragma once

#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "deterministic_math/language/scope.h"
#include "deterministic_math/language/syntax.h"

namespace tally::math {

enum class UnitKind : std::uint8_t { kItem, kLoopStart, kLoopEnd };

/// `instance` is the scope that a `use` opens. `loop` is the loop that the unit stands in, or starts, or ends.
struct Unit {
  UnitKind kind = UnitKind::kItem;
  const ItemSyntax* syntax = nullptr;
  Scope* scope = nullptr;
  Scope* instance = nullptr;
  LoopId loop = kOutside;
};

struct Expansion {
  std::deque<Scope> scopes;  // the first is the program's
  std::vector<Unit> units;
  std::map<std::string_view, const ItemSyntax*> templates;
  std::size_t loops = 0;
};

/// Throws CompileFailure.
[[nodiscard]] Expansion expand(const Syntax& syntax);

/// The source with those templates of the library appended that it uses and does not have. Throws CompileFailure, with
/// spans of the library where its text is at fault.
[[nodiscard]] std::string with_library(std::string_view source, std::string_view library);

}  // namespace tally::math
